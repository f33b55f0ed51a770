"""What the tests of costs share: an emulator, a model that asks it once, and a tool."""

from typing import Any

from langchain_core.tools import tool

STORY = "Tell me of the sea."


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is 21 degrees and sunny in {city}."


async def drain(stream: Any) -> None:
    async for _ in stream:
        pass
