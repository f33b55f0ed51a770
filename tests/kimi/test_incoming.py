from collections.abc import Mapping
from typing import Any, cast

from langchain_kimi._kimi.incoming import Repairer, RepairOptions
from langchain_kimi._openrouter.wire import WireBody, WireChoice

BODY: WireBody = {"messages": [{"role": "user", "content": "hi"}]}
CALL = {"id": "f:0", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def fed(repairer: Repairer, **choice: Any) -> Any:
    return repairer.feed(cast("WireChoice", choice))


def test_choices_without_calls_are_returned_as_they_are() -> None:
    repairer = Repairer(BODY)
    for choice in ({"index": 0}, {"delta": None}, {"delta": {"content": "hi"}}, {"delta": {"tool_calls": None}}):
        choice_in = cast("WireChoice", choice)
        assert repairer.feed(choice_in) is choice_in
    assert list(repairer.close()) == []


def test_calls_of_a_stream_are_numbered() -> None:
    repairer = Repairer(BODY)
    first = fed(repairer, index=0, delta={"content": None, "tool_calls": [{**CALL, "index": 3}]}, finish_reason=None)
    assert first == {
        "index": 0,
        "delta": {"content": None, "tool_calls": [{**CALL, "index": 0}]},
        "finish_reason": None,
    }
    assert fed(repairer, delta={"tool_calls": [{"index": 3, "function": {"arguments": ""}}]}) == {
        "delta": {"tool_calls": []}
    }
    assert list(repairer.close()) == []


def test_calls_of_a_plain_response_are_complete() -> None:
    """Two calls without an index, an id or arguments look like one call and its repetition in a stream."""
    message = {"tool_calls": [{"function": {"name": "ping"}}, None, {"function": {"name": "ping"}}]}
    repairer = Repairer(BODY)
    repaired = fed(repairer, message=message, delta=message)
    assert [call["index"] for call in repaired["delta"]["tool_calls"]] == [0, 1]
    [last] = repairer.close()
    assert last.get("delta") == {
        "tool_calls": [
            {"index": 0, "id": "functions.ping:0", "type": "function", "function": {"arguments": ""}},
            {"index": 1, "id": "functions.ping:1", "type": "function", "function": {"arguments": ""}},
        ]
    }


def test_the_request_is_not_changed() -> None:
    delta = {"tool_calls": [{**CALL, "index": 9}]}
    fed(Repairer(BODY), delta=delta)
    assert delta == {"tool_calls": [{**CALL, "index": 9}]}


def test_missing_ids_count_the_calls_of_the_conversation() -> None:
    before: Any = {"role": "assistant", "content": None, "tool_calls": [CALL, CALL]}
    repairer = Repairer({"messages": [before, {"role": "assistant", "content": "no calls"}]})
    fed(repairer, delta={"tool_calls": [{"index": 0, "function": {"name": "g", "arguments": "{}"}}]})
    [last] = repairer.close()
    assert [call["id"] for call in last["delta"]["tool_calls"]] == ["functions.g:2"]


OFFER: WireBody = {**BODY, "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}


def test_a_sound_choice_is_returned_itself() -> None:
    for body in (BODY, OFFER):
        repairer = Repairer(body)
        fed(repairer, delta={"role": "assistant", "content": "Hi", "reasoning": "Hm"})
        fed(repairer, delta={"tool_calls": [{**CALL, "index": 0, "function": {"name": "f", "arguments": '{"a": "b'}}]})
        piece = {"index": 0, "id": None, "function": {"name": None, "arguments": "c"}}
        for delta in ({"content": " you"}, {"reasoning": " so"}, {"content": None, "tool_calls": [piece]}):
            choice_in = cast("WireChoice", {"index": 0, "delta": delta, "finish_reason": None})
            assert repairer.feed(choice_in) is choice_in


def test_deltas_of_other_forms_are_normalized() -> None:
    repairer = Repairer(OFFER)
    fed(repairer, delta={"tool_calls": [{**CALL, "index": 1, "function": {"name": "f", "arguments": '{"a": "b'}}]})
    for piece in (
        {"index": 1, "function": {"arguments": "c"}},
        {"index": 1, "id": "f:0", "function": {"arguments": "c"}},
        {"index": 1, "function": {"name": "f", "arguments": "c"}},
        {"function": {"arguments": "c"}},
    ):
        expected = {"tool_calls": [{"index": 0, "type": "function", "function": {"arguments": "c"}}]}
        assert fed(repairer, delta={"tool_calls": [piece]})["delta"] == expected


def test_a_changed_tool_choice_is_counted() -> None:
    [last] = Repairer(BODY, RepairOptions(changed_choice=True)).close()
    assert last == {"index": 0, "kimi": {"repairs": {"tool_choice": 1}}}


class LastWords:
    """Moves the last word of the text behind the text that follows, or to the end of the response."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.count = 0
        self.is_done = False
        self._word = ""

    def repair(self, choice: WireChoice) -> WireChoice:
        delta = cast("Any", choice["delta"])
        self.is_done = bool(choice.get("finish_reason"))
        text, _, word = f"{delta['content']}{self._word}".partition(" ")
        self._word = "" if self.is_done else word
        self.count += 1
        return cast("WireChoice", {**choice, "delta": {**delta, "content": text + (word if self.is_done else "")}})

    def close(self, *, is_cut: bool) -> Any:
        return {"content": f"{self._word}{'|' if is_cut else '.'}", "tool_calls": [{**CALL, "index": 0}]}


def two_repairs() -> Repairer:
    steps: Any = [("first", LastWords), ("second", LastWords), ("off", LastWords)]
    return Repairer(BODY, RepairOptions(repairs=frozenset({"first", "second"})), steps)


def test_repairs_of_responses_run_one_after_the_other() -> None:
    repairer = two_repairs()
    assert fed(repairer, delta={"content": "a b c"}, finish_reason=None)["delta"] == {"content": "a"}
    [last] = repairer.close()
    # The second one takes what the first one held back, and both add their rest.
    assert cast("Any", last)["delta"]["content"] == "b" + "c.."
    assert [call["function"] for call in cast("Any", last)["delta"]["tool_calls"]] == [CALL["function"]] * 2
    assert cast("Any", last)["kimi"] == {"repairs": {"call_ids": 1, "first": 1, "second": 2}}


def test_a_repair_that_is_done_gets_no_more_choices() -> None:
    repairer = two_repairs()
    assert fed(repairer, delta={"content": "a b"}, finish_reason="stop")["delta"] == {"content": "ab"}
    later = cast("WireChoice", {"delta": {"content": "c d"}})
    assert repairer.feed(later) is later
    assert [choice.get("delta") for choice in repairer.close()] == [None]
