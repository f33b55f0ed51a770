"""What the agent tests share: an emulator, a model that speaks to it, and tools that count their calls."""

import pytest
from langchain_core.tools import BaseTool, tool

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.conftest import KEY


@pytest.fixture
def model(openrouter: Emulator) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url)


@pytest.fixture
def calls() -> list[str]:
    """The cities that the weather tool was asked for."""
    return []


@pytest.fixture
def weather(calls: list[str]) -> BaseTool:
    @tool
    def get_weather(city: str) -> str:
        """Tell the weather in a city."""
        calls.append(city)
        return f"It is 21 degrees and sunny in {city}."

    return get_weather
