"""Empty answers and answers with only reasoning: retries, counts and hints."""

from typing import Any

import pytest

from langchain_kimi._openrouter.retries import Retries
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiEmptyReplyError, KimiServerError, KimiUsageError
from langchain_kimi.testing import Emulator, Reply, faults
from tests.chat.asking import WAYS, Way, ask, chunks_of, reply
from tests.conftest import KEY

EMPTY = Reply(text="")


class QuickKimi(ChatKimi):
    """A ChatKimi that does not wait between attempts."""

    def _retries(self, limit: Any = None, empty_limit: Any = None) -> Retries:
        """Return the retries, without delays."""
        return super()._retries(limit, empty_limit)._replace(chance=lambda: 0.0)


def quick(openrouter: Emulator, **settings: Any) -> QuickKimi:
    return QuickKimi(api_key=KEY, base_url=openrouter.base_url, **settings)


@pytest.mark.parametrize("way", WAYS)
async def test_an_empty_answer_is_an_error_by_default(openrouter: Emulator, way: Way) -> None:
    openrouter.script(EMPTY, Reply(text="Hello"))
    with pytest.raises(KimiEmptyReplyError) as caught:
        await ask(quick(openrouter), way)
    assert len(openrouter.requests) == 1
    assert caught.value.is_retryable
    assert caught.value.attempts == ()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("count", [1, 2])
async def test_empty_answers_are_retried_and_counted(openrouter: Emulator, count: int, way: Way) -> None:
    openrouter.script(*[EMPTY] * count, Reply(text="Hello"))
    message = await ask(quick(openrouter, retry_empty=2, max_retries=0), way)
    assert message.text == "Hello"
    assert message.response_metadata["kimi"] == {"empty_answers": count}
    assert len(openrouter.requests) == count + 1


@pytest.mark.parametrize("way", WAYS)
async def test_the_error_has_all_empty_attempts(openrouter: Emulator, way: Way) -> None:
    openrouter.script(*[EMPTY] * 3)
    with pytest.raises(KimiEmptyReplyError, match="after 3 attempts") as caught:
        await ask(quick(openrouter, retry_empty=2), way)
    assert [type(error) for error in caught.value.attempts] == [KimiEmptyReplyError] * 2
    assert all(error.usage and error.usage["prompt_tokens"] for error in (*caught.value.attempts, caught.value))


@pytest.mark.parametrize("way", WAYS)
async def test_failures_and_empty_answers_are_counted_separately(openrouter: Emulator, way: Way) -> None:
    model = quick(openrouter, retry_empty=1, max_retries=1)
    openrouter.script(EMPTY, faults.bad_gateway(), Reply(text="Hello"))
    assert (await ask(model, way)).response_metadata["kimi"] == {"empty_answers": 1}
    openrouter.script(faults.bad_gateway(), EMPTY, faults.bad_gateway())
    with pytest.raises(KimiServerError):
        await ask(model, way)


@pytest.mark.parametrize("way", WAYS)
async def test_retry_empty_can_be_set_for_a_call(openrouter: Emulator, way: Way) -> None:
    openrouter.script(EMPTY, Reply(text="Hello"))
    assert (await ask(quick(openrouter).bind(retry_empty=1), way)).text == "Hello"
    assert "retry_empty" not in openrouter.bodies[0]
    with pytest.raises(KimiUsageError, match="retry_empty must be an integer of at least 0"):
        await ask(quick(openrouter), way, retry_empty=-1)


@pytest.mark.parametrize("way", WAYS)
async def test_there_is_no_count_without_empty_answers(openrouter: Emulator, way: Way) -> None:
    openrouter.script(faults.bad_gateway(), Reply(text="Hello"))
    assert "kimi" not in (await ask(quick(openrouter, retry_empty=2), way)).response_metadata


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_with_only_reasoning_has_a_hint(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(reply(way, {"reasoning": "Let me see."}, "length"))
    chunks = await chunks_of(model, way)
    first, *rest = chunks
    message = first + rest if rest else first
    assert (message.text, message.response_metadata["finish_reason"]) == ("", "length")
    hint = message.response_metadata["kimi"]["hint"]
    assert hint.startswith("Reasoning (12 tokens) used up max_tokens")
    assert ["kimi" in chunk.response_metadata for chunk in chunks].count(True) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_a_cut_text_has_no_hint(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(reply(way, {"reasoning": "Let me see.", "content": "It"}, "length"))
    assert "kimi" not in (await ask(model, way)).response_metadata
