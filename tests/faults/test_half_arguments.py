"""Tests that truncated calls are never valid, even if parts of them were held back when the reply failed."""

from typing import Any

import pytest

from langchain_kimi.testing import Emulator, Fault, Reply, ToolCall
from langchain_kimi.testing.http1 import Cut
from langchain_kimi.testing.responses import DONE
from tests.faults.ways import ask, model_of

TRIP = {"type": "object", "properties": {"city": {"type": "string"}}}
PLAN = {
    "type": "function",
    "function": {
        "name": "plan",
        "parameters": {
            "type": "object",
            "properties": {"trip": TRIP, "days": {"type": "array"}, "note": {"type": "string"}},
        },
    },
}
ARGUMENTS = (
    # An object encoded as a string is decoded, and held back until the string ends.
    '{"trip": "{\\"city\\": \\"Paris\\"}", "note": "sunny"}',
    '{"trip": {"city": "Paris", "hotel": "R\\u0069tz"}, "days": ["Mon", "Tue"], "note": "a \\"quote\\" {"}',
    # A repeated object is dropped, so text after the first object is held back.
    '{"note": "x"}{"note": "x"}',
    '"{\\"note\\": \\"x\\"}"',
)


def broken_after(events: int, how: str) -> Fault:
    """Return a stream that fails after some events."""

    def play(serving: Any) -> Any:
        sent = serving.events()[:events]
        head = {key: value for key, value in sent[0].items() if key != "choices"}
        choice = {"index": 0, "delta": {"content": ""}, "finish_reason": how}
        ends: dict[str, list[Any]] = {
            "cut": [Cut(reset=False)],
            "error": [{**head, "error": {"code": 502, "message": "It broke."}, "choices": [choice]}],
            "length": [{**head, "choices": [choice]}, DONE],
        }
        return serving.respond([*sent, *ends[how]])

    return Fault(f"{how} after {events} events", play)


HOWS = ("cut", "error", "length")


@pytest.mark.parametrize("step", [len(HOWS), pytest.param(1, marks=pytest.mark.long)], ids=["some", "each"])
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_a_truncated_call_is_never_valid(arguments: str, how: str, step: int) -> None:
    reply = Reply(tool_calls=[ToolCall("plan", arguments)])
    with Emulator() as openrouter:
        openrouter.behave(delta_tokens=2)
        model = model_of(openrouter, max_retries=0)
        whole = ask_whole(openrouter, model, reply)
        # Together, the three endings are at each place.
        for events in range(1 + HOWS.index(how) % step, whole["events"] - 1, step):
            openrouter.fail_next(broken_after(events, how).on(reply))
            outcome = ask(model, ("stream", "astream")[events % 2], tools=[PLAN])
            assert (outcome.error is None) is (how == "length")
            calls = outcome.message.tool_calls if outcome.message else []
            assert all(call["args"] == whole["args"] for call in calls), (events, calls)


def ask_whole(openrouter: Emulator, model: Any, reply: Reply) -> dict[str, Any]:
    """Return the call of a correct reply and the number of its events."""
    events: list[int] = []

    def play(serving: Any) -> Any:
        events.append(len(serving.events()))
        return serving.respond(serving.items())

    openrouter.fail_next(Fault("none", play).on(reply))
    outcome = ask(model, "stream", tools=[PLAN])
    assert outcome.message is not None
    [call] = outcome.message.tool_calls
    return {"args": call["args"], "events": events[0]}
