"""The answers of ChatKimi, called in four ways each; `tests/chat` has the tests of more than one answer."""

from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.chat.asking import HEAD, USAGE, WAYS, Way, ask, chunks_of, fields_of, reply
from tests.conftest import KEY

DETAILS = [
    {"type": "reasoning.text", "text": "Let me think about it.", "format": "unknown", "index": 0},
    {"type": "reasoning.encrypted", "data": "c2VjcmV0", "format": "unknown", "index": 1, "id": "rs_1"},
]
CITATION = {"type": "url_citation", "url_citation": {"url": "https://example.com", "title": "", "start_index": 0}}
FILE = {"type": "file", "file": {"hash": "h", "content": [{"type": "text", "text": "<file name='a'>"}]}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aW1n"}}
AUDIO = {"id": "audio_1", "data": "c291bmQ=", "transcript": "hello"}
LOGPROBS = {
    "content": [{"token": "h", "logprob": -0.25, "bytes": [104], "top_logprobs": []}] * 3,
    "refusal": None,
}
METADATA = {
    **{key: value for key, value in HEAD.items() if key != "model"},
    "model_name": HEAD["model"],
    "model_provider": "openrouter",
    "finish_reason": "stop",
    "native_finish_reason": "end_turn",
    "cost": 0.00016,
    "cost_details": {"upstream_inference_cost": 0.00016},
    "is_byok": False,
    "token_usage": USAGE,
}
TOLD: dict[str, Any] = {
    "content": "",
    "additional_kwargs": {},
    "tool_calls": [],
    "invalid_tool_calls": [],
    "usage_metadata": {
        "input_tokens": 100,
        "output_tokens": 40,
        "total_tokens": 140,
        "input_token_details": {"cache_read": 64, "cache_creation": 0, "audio": 0},
        "output_token_details": {"reasoning": 12, "audio": 0},
    },
    "name": None,
    "response_metadata": METADATA,
}


def call(number: int, name: str, arguments: str, **more: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"index": number, "id": f"{name}:{number}", "type": "function", "function": function, **more}


def parsed(name: str, args: dict[str, Any], number: int) -> dict[str, Any]:
    return {"type": "tool_call", "name": name, "args": args, "id": f"{name}:{number}"}


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": ({"content": "Hello from Tromsø. 😀"}, {"content": "Hello from Tromsø. 😀"}),
    "white space": ({"content": "\n  indented\n"}, {"content": "\n  indented\n"}),
    "a call": (
        {"tool_calls": [call(0, "area", '{"w": 4, "h": [7]}')]},
        {"tool_calls": [parsed("area", {"w": 4, "h": [7]}, 0)]},
    ),
    "a call without arguments": ({"tool_calls": [call(0, "ping", "")]}, {"tool_calls": [parsed("ping", {}, 0)]}),
    "text and parallel calls": (
        {"content": "Wait.", "tool_calls": [call(0, "area", '{"w":4}'), call(1, "edge", '{"w":5}')]},
        {"content": "Wait.", "tool_calls": [parsed("area", {"w": 4}, 0), parsed("edge", {"w": 5}, 1)]},
    ),
    "parallel calls, all with index 0": (
        {"tool_calls": [call(0, "area", '{"w":4}'), call(1, "edge", '{"w":5}', index=0), call(0, "side", "{}")]},
        {"tool_calls": [parsed("area", {"w": 4}, 0), parsed("edge", {"w": 5}, 1), parsed("side", {}, 0)]},
    ),
    "reasoning": (
        {"content": "Yes.", "reasoning": "Let me think about it.", "reasoning_details": DETAILS},
        {
            "content": "Yes.",
            "additional_kwargs": {"reasoning_content": "Let me think about it.", "reasoning_details": DETAILS},
        },
    ),
    "reasoning and a call": (
        {
            "reasoning": "Let me think about it.",
            "reasoning_details": DETAILS[:1],
            "tool_calls": [call(0, "area", '{"w":4}')],
        },
        {
            "additional_kwargs": {"reasoning_content": "Let me think about it.", "reasoning_details": DETAILS[:1]},
            "tool_calls": [parsed("area", {"w": 4}, 0)],
        },
    ),
    "refusal": ({"refusal": "I cannot do that."}, {"additional_kwargs": {"refusal": "I cannot do that."}}),
    "annotations": (
        {"content": "Hello.", "annotations": [CITATION, FILE]},
        {"content": "Hello.", "additional_kwargs": {"annotations": [CITATION, FILE]}},
    ),
    "images": (
        {"content": "Look.", "images": [IMAGE, IMAGE]},
        {"content": "Look.", "additional_kwargs": {"images": [IMAGE, IMAGE]}},
    ),
    "audio": ({"audio": AUDIO}, {"additional_kwargs": {"audio": AUDIO}}),
}


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
async def test_the_message_is_the_same_in_all_ways(openrouter: Emulator, model: ChatKimi, case: str, way: Way) -> None:
    wire, expected = CASES[case]
    openrouter.script(reply(way, wire))
    reason = "refusal" if wire.get("refusal") else "tool_call" if wire.get("tool_calls") else "stop"
    fields = {**TOLD, **expected}
    fields["response_metadata"] = {**fields["response_metadata"], "normalized_finish_reason": reason}
    assert fields_of(await ask(model, way)) == fields


@pytest.mark.parametrize("way", WAYS)
async def test_logprobs(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(reply(way, {"content": "hhh"}, logprobs=LOGPROBS))
    message = await ask(model, way, logprobs=True)
    assert message.response_metadata["logprobs"] == LOGPROBS


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("finish", ["stop", "length", "content_filter"])
async def test_the_finish_reason(openrouter: Emulator, model: ChatKimi, finish: str, way: Way) -> None:
    openrouter.script(reply(way, {"content": "Hel"}, finish))
    metadata = (await ask(model, way)).response_metadata
    assert (metadata["finish_reason"], metadata["native_finish_reason"]) == (finish, "end_turn")


@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("case", CASES)
async def test_every_one_off_fact_is_on_one_chunk(openrouter: Emulator, model: ChatKimi, case: str, way: Way) -> None:
    openrouter.script(reply(way, CASES[case][0]))
    chunks = await chunks_of(model, way)
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    # What may be said again without harm, or comes in pieces.
    repeated = {"model_provider", "reasoning_content"}
    facts = [key for chunk in chunks for key in (*chunk.response_metadata, *chunk.additional_kwargs)]
    once = [key for key in facts if key not in repeated]
    assert len(once) == len(set(once))
    assert [chunk.usage_metadata for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert [chunk.chunk_position for chunk in chunks] == [None] * (len(chunks) - 1) + ["last"]
    assert len({chunk.id for chunk in chunks}) == 1


@pytest.mark.parametrize("case", CASES)
async def test_async_chunks_are_the_sync_ones(openrouter: Emulator, model: ChatKimi, case: str) -> None:
    openrouter.script(reply("stream", CASES[case][0]), times=2)
    sync, other = await chunks_of(model, "stream"), await chunks_of(model, "astream")
    assert [fields_of(chunk) for chunk in sync] == [fields_of(chunk) for chunk in other]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("behavior", [{"usage_era": "A"}, {"usage_era": "B"}, {"usage_era": "C"}, {"comments": False}])
async def test_usage_of_every_era(openrouter: Emulator, model: ChatKimi, behavior: dict[str, Any], way: Way) -> None:
    openrouter.behave(**behavior)
    openrouter.script(Reply(text="one two three"))
    message = await ask(model, way)
    openrouter.behave(usage_era="C", comments=True)
    usage = message.response_metadata["token_usage"]
    assert message.usage_metadata["total_tokens"] == usage["total_tokens"] == usage["prompt_tokens"] + 3
    assert message.response_metadata["cost"] == usage["cost"] > 0
    assert message.response_metadata["finish_reason"] == "stop"


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "habits",
    [
        {"all_index_zero": True},
        {"call_ids": "functions.name:index"},
        {"call_ids": "repeated"},
        {"call_ids": "repeated", "all_index_zero": True, "arguments": "whole"},
        {"arguments": "whole"},
        {"continuation": "null_id_and_name"},
        {"continuation": "repeated"},
        {"continuation": "empty_name"},
        {"trailing_arguments": " "},
        {"opening_arguments": False},
        {"omits_empty_arguments": True},
    ],
    ids=str,
)
async def test_calls_of_every_host(openrouter: Emulator, model: ChatKimi, habits: dict[str, Any], way: Way) -> None:
    calls = [ToolCall("look_up", {"city": "Tromsø"}), ToolCall("look_up", {"city": "Oslo {}"}), ToolCall("ping")]
    plain = openrouter.behavior
    openrouter.behave(**habits)
    openrouter.script(Reply(tool_calls=calls))
    message = await ask(model, way)
    openrouter.behavior = plain
    assert [(one["name"], one["args"]) for one in message.tool_calls] == [
        ("look_up", {"city": "Tromsø"}),
        ("look_up", {"city": "Oslo {}"}),
        ("ping", {}),
    ]
    assert message.invalid_tool_calls == []
    assert len({one["id"] for one in message.tool_calls}) == 3


@pytest.mark.parametrize("way", WAYS)
async def test_the_message_names_the_model_that_answered(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    message = await ask(model, way, model="moonshotai/kimi-k2-thinking")
    assert openrouter.bodies[0]["model"] == "moonshotai/kimi-k2-thinking"
    assert message.response_metadata["model_name"].startswith("moonshotai/kimi-k2-thinking")
    assert message.response_metadata["id"] == openrouter.requests[0].generation_id
    assert message.additional_kwargs["reasoning_content"]


def test_batches_answer_in_order(openrouter: Emulator, model: ChatKimi) -> None:
    assert [message.text.splitlines()[0] for message in model.batch(["one", "two"])] == [
        "You said: one",
        "You said: two",
    ]


def test_another_model_has_its_own_profile() -> None:
    model = ChatKimi(api_key=KEY, model="moonshotai/kimi-k2")
    other = ChatKimi(api_key=KEY, model="moonshotai/kimi-k2.5")
    assert model.profile != other.profile
    assert model.model_copy(update={"model": other.model_name}).profile == other.profile
    assert model.model_copy(update={"model": other.model_name, "profile": {"max_input_tokens": 5}}).profile == {
        "max_input_tokens": 5
    }
    assert model.model_copy(update={"temperature": 0.5}).profile == model.profile
    model.model_name = other.model_name
    assert model.profile == other.profile


def test_a_profile_of_the_user_stays_with_another_model() -> None:
    model = ChatKimi(api_key=KEY, model="moonshotai/kimi-k2", profile={"max_input_tokens": 5})
    assert model.model_copy(update={"model": "moonshotai/kimi-k2.5"}).profile == {"max_input_tokens": 5}
    model.model_name = "moonshotai/kimi-k2.5"
    assert model.profile == {"max_input_tokens": 5}
