"""Answers without an answer: white space or reasoning alone, although the model ended them itself."""

from typing import Any

import pytest

from langchain_kimi.errors import KimiEmptyReplyError
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask, chunks_of, reply
from tests.chat.test_empty_answers import quick

BLANKS: list[dict[str, Any]] = [{"content": " \n\n "}, {"content": "\n", "reasoning": "Hm."}, {"reasoning": "Hm."}]
INVISIBLE = ["\u200b", "\ufeff\u2060 ", "\u00a0 ", "<think>Hm.</think>", "<think></think>\n"]
every_way = pytest.mark.parametrize("way", WAYS)


@every_way
@pytest.mark.parametrize("message", BLANKS)
async def test_an_answer_without_text_and_calls_is_an_error(
    openrouter: Emulator, way: Way, message: dict[str, Any]
) -> None:
    openrouter.script(reply(way, message))
    with pytest.raises(KimiEmptyReplyError, match="neither text nor a tool call") as caught:
        await ask(quick(openrouter), way)
    partial = caught.value.partial
    assert partial is not None
    assert partial.content == message.get("content", "")
    assert partial.additional_kwargs.get("reasoning_content") == message.get("reasoning")
    assert caught.value.usage is not None


@pytest.mark.covered
@every_way
async def test_a_blank_answer_is_retried(openrouter: Emulator, way: Way) -> None:
    openrouter.script(reply(way, BLANKS[0]), reply(way, {"content": "  Hello"}))
    message = await ask(quick(openrouter, retry_empty=1), way)
    assert message.content == "  Hello"
    assert message.response_metadata["kimi"] == {"empty_answers": 1}


@every_way
@pytest.mark.parametrize("text", INVISIBLE)
async def test_an_invisible_answer_is_an_error(openrouter: Emulator, way: Way, text: str) -> None:
    openrouter.script(reply(way, {"content": text}))
    with pytest.raises(KimiEmptyReplyError):
        await ask(quick(openrouter), way)


@every_way
@pytest.mark.parametrize("text", INVISIBLE[:3])
async def test_an_invisible_answer_is_retried(openrouter: Emulator, way: Way, text: str) -> None:
    openrouter.script(reply(way, {"content": text}), reply(way, {"content": "Hello"}))
    assert (await ask(quick(openrouter, retry_empty=1), way)).content == "Hello"


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("message", BLANKS[1:])
async def test_reasoning_alone_is_retried(openrouter: Emulator, way: Way, message: dict[str, Any]) -> None:
    openrouter.script(reply(way, message), reply(way, {"content": "Hello"}))
    assert (await ask(quick(openrouter, retry_empty=1), way)).content == "Hello"


@every_way
@pytest.mark.parametrize("finish", ["length", "content_filter"])
@pytest.mark.parametrize("message", BLANKS)
async def test_a_truncated_answer_is_a_message(
    openrouter: Emulator, way: Way, finish: str, message: dict[str, Any]
) -> None:
    openrouter.script(reply(way, message, finish))
    answer = await ask(quick(openrouter), way)
    assert answer.content == message.get("content", "")


@every_way
@pytest.mark.parametrize("other", [{"refusal": "No."}, {"images": [{"type": "image_url", "image_url": {"url": "x"}}]}])
async def test_other_content_is_an_answer(openrouter: Emulator, way: Way, other: dict[str, Any]) -> None:
    openrouter.script(reply(way, {"content": " ", **other}))
    assert (await ask(quick(openrouter), way)).content == " "


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_white_space_at_the_beginning_is_not_lost(openrouter: Emulator, way: Way) -> None:
    openrouter.script(reply(way, {"content": "\n\n   \n \n Hello \n\n\n"}))
    chunks = await chunks_of(quick(openrouter), way)
    assert "".join(chunk.content for chunk in chunks) == "\n\n   \n \n Hello \n\n\n"
