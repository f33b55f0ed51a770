"""A prompt, a tool and a helper for the tests of costs."""

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
