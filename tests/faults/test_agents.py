"""Tests that agents never run a tool with truncated arguments."""

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool

from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, Reply, ToolCall, faults
from tests.faults.ways import WAYS, ask, model_of

ASK: Any = {"messages": [{"role": "user", "content": "What is the weather in Paris?"}]}
CALL = Reply(tool_calls=[ToolCall("get_weather", {"city": "Paris", "unit": "celsius"})])
CUTS = {
    "error": faults.stream_error(),
    "ends": faults.stream_ends(),
    "broken": faults.connection_cut(),
    "length": faults.tool_arguments_cut(),
    "never closed": faults.tool_arguments_cut("tool_calls"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("cut", CUTS)
def test_no_tool_runs_with_truncated_arguments(cut: str, way: str) -> None:
    ran: list[str] = []

    @tool
    def get_weather(city: str = "", unit: str = "") -> str:
        """Return the weather in a city."""
        ran.append(f"{city}, {unit}")
        return "Sunny."

    with Emulator() as openrouter:
        openrouter.fail_next(CUTS[cut].on(CALL), times=None)
        model = model_of(openrouter, max_retries=0, streaming=True)
        error = ask(create_agent(model, [get_weather]), way, ASK).error
        model.close()
    assert ran == []
    assert isinstance(error, KimiError) is (cut in {"error", "ends", "broken"})
