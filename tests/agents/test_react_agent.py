"""LangGraph's older `create_react_agent`, which asks for the structured response behind the agent's last answer."""

from typing import Any

import pytest
from langchain_core.tools import BaseTool
from langgraph.prebuilt import create_react_agent
from pydantic import BaseModel

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.conftest import KEY

pytestmark = pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
# Without structured output, the default, always reasoning, switchable, the newest.
KIMIS = ("kimi-k2", "kimi-k2-0905", "kimi-k2-thinking", "kimi-k2.6", "kimi-k3")
ASK: Any = {"messages": [("user", "What is the weather in Oslo?")]}


class Report(BaseModel):
    """A weather report."""

    city: str


FORMATS: dict[str, Any] = {
    "class": Report,
    "class and prompt": ("Report the weather.", Report),
    "schema": Report.model_json_schema(),
}


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kimi", KIMIS)
async def test_the_structured_response_follows_the_answer(
    openrouter: Emulator, weather: BaseTool, kimi: str, form: str, *, is_async: bool
) -> None:
    openrouter.behave(refuses_forced_tool_choice=True)
    model = ChatKimi(model=f"moonshotai/{kimi}", api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    agent: Any = create_react_agent(model, [weather], response_format=FORMATS[form])
    output = await agent.ainvoke(ASK) if is_async else agent.invoke(ASK)
    response = output["structured_response"]
    assert (response["city"] if isinstance(response, dict) else response.city) == "Oslo"
    assert openrouter.bodies[-1]["messages"][-1]["role"] == "assistant"
    await model.aclose()
