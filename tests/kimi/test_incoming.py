from typing import Any, cast

from langchain_kimi._kimi.incoming import Repairer, RepairOptions
from langchain_kimi._openrouter.wire import WireBody, WireChoice

BODY: WireBody = {"messages": [{"role": "user", "content": "hi"}]}
CALL = {"id": "f:0", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def fed(mender: Repairer, **choice: Any) -> Any:
    return mender.feed(cast("WireChoice", choice))


def test_what_has_no_calls_stays_as_it_is() -> None:
    mender = Repairer(BODY)
    for choice in ({"index": 0}, {"delta": None}, {"delta": {"content": "hi"}}, {"delta": {"tool_calls": None}}):
        given = cast("WireChoice", choice)
        assert mender.feed(given) is given
    assert list(mender.close()) == []


def test_calls_of_a_stream_are_numbered() -> None:
    mender = Repairer(BODY)
    first = fed(mender, index=0, delta={"content": None, "tool_calls": [{**CALL, "index": 3}]}, finish_reason=None)
    assert first == {
        "index": 0,
        "delta": {"content": None, "tool_calls": [{**CALL, "index": 0}]},
        "finish_reason": None,
    }
    assert fed(mender, delta={"tool_calls": [{"index": 3, "function": {"arguments": ""}}]}) == {
        "delta": {"tool_calls": []}
    }
    assert list(mender.close()) == []


def test_calls_of_a_plain_reply_are_whole() -> None:
    """Two calls without an index, an id or arguments look like one call and its repetition in a stream."""
    message = {"tool_calls": [{"function": {"name": "ping"}}, None, {"function": {"name": "ping"}}]}
    mender = Repairer(BODY)
    repaired = fed(mender, message=message, delta=message)
    assert [call["index"] for call in repaired["delta"]["tool_calls"]] == [0, 1]
    [owed] = mender.close()
    assert owed.get("delta") == {
        "tool_calls": [
            {"index": 0, "id": "functions.ping:0", "type": "function", "function": {"arguments": ""}},
            {"index": 1, "id": "functions.ping:1", "type": "function", "function": {"arguments": ""}},
        ]
    }


def test_the_request_is_not_changed() -> None:
    delta = {"tool_calls": [{**CALL, "index": 9}]}
    fed(Repairer(BODY), delta=delta)
    assert delta == {"tool_calls": [{**CALL, "index": 9}]}


def test_ids_that_are_owed_count_the_calls_before() -> None:
    before: Any = {"role": "assistant", "content": None, "tool_calls": [CALL, CALL]}
    mender = Repairer({"messages": [before, {"role": "assistant", "content": "no calls"}]})
    fed(mender, delta={"tool_calls": [{"index": 0, "function": {"name": "g", "arguments": "{}"}}]})
    [owed] = mender.close()
    assert [call["id"] for call in owed["delta"]["tool_calls"]] == ["functions.g:2"]


OFFER: WireBody = {**BODY, "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}


def test_a_choice_with_nothing_to_mend_is_passed_on_itself() -> None:
    for body in (BODY, OFFER):
        mender = Repairer(body)
        fed(mender, delta={"role": "assistant", "content": "Hi", "reasoning": "Hm"})
        fed(mender, delta={"tool_calls": [{**CALL, "index": 0, "function": {"name": "f", "arguments": '{"a": "b'}}]})
        piece = {"index": 0, "id": None, "function": {"name": None, "arguments": "c"}}
        for delta in ({"content": " you"}, {"reasoning": " so"}, {"content": None, "tool_calls": [piece]}):
            given = cast("WireChoice", {"index": 0, "delta": delta, "finish_reason": None})
            assert mender.feed(given) is given


def test_pieces_of_another_form_are_put_right() -> None:
    mender = Repairer(OFFER)
    fed(mender, delta={"tool_calls": [{**CALL, "index": 1, "function": {"name": "f", "arguments": '{"a": "b'}}]})
    for piece in (
        {"index": 1, "function": {"arguments": "c"}},
        {"index": 1, "id": "f:0", "function": {"arguments": "c"}},
        {"index": 1, "function": {"name": "f", "arguments": "c"}},
        {"function": {"arguments": "c"}},
    ):
        expected = {"tool_calls": [{"index": 0, "type": "function", "function": {"arguments": "c"}}]}
        assert fed(mender, delta={"tool_calls": [piece]})["delta"] == expected


def test_a_choice_that_was_changed_is_counted() -> None:
    [owed] = Repairer(BODY, RepairOptions(changed_choice=True)).close()
    assert owed == {"index": 0, "kimi": {"repairs": {"tool_choice": 1}}}
