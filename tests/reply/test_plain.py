from typing import Any

import pytest

from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._openrouter.reply.chunks import as_chunk
from langchain_kimi._reply.choice import ChoiceReader
from langchain_kimi._reply.messages import message_from
from langchain_kimi._reply.plain import plain_answer

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
    "usual",
    [
        reply(),
        reply({"content": "Hello"}),
        reply(index=3, seed=7),
        reply(facts={**USUAL, "usage": {}}),
        reply(facts={"error": None, "service_tier": 0, **USUAL}),
    ],
)
def test_a_plain_answer_equals_the_sum_of_its_chunks(usual: Any) -> None:
    reader = ChoiceReader(BODY)
    reader.add(usual, (as_chunk(usual).get("choices") or [])[0])
    assert list(reader.close()) == []
    long_way, short = message_from(reader.whole()), plain_answer(usual, BODY, RepairOptions())
    assert short is not None
    assert message_from(short) == long_way
    assert list(message_from(short).response_metadata) == list(long_way.response_metadata)


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
def test_a_reply_with_anything_unusual_is_not_a_plain_answer(other: Any) -> None:
    assert plain_answer(other, BODY, None) is None


@pytest.mark.parametrize("repair_options", [RepairOptions(empty_answers=1), RepairOptions(changed_choice=True)])
def test_a_reply_with_a_repair_report_is_not_a_plain_answer(repair_options: RepairOptions) -> None:
    assert plain_answer(reply(), BODY, repair_options) is None


def test_a_reply_to_a_request_with_tools_is_not_a_plain_answer() -> None:
    asked: Any = {**BODY, "tools": TOOLS}
    assert plain_answer(reply(), asked, None) is None
