"""Answers that the token limit cut off, carried on over a socket."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, message_chunk_to_message

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiServerError, KimiUsageError
from langchain_kimi.testing import Emulator, Reply, ToolCall, faults

CUT = {"finish_reason": "length"}
SAID = "Once upon a time"
Continue = Callable[..., Awaitable[AIMessage]]


@pytest.fixture(params=["sync", "async"])
def carry_on(model: ChatKimi, request: pytest.FixtureRequest) -> Continue:
    async def sync(*args: Any, **kwargs: Any) -> AIMessage:
        return model.continue_reply(*args, **kwargs)

    return sync if request.param == "sync" else model.acontinue_reply


def cut(text: str = SAID, **facts: Any) -> AIMessage:
    return AIMessage(text, response_metadata=CUT, **facts)


async def test_a_cut_answer_is_carried_on(openrouter: Emulator, model: ChatKimi, carry_on: Continue) -> None:
    prompt = [HumanMessage("Tell me a story.")]
    first = model.invoke(prompt, max_tokens=5)
    assert first.response_metadata["finish_reason"] == "length"
    whole = await carry_on(first, prompt)
    assert whole.text == first.text + " and it continues from there."
    assert whole.response_metadata["finish_reason"] == "stop"
    assert openrouter.bodies[1]["messages"] == [
        {"role": "user", "content": "Tell me a story."},
        {"role": "assistant", "content": first.text},
    ]


async def test_tokens_and_cost_are_those_of_both(model: ChatKimi, carry_on: Continue) -> None:
    first = model.invoke("Tell me a story.", max_tokens=5)
    alone = model.invoke([("human", "Tell me a story."), first])
    whole = await carry_on(first, "Tell me a story.")
    tokens = [message.usage_metadata for message in (first, alone, whole)]
    for key in ("input_tokens", "output_tokens", "total_tokens"):
        counts: list[Any] = [dict(one or {})[key] for one in tokens]
        assert counts[2] == counts[0] + counts[1]
    spent = [message.response_metadata["cost"] for message in (first, whole)]
    assert spent[1] > spent[0] > 0
    assert whole.response_metadata["token_usage"]["cost"] == spent[1]


async def test_the_sum_of_a_stream_and_a_second_cut(openrouter: Emulator, model: ChatKimi, carry_on: Continue) -> None:
    openrouter.script(Reply(text=SAID, finish_reason="length"))
    chunks = list(model.stream("Tell me a story."))
    first = message_chunk_to_message(sum(chunks[1:], chunks[0]))
    assert isinstance(first, AIMessage)
    openrouter.script(Reply(text=" there was", finish_reason="length"), Reply(text=" a king."))
    second = await carry_on(first, "Tell me a story.")
    assert (await carry_on(second, "Tell me a story.")).text == "Once upon a time there was a king."
    assert openrouter.bodies[2]["messages"][-1]["content"] == "Once upon a time there was"


@pytest.mark.parametrize(
    ("first_part", "came", "text"),
    [
        (SAID, " there was a king.", "Once upon a time there was a king."),
        (SAID, "Once upon a time there was a king.", "Once upon a time there was a king."),
        (SAID + " ", "Once upon a time there was a king.", "Once upon a time there was a king."),
        ("\n" + SAID, " Once upon a time.", " Once upon a time."),
        (SAID, "Once upon another", "Once upon a timeOnce upon another"),
    ],
)
async def test_repeated_text_is_yielded_once(
    openrouter: Emulator, carry_on: Continue, first_part: str, came: str, text: str
) -> None:
    openrouter.script(Reply(text=came))
    assert (await carry_on(cut(first_part), "hi")).text == text


@pytest.mark.parametrize(
    ("before", "after", "both"), [("Hm. ", "Well.", "Hm. Well."), (None, "Well.", "Well."), ("Hm.", None, "Hm.")]
)
async def test_thoughts_are_joined(
    openrouter: Emulator, carry_on: Continue, before: str | None, after: str | None, both: str
) -> None:
    openrouter.script(Reply(text=" there was", reasoning=after))
    details = [{"type": "reasoning.text", "text": before}]
    thoughts = {"reasoning_content": before, "reasoning_details": details} if before else {}
    whole = await carry_on(cut(additional_kwargs=thoughts), "hi")
    assert whole.additional_kwargs["reasoning_content"] == both
    reasoning_texts = [one["text"] for one in whole.additional_kwargs["reasoning_details"]]
    assert reasoning_texts == [text for text in (before, after) if text]


async def test_citations_and_images_of_both_replies_are_kept(openrouter: Emulator, carry_on: Continue) -> None:
    citation = {"type": "url_citation", "url_citation": {"url": "https://first.test", "title": "First"}}
    image = {"type": "image_url", "image_url": {"url": "https://first.test/a.png"}}
    first = cut(additional_kwargs={"annotations": [citation], "images": [image]})
    openrouter.script(Reply(text=" there was", citations=["https://second.test"], images=["https://second.test/b.png"]))
    whole = (await carry_on(first, "Tell me a story.")).additional_kwargs
    pages = [one["url_citation"]["url"] for one in whole["annotations"]]
    assert pages == ["https://first.test", "https://second.test"]
    assert [one["image_url"]["url"] for one in whole["images"]] == [
        "https://first.test/a.png",
        "https://second.test/b.png",
    ]


async def test_citations_of_another_form_are_those_of_the_rest(openrouter: Emulator, carry_on: Continue) -> None:
    openrouter.script(Reply(text=" there was", citations=["https://second.test"]))
    whole = await carry_on(cut(additional_kwargs={"annotations": {"url": "https://first.test"}}), "hi")
    [citation] = whole.additional_kwargs["annotations"]
    assert citation["url_citation"]["url"] == "https://second.test"


async def test_replies_without_reasoning_have_no_additional_kwargs(openrouter: Emulator, carry_on: Continue) -> None:
    openrouter.script(Reply(text=" there was"))
    assert (await carry_on(cut(), "hi")).additional_kwargs == {}


async def test_calls_of_the_rest_are_kept(openrouter: Emulator, carry_on: Continue) -> None:
    openrouter.script(Reply(text=", let me look.", tool_calls=[ToolCall("f", {"a": 1})]))
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    whole = await carry_on(cut("Wait"), "hi", tools=[tool], config={"tags": ["rest"]})
    assert whole.text == "Wait, let me look."
    assert [call["args"] for call in whole.tool_calls] == [{"a": 1}]


async def test_the_answer_may_be_in_the_conversation(openrouter: Emulator, carry_on: Continue) -> None:
    first = cut()
    await carry_on(first, [HumanMessage("hi"), first])
    assert [message["role"] for message in openrouter.bodies[0]["messages"]] == ["user", "assistant"]
    await carry_on(first, [])
    assert [message["role"] for message in openrouter.bodies[1]["messages"]] == ["assistant"]


CALL: Any = {"name": "f", "args": {}, "id": "f:0", "type": "tool_call"}
BROKEN: Any = {"name": "f", "args": "{", "id": "f:0", "error": None, "type": "invalid_tool_call"}


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (AIMessage("Done.", response_metadata={"finish_reason": "stop"}), "finish reason is 'stop', not 'length'"),
        (AIMessage("Done."), "finish reason is None"),
        (cut(tool_calls=[CALL]), "calls tools"),
        (cut(invalid_tool_calls=[BROKEN]), "calls tools"),
        (cut(" \n"), "has no text"),
        (cut("", additional_kwargs={"reasoning_content": "Hm"}), "less reasoning"),
    ],
)
async def test_only_text_that_was_cut_by_the_limit_can_be_continued(
    openrouter: Emulator, carry_on: Continue, message: AIMessage, error: str
) -> None:
    with pytest.raises(KimiUsageError, match=error) as caught:
        await carry_on(message, "hi")
    assert isinstance(caught.value, ValueError)
    assert not openrouter.requests


async def test_a_failed_call_is_an_error(openrouter: Emulator, carry_on: Continue) -> None:
    openrouter.script(faults.bad_gateway())
    with pytest.raises(KimiServerError):
        await carry_on(cut(), "hi")
