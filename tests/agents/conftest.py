"""Fixtures of the agent tests: a model that calls the emulator, and a tool that records its calls."""

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
    """Return the list of cities with which the weather tool was called."""
    return []


@pytest.fixture
def weather(calls: list[str]) -> BaseTool:
    @tool
    def get_weather(city: str) -> str:
        """Tell the weather in a city."""
        calls.append(city)
        return f"It is 21 degrees and sunny in {city}."

    return get_weather
