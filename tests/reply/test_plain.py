import json
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_kimi import ChatKimi
from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._openrouter.reply.chunks import as_chunk
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._reply.choice import ChoiceReader
from langchain_kimi._reply.messages import message_from
from langchain_kimi._reply.plain import MAX_CHOICES, PlainMessage, simple_reply
from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, RawReply

BODY: Any = {"model": "moonshotai/kimi-k2-0905", "messages": [{"role": "user", "content": "hi"}]}
TOOLS: Any = [{"type": "function", "function": {"name": "f"}}]
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.5}
USUAL: Any = {
    "id": "gen-1-a",
    "provider": "Moonshot AI",
    "model": "moonshotai/kimi-k2-0905",
    "system_fingerprint": None,
    "usage": USAGE,
}
MESSAGE = {"role": "assistant", "content": "Hello", "refusal": None, "reasoning": None, "tool_calls": None}
CHOICE = {"logprobs": None, "finish_reason": "stop", "native_finish_reason": "stop", "index": 0, "message": MESSAGE}


def reply(message: Any = MESSAGE, facts: Any = USUAL, **choice: Any) -> Any:
    return {**facts, "choices": [{**CHOICE, "message": message, **choice}]}


@pytest.mark.parametrize(
    "wire",
    [
        reply(),
        reply({"content": "Hello"}),
        reply(index=3, seed=7),
        reply(facts={**USUAL, "usage": {}}),
        reply(facts={"error": None, "service_tier": 0, **USUAL}),
    ],
)
def test_a_simple_reply_equals_the_full_way(wire: Any) -> None:
    reader = ChoiceReader(BODY)
    reader.add(wire, (as_chunk(wire).get("choices") or [])[0])
    assert list(reader.close()) == []
    full, simple = message_from(reader.full_reply()), simple_reply(wire, BODY, RepairOptions())
    assert simple is not None
    assert message_from(simple) == full
    assert list(message_from(simple).response_metadata) == list(full.response_metadata)


@pytest.mark.parametrize(
    "other",
    [
        reply({**MESSAGE, "content": ""}),
        reply({**MESSAGE, "content": [{"type": "text", "text": "Hello"}]}),
        reply({**MESSAGE, "reasoning": "Hm"}),
        reply({**MESSAGE, "tool_calls": []}),
        reply(None),
        reply("Hello"),
        reply(finish_reason="length"),
        reply(finish_reason=None),
        reply(usage=USAGE),
        reply(logprobs={"content": []}),
        reply(facts={**USUAL, "usage": None}),
        {**reply(), "choices": []},
        {**reply(), "choices": [CHOICE, CHOICE]},
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": MESSAGE, "finish_reason": "stop"}]},
    ],
)
def test_a_reply_with_more_than_text_is_not_simple(other: Any) -> None:
    assert simple_reply(other, BODY, None) is None


@pytest.mark.parametrize("repair_options", [RepairOptions(empty_answers=1), RepairOptions(changed_choice=True)])
def test_a_reply_with_a_report_is_not_simple(repair_options: RepairOptions) -> None:
    assert simple_reply(reply(), BODY, repair_options) is None


def test_a_reply_to_a_request_with_tools_is_not_simple() -> None:
    with_tools: Any = {**BODY, "tools": TOOLS}
    assert simple_reply(reply(), with_tools, None) is None


def test_choices_beyond_the_limit_are_left_out(openrouter: Emulator) -> None:
    choices = [{**CHOICE, "index": index} for index in range(MAX_CHOICES + 2)]
    body = json.dumps({**USUAL, "choices": choices}).encode()
    openrouter.script(RawReply(200, {"content-type": "application/json"}, body))
    model = ChatKimi(api_key="any", base_url=openrouter.base_url, n=MAX_CHOICES)
    [generations] = model.generate([[HumanMessage("hi")]]).generations
    assert [generation.text for generation in generations] == ["Hello"] * MAX_CHOICES


def plain_of(*chunks: Any) -> PlainMessage:
    """Return the reader of a plain reply after the events of a stream."""
    reader = PlainMessage(ResponseHead(200, {}, 0.0), BODY, idle=None)
    for chunk in chunks:
        reader.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n", 0.0)
    return reader


def test_choice_0_is_the_answer_even_after_many_others() -> None:
    choices = [{"index": index, "delta": MESSAGE, "finish_reason": "stop"} for index in range(1, MAX_CHOICES + 2)]
    answer = {"index": 0, "delta": {**MESSAGE, "content": "Answer"}, "finish_reason": "stop"}
    body: Any = {**BODY, "n": 2}
    reader = PlainMessage(ResponseHead(200, {}, 0.0), body, idle=None)
    for choice in (*choices, answer):
        reader.feed(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n", 0.0)
    [result] = reader.close()
    assert [generation.text for generation in result.generations] == ["Answer", *["Hello"] * MAX_CHOICES]


def test_chunks_before_the_first_choice_are_part_of_the_reply() -> None:
    usage = {**USUAL, "choices": []}
    [result] = plain_of(usage, {"choices": [{"index": 0, "delta": MESSAGE, "finish_reason": "stop"}]}).close()
    [generation] = result.generations
    assert generation.message.response_metadata["cost"] == USAGE["cost"]
    error = KimiError("Broken.")
    plain_of(usage).explain(error)
    assert (error.usage, error.generation_id, error.provider) == (USAGE, "gen-1-a", "Moonshot AI")
