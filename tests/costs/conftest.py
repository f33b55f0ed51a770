"""What the tests of costs share: an emulator, a model that asks it once, and a tool."""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.tools import tool

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.conftest import KEY

STORY = "Tell me of the sea."


@pytest.fixture
def openrouter() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def model(openrouter: Emulator) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is 21 degrees and sunny in {city}."


async def drain(stream: Any) -> None:
    async for _ in stream:
        pass
