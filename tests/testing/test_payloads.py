import json
from typing import Any

import httpx
import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.testing.chat import deltas, events, message, reply, text

CALL = ToolCall("weather", {"city": "Oslo"}, id="w:0")


def call_deltas(openrouter: Emulator, client: httpx.Client, *calls: ToolCall, **behavior: Any) -> list[Any]:
    """Return the deltas of these calls, streamed with these switches."""
    openrouter.behave(**behavior)
    openrouter.script(Reply(tool_calls=calls or [CALL]))
    sent = [delta for delta in deltas(events(client)) if "tool_calls" in delta]
    assert {delta["content"] for delta in sent} == {None}
    assert {delta["role"] for delta in sent} == {"assistant"}
    return [piece for delta in sent for piece in delta["tool_calls"]]


def joined(pieces: list[Any]) -> str:
    return "".join(piece["function"].get("arguments", "") for piece in pieces)


def test_reasoning_comes_first_and_twice(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.script(Reply(text="Hi there", reasoning=" Let me see"))
    sent = deltas(events(client))
    thoughts = [delta for delta in sent if delta.get("reasoning")]
    assert sent[: len(thoughts)] == thoughts
    assert "".join(delta["reasoning"] for delta in thoughts) == " Let me see"
    for delta in thoughts:
        detail = {"type": "reasoning.text", "text": delta["reasoning"], "format": "unknown", "index": 0}
        assert delta["reasoning_details"] == [detail]
        assert delta["content"] == ""
    assert sent[-2] == {"content": "", "role": "assistant", "reasoning": None}


@pytest.mark.parametrize(
    ("size", "pieces"), [(1, ["one", " two", " three"]), (2, ["one two", " three"]), (9, ["one two three"])]
)
def test_deltas_have_the_chosen_size(openrouter: Emulator, client: httpx.Client, size: int, pieces: list[str]) -> None:
    openrouter.behave(delta_tokens=size)
    openrouter.script(Reply(text="one two three"))
    assert [delta["content"] for delta in deltas(events(client))[:-2]] == pieces


@pytest.mark.parametrize(
    ("era", "choices"),
    [
        ("A", [{"finish_reason": None, "native_finish_reason": None, "logprobs": None}]),
        ("B", []),
        ("C", [{"finish_reason": "stop", "native_finish_reason": "stop"}]),
    ],
)
def test_usage_chunks_of_each_era(openrouter: Emulator, client: httpx.Client, era: str, choices: list[Any]) -> None:
    openrouter.behave(usage_era=era)
    *_, finish, usage = events(client)
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert "usage" not in finish
    blank = {"index": 0, "delta": {"content": "", "role": "assistant"}}
    assert usage["choices"] == [blank | choice for choice in choices]
    assert usage["usage"]["total_tokens"] > 0
    assert (list(finish)[1] == "provider") is (era == "A")


def test_a_call_is_sliced_by_default(openrouter: Emulator, client: httpx.Client) -> None:
    first, *rest = call_deltas(openrouter, client)
    assert first == {"index": 0, "id": "w:0", "type": "function", "function": {"name": "weather", "arguments": ""}}
    assert len(rest) > 3
    assert all(set(piece) == {"index", "function"} and set(piece["function"]) == {"arguments"} for piece in rest)
    assert joined(rest) == '{"city": "Oslo"}'


def test_a_call_can_be_sent_in_one_delta(openrouter: Emulator, client: httpx.Client) -> None:
    (piece,) = call_deltas(openrouter, client, arguments="whole")
    assert piece["id"] == "w:0"
    assert piece["function"] == {"name": "weather", "arguments": '{"city": "Oslo"}'}


@pytest.mark.parametrize("trailing", ["", "  "])
@pytest.mark.parametrize("arguments", ["whole", "sliced"])
def test_an_additional_delta_can_follow_the_arguments(
    openrouter: Emulator, client: httpx.Client, arguments: str, trailing: str
) -> None:
    pieces = call_deltas(openrouter, client, arguments=arguments, trailing_arguments=trailing)
    assert pieces[-1] == {"index": 0, "function": {"arguments": trailing}}
    assert joined(pieces) == '{"city": "Oslo"}' + trailing


@pytest.mark.parametrize(
    ("habit", "extra", "inner"),
    [
        ("typed", {"type": "function"}, {}),
        ("null_id", {"id": None, "type": "function"}, {}),
        ("null_id_and_name", {"id": None, "type": "function"}, {"name": None}),
        ("empty_id_and_type", {"id": "", "type": ""}, {}),
        ("empty_type", {"type": ""}, {}),
        ("empty_name", {"id": "w:0", "type": "function"}, {"name": ""}),
        ("repeated", {"id": "w:0", "type": "function"}, {"name": "weather"}),
    ],
)
def test_fields_of_later_deltas(
    openrouter: Emulator, client: httpx.Client, habit: str, extra: dict[str, Any], inner: dict[str, Any]
) -> None:
    _, *rest = call_deltas(openrouter, client, continuation=habit)
    assert joined(rest) == '{"city": "Oslo"}'
    for piece in rest:
        arguments = piece["function"]["arguments"]
        assert piece == {"index": 0, **extra, "function": {**inner, "arguments": arguments}}


def test_the_first_delta_can_omit_arguments(openrouter: Emulator, client: httpx.Client) -> None:
    first, *rest = call_deltas(openrouter, client, opening_arguments=False)
    assert first["function"] == {"name": "weather"}
    assert joined(rest) == '{"city": "Oslo"}'


def test_empty_arguments_can_be_omitted(openrouter: Emulator, client: httpx.Client) -> None:
    (piece,) = call_deltas(openrouter, client, ToolCall("now"), omits_empty_arguments=True)
    assert piece["function"] == {"name": "now"}
    openrouter.script(Reply(tool_calls=[ToolCall("now"), CALL]))
    first, second = message(client)["tool_calls"]
    assert "arguments" not in first["function"]
    assert json.loads(second["function"]["arguments"]) == {"city": "Oslo"}


@pytest.mark.parametrize(("zero", "indices"), [(False, {0, 1}), (True, {0})])
def test_indices_of_parallel_calls(
    openrouter: Emulator, client: httpx.Client, indices: set[int], *, zero: bool
) -> None:
    calls = [ToolCall("a"), ToolCall("b")]
    assert {piece["index"] for piece in call_deltas(openrouter, client, *calls, all_index_zero=zero)} == indices
    openrouter.script(Reply(tool_calls=calls))
    assert {call["index"] for call in message(client)["tool_calls"]} == indices


def test_logprobs_are_sent_on_request(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.script(Reply(text="né ok"), Reply(text="né ok"), Reply(text="né ok"))
    content = reply(client, logprobs=True, top_logprobs=2)["choices"][0]["logprobs"]["content"]
    assert "".join(entry["token"] for entry in content) == "né ok"
    assert bytes(byte for entry in content for byte in entry["bytes"]).decode() == "né ok"
    assert [len(entry["top_logprobs"]) for entry in content] == [2] * len(content)
    sent = events(client, logprobs=True)
    streamed = [event["choices"][0]["logprobs"]["content"] for event in sent[:-2]]
    assert "".join(entry["token"] for entries in streamed for entry in entries) == text(sent) == "né ok"
    assert reply(client)["choices"][0]["logprobs"] is None


def test_the_fingerprint_can_be_omitted(openrouter: Emulator, client: httpx.Client) -> None:
    assert reply(client)["system_fingerprint"]
    openrouter.behave(system_fingerprint=None)
    assert "system_fingerprint" not in reply(client)


def test_refusals_and_annotations_are_streamed_after_the_text(openrouter: Emulator, client: httpx.Client) -> None:
    citation = {"type": "url_citation", "url_citation": {"url": "https://example.com"}}
    openrouter.script(Reply(text="No.", refusal="I cannot.", citations=[citation]))
    sent = deltas(events(client))
    assert [delta["refusal"] for delta in sent if "refusal" in delta] == ["I cannot."]
    assert [delta["annotations"] for delta in sent if "annotations" in delta] == [[citation]]


DETAILS: list[Any] = [
    {"type": "reasoning.summary", "summary": "Short.", "format": "openai-responses-v1", "index": 0},
    {"type": "reasoning.encrypted", "data": "abc", "format": "openai-responses-v1", "index": 0},
]


def test_images_and_details_of_the_reasoning_can_be_scripted(openrouter: Emulator, client: httpx.Client) -> None:
    image: Any = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    scripted = Reply(
        text="A cat.", reasoning="Fur.", reasoning_details=DETAILS, images=[image["image_url"]["url"], image]
    )
    openrouter.script(scripted, times=4)
    whole = message(client)
    assert (whole["reasoning"], whole["reasoning_details"], whole["images"]) == ("Fur.", DETAILS, [image, image])
    sent = deltas(events(client))
    assert [delta["reasoning_details"] for delta in sent if "reasoning_details" in delta] == [[one] for one in DETAILS]
    assert [delta["images"] for delta in sent if "images" in delta] == [[image, image]]
    assert "reasoning_details" not in message(client, reasoning={"exclude": True})
    kimi = ChatKimi(api_key="key", base_url=openrouter.base_url)
    assert kimi.invoke("Draw a cat.").additional_kwargs["images"] == [image, image]
