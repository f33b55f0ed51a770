from typing import Any

import httpx
import pytest

from langchain_kimi.testing import Emulator, Fault, Reply, ToolCall, faults
from tests.testing.chat import deltas, events, reply, text

BOTH = pytest.mark.parametrize("stream", [False, True])
CALLING = Reply(text="Sure.", tool_calls=[ToolCall("weather", {"city": "Oslo"})])
MARKUP = "<|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>" + '{"city": "Oslo"}'


def broken(openrouter: Emulator, client: httpx.Client, fault: Fault, *, stream: bool) -> list[Any]:
    """Return the parsed events, or a list of the plain body."""
    openrouter.fail_next(fault)
    return events(client) if stream else [reply(client)]


@BOTH
@pytest.mark.parametrize("nulls", [False, True])
def test_an_error_instead_of_a_reply(openrouter: Emulator, client: httpx.Client, *, stream: bool, nulls: bool) -> None:
    openrouter.fail_next(faults.error_in_reply(503, "Busy.", nulls=nulls))
    response = client.post("/chat/completions", json={"messages": [{"role": "user", "content": "a"}], "stream": stream})
    assert response.status_code == 200
    assert '"code":503' in response.text
    assert ('"choices":null' in response.text) is nulls
    assert "[DONE]" not in response.text


@BOTH
@pytest.mark.parametrize(
    ("fault", "fields"),
    [
        (faults.choices_null(), {"choices": None}),
        (faults.choices_empty(), {"choices": []}),
        (
            faults.error_in_provider(500, "Odd."),
            {"choices": None, "provider": {"error": {"code": 500, "message": "Odd."}}},
        ),
    ],
)
def test_a_reply_without_an_answer(
    openrouter: Emulator, client: httpx.Client, fault: Fault, fields: Any, *, stream: bool
) -> None:
    (sent,) = broken(openrouter, client, fault, stream=stream)
    assert fields.items() <= sent.items()
    assert sent["id"].startswith("gen-")
    assert "usage" not in sent


@BOTH
def test_an_error_beside_half_an_answer(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    fault = faults.error_in_choice(502, "Gone.").on(Reply(text="12345678"))
    sent = broken(openrouter, client, fault, stream=stream)
    failed = sent[-2 if stream else 0]["choices"][0]
    assert failed["error"]["message"] == "Gone."
    assert failed["finish_reason"] == "error"
    assert (text(sent) if stream else failed["message"]["content"]) == "1234"


@BOTH
def test_an_empty_answer(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    sent = broken(openrouter, client, faults.empty_answer().on(CALLING), stream=stream)
    choice = sent[-1]["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert "tool_calls" not in str(sent)
    assert (text(sent) if stream else choice["message"]["content"]) == ""


@BOTH
def test_a_missing_finish_reason(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    sent = broken(openrouter, client, faults.no_finish_reason().on(CALLING), stream=stream)
    reasons = [(c["finish_reason"], c["native_finish_reason"]) for event in sent for c in event["choices"]]
    assert set(reasons) == {(None, None)}
    assert "Oslo" in str(sent)
    assert "usage" in sent[-1]


@BOTH
@pytest.mark.parametrize(
    ("more", "markup"),
    [
        ({}, f"<|tool_calls_section_begin|>{MARKUP}<|tool_call_end|><|tool_calls_section_end|>"),
        ({"section": False}, f"{MARKUP}<|tool_call_end|>"),
        ({"singular": True}, f"<|tool_call_section_begin|>{MARKUP}<|tool_call_end|><|tool_call_section_end|>"),
        ({"ended": False}, f"<|tool_calls_section_begin|>{MARKUP}"),
        ({"section": False, "ended": False}, MARKUP),
    ],
)
def test_markup_in_the_text(
    openrouter: Emulator, client: httpx.Client, more: dict[str, bool], markup: str, *, stream: bool
) -> None:
    sent = broken(openrouter, client, faults.leaked_markup(**more).on(CALLING), stream=stream)  # type: ignore[arg-type] # only flags
    choice = sent[-1]["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert (text(sent) if stream else choice["message"]["content"]) == "Sure." + markup
    assert '"tool_calls"' not in str(sent)


@BOTH
def test_markup_in_the_reasoning(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    fault = faults.leaked_markup("reasoning", finish_reason="tool_calls")
    sent = broken(openrouter, client, fault.on(Reply(reasoning="Hm.")), stream=stream)
    choice = sent[-1]["choices"][0]
    if stream:
        thought = "".join(delta.get("reasoning") or "" for delta in deltas(sent))
    else:
        thought = choice["message"]["reasoning"]
    assert thought.startswith("Hm.<|tool_calls_section_begin|>")
    assert "get_weather" in thought
    assert choice["finish_reason"] == "tool_calls"


def test_markup_of_several_calls(openrouter: Emulator, client: httpx.Client) -> None:
    calls = [ToolCall("a"), ToolCall("b")]
    (sent,) = broken(openrouter, client, faults.leaked_markup(section=False).on(Reply(tool_calls=calls)), stream=False)
    begin, middle, end = "<|tool_call_begin|>", "<|tool_call_argument_begin|>{}", "<|tool_call_end|>"
    leaked = f"{begin}functions.a:0{middle}{end}{begin}functions.b:1{middle}{end}"
    assert sent["choices"][0]["message"]["content"] == leaked


@BOTH
@pytest.mark.parametrize("reason", ["length", "tool_calls"])
def test_truncated_arguments(openrouter: Emulator, client: httpx.Client, reason: str, *, stream: bool) -> None:
    sent = broken(openrouter, client, faults.tool_arguments_cut(reason).on(CALLING), stream=stream)
    choice = sent[-1]["choices"][0]
    calls = (
        [one for d in deltas(sent) for one in d.get("tool_calls", ())] if stream else choice["message"]["tool_calls"]
    )
    arguments = "".join(call["function"]["arguments"] for call in calls)
    assert '{"city": "Oslo"}'.startswith(arguments)
    assert 0 < len(arguments) < len('{"city": "Oslo"}')
    assert choice["finish_reason"] == reason


@BOTH
def test_a_huge_event(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    sent = broken(openrouter, client, faults.huge_event(100_000), stream=stream)
    assert max(len(str(event)) for event in sent) > 100_000
    assert len(sent) == (3 if stream else 1)
