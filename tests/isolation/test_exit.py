"""A process that exits with an open stream prints nothing."""

import os
import subprocess
import sys

import pytest

from langchain_kimi.testing import Emulator, Reply
from tests.conftest import KEY
from tests.interpreters import WITHOUT_LANGSMITH, Interpreter

STREAM = """
import sys
from langchain_kimi import ChatKimi

model = ChatKimi(api_key=sys.argv[1], base_url=sys.argv[2])
chunks = model.stream("Go on.")
print(next(chunks).text)
"""
ASYNC_STREAM = """
import asyncio, sys
from langchain_kimi import ChatKimi

model = ChatKimi(api_key=sys.argv[1], base_url=sys.argv[2])
chunks = model.astream("Go on.")

async def main():
    # The debug mode reports steps of the loop that are slow, as on a busy machine.
    asyncio.get_running_loop().slow_callback_duration = 100
    print((await anext(chunks)).text)

asyncio.run(main())
"""


@pytest.fixture
def endless(openrouter: Emulator) -> Emulator:
    """Return an OpenRouter with a reply that nobody reads to its end."""
    openrouter.behave(pause=0.01)
    openrouter.script(Reply(text="word " * 1000))
    return openrouter


@pytest.mark.waits
@pytest.mark.parametrize("script", [STREAM, ASYNC_STREAM], ids=["sync", "async"])
def test_exit_with_an_open_stream_is_silent(interpreter: Interpreter, endless: Emulator, script: str) -> None:
    environment = {**os.environ, "PYTHONASYNCIODEBUG": "1"}
    ended = interpreter.run(script, KEY, endless.base_url, environment=environment, strict=True)
    assert (ended.stdout.strip(), ended.stderr, ended.returncode) == ("word", "", 0)


# An interpreter of its own in the development mode also checks memory, and takes two seconds for its imports.
@pytest.mark.long
@pytest.mark.parametrize("script", [STREAM, ASYNC_STREAM], ids=["sync", "async"])
def test_exit_with_an_open_stream_is_silent_in_the_development_mode(endless: Emulator, script: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "dev", *WITHOUT_LANGSMITH, "-c", script, KEY, endless.base_url],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (ended.stdout.strip(), ended.stderr, ended.returncode) == ("word", "", 0)
