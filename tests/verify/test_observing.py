import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiReplyError, KimiServerError
from langchain_kimi.testing import Emulator, Reply, ToolCall, faults
from langchain_kimi.verify.observing import TwiceRead, observe
from tests.verify.answers import CALLING, TALKING

LEAK = faults.leaked_markup().on(Reply(tool_calls=[ToolCall("get_weather", {"city": "Oslo"})]))


async def test_the_same_response_is_read_with_and_without_repairs(openrouter: Emulator, model: ChatKimi) -> None:
    openrouter.fail_next(LEAK)
    seen = await observe(model, CALLING)
    assert seen.before is not None
    assert (seen.before.tool_calls, "<|tool_call_begin|>" in seen.before.text) == ([], True)
    assert [call["args"] for call in seen.after.tool_calls] == [{"city": "Oslo"}]
    assert len(openrouter.bodies) == 1
    assert 0 < seen.first_token <= seen.total
    assert seen.cost is not None
    assert seen.tokens[0] > 0


async def test_a_failed_call_raises(openrouter: Emulator, model: ChatKimi) -> None:
    openrouter.fail_next(faults.stream_error().on(Reply(text="Half an answer.")))
    with pytest.raises((KimiServerError, KimiReplyError)):
        await observe(model, TALKING)


async def test_a_cost_that_is_not_reported_is_unknown(openrouter: Emulator, model: ChatKimi) -> None:
    openrouter.script(Reply(text="Hi.", usage={"cost": None, "prompt_tokens": 3}))
    assert (await observe(model, TALKING)).cost is None


class Broken:
    """A reader that fails at once."""

    has_begun = False

    def feed(self, piece: bytes, waited: float) -> list[object]:
        raise KimiReplyError("broken")

    def close(self) -> list[object]:
        return []

    def explain(self, error: Exception) -> list[object]:
        return [error]


class Fine(Broken):
    """A reader that returns its input."""

    def feed(self, piece: bytes, waited: float) -> list[object]:
        return [piece]


def test_an_unrepaired_reader_that_fails_does_not_end_the_call() -> None:
    reading = TwiceRead(Fine(), Broken())
    assert [*reading.feed(b"a", 0.0), *reading.feed(b"b", 0.0), *reading.close()] == [b"a", b"b"]
    assert (reading.failed, reading.message(), reading.has_begun) == (True, None, False)
    error = KimiReplyError("later")
    assert reading.explain(error) == [error]
