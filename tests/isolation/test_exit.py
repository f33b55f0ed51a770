"""A process that exits with an open stream prints nothing."""

import subprocess
import sys

import pytest

from langchain_kimi.testing import Emulator, Reply
from tests.conftest import KEY
from tests.interpreters import WITHOUT_LANGSMITH

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


@pytest.mark.parametrize("script", [STREAM, ASYNC_STREAM], ids=["sync", "async"])
def test_exit_with_an_open_stream_is_silent(script: str) -> None:
    with Emulator() as openrouter:
        openrouter.behave(pause=0.01)
        openrouter.script(Reply(text="word " * 1000))
        ended = subprocess.run(
            [sys.executable, "-X", "dev", *WITHOUT_LANGSMITH, "-c", script, KEY, openrouter.base_url],
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
    assert (ended.stdout.strip(), ended.stderr, ended.returncode) == ("word", "", 0)
