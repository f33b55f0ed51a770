"""The sum of the `reasoning_details` of a stream."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_kimi._openrouter.reply.assembly import Assembly, ReasoningDetails


def added_up(*deltas: list[Any]) -> list[dict[str, Any]]:
    details = ReasoningDetails()
    for pieces in deltas:
        details.add(pieces)
    return details.entries()


def text(text: str | None = None, index: int | None = 0, **more: Any) -> dict[str, Any]:
    return detail("reasoning.text", {"text": text} if "signature" not in more or text is not None else {}, index, more)


def summary(summary: str, index: int | None = 0, **more: Any) -> dict[str, Any]:
    return detail("reasoning.summary", {"summary": summary}, index, more)


def sealed(data: str, **more: Any) -> dict[str, Any]:
    return detail("reasoning.encrypted", {"data": data}, 0, more)


def detail(kind: str, payload: dict[str, Any], index: int | None, more: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, **payload, **more, **({} if index is None else {"index": index})}


SEARCH = {"type": "reasoning.server_tool_call", "tool_name": "search", "arguments": "{}", "result": "x"}
DETAILS: dict[str, tuple[list[list[Any]], list[dict[str, Any]]]] = {
    "text is joined": ([[text(" We", format="unknown")], [text(" see")]], [text(" We see", format="unknown")]),
    "what is missing is filled in": ([[text("a", id="")], [text("b", id="x")]], [text("ab", id="x")]),
    "a repeated format is not joined": ([[text("a", format="unknown")]] * 2, [text("aa", format="unknown")]),
    "a late signature belongs to the text before": (
        [[text("a", signature="")], [text("b")], [text(signature="sig")]], [text("ab", signature="sig")],
    ),
    "a signed block is closed": ([[text("a", signature="s")], [text("b")]], [text("a", signature="s"), text("b")]),
    "a text that is null at first": ([[text(None)], [text("a")]], [text("a")]),
    "a text that is null later": ([[text("a")], [text(None)]], [text("a")]),
    "summaries are joined": ([[summary("a")], [summary("b")]], [summary("ab")]),
    "an index alone is no key": ([[summary("a")], [sealed("x")], [summary("b")]], [summary("ab"), sealed("x")]),
    "interleaved": ([[text("a"), text("x", 1)], [text("b")], [text("y", 1)]], [text("ab"), text("xy", 1)]),
    "encrypted entries are whole": ([[sealed("x")], [sealed("y")]], [sealed("x"), sealed("y")]),
    "encrypted slices have an id": ([[sealed("x", id="r")], [sealed("y", id="r")]], [sealed("xy", id="r")]),
    "another id is another entry": (
        [[summary("a", id="1")], [summary("b", id="2")]], [summary("a", id="1"), summary("b", id="2")],
    ),
    "server tools are whole": ([[SEARCH], [SEARCH]], [SEARCH, SEARCH]),
    "without an index the last entry goes on": (
        [[text("a", None)], [text("b", None)], [summary("s", None)], [text("c", None)]],
        [text("ab", None), summary("s", None), text("c", None)],
    ),
    "words are joined": ([[text(word, format="unknown")] for word in "abcd"], [text("abcd", format="unknown")]),
    "words, a null and words": ([[text("a")], [text("b")], [text(None)], [text("c")], [text("d")]], [text("abcd")]),
    "words of two entries, in turn": (
        [[text("a")], [text("b")], [text("x", 1)], [text("y", 1)], [text("c")], [text("d")]],
        [text("abcd"), text("xy", 1)],
    ),
    "words after a signature": (
        [[text("a")], [text("b")], [text(signature="s")], [text("c")], [text("d")]],
        [text("ab", signature="s"), text("cd")],
    ),
    "signed words are blocks": ([[text("a", signature="s")]] * 3, [text("a", signature="s")] * 3),
    "words beside a summary": ([[text("a", summary="s")]] * 3, [text("aaa", summary="sss")]),
    "words of an encrypted entry": ([[sealed("x", text="a")]] * 2, [sealed("x", text="a")] * 2),
    "an empty list is kept": ([[]], []),
    "an empty list among others": ([[], [text("a")], []], [text("a")]),
    "what is no entry": ([[None, "x", text("a")]], [text("a")]),
}  # fmt: skip


@pytest.mark.parametrize(("deltas", "details"), DETAILS.values(), ids=DETAILS.keys())
def test_reasoning_details(deltas: list[list[dict[str, Any]]], details: list[dict[str, Any]]) -> None:
    assert added_up(*deltas) == details


@pytest.mark.parametrize(("deltas", "details"), DETAILS.values(), ids=DETAILS.keys())
def test_entries_can_be_read_at_any_moment(deltas: list[list[dict[str, Any]]], details: list[dict[str, Any]]) -> None:
    added = ReasoningDetails()
    for pieces in deltas:
        added.add(pieces)
        added.entries()
    assert added.entries() == details


def test_entries_are_part_of_the_message() -> None:
    assembly = Assembly()
    for word in ("a", "b"):
        assembly.add({}, cast("Any", {"delta": {"reasoning_details": [text(word)]}}))
    assert cast("Any", assembly.reply())["choices"][0]["message"]["reasoning_details"] == [text("ab")]


@pytest.mark.parametrize("odd", [None, "x", {}])
def test_without_details_there_is_no_empty_list(odd: Any) -> None:
    assembly = Assembly()
    assembly.add({}, cast("Any", {"delta": {"reasoning": "a", "reasoning_details": odd}}))
    assert "reasoning_details" not in cast("Any", assembly.reply())["choices"][0]["message"]


def test_chunks_are_not_modified() -> None:
    first, second = text("a"), text("b")
    assert added_up([first], [second]) == [text("ab")]
    assert (first, second) == (text("a"), text("b"))


PIECES = st.fixed_dictionaries(
    {"type": st.sampled_from(["reasoning.text", "reasoning.summary", "reasoning.encrypted"])},
    optional={
        "text": st.sampled_from(["a", "b", "", None]),
        "summary": st.sampled_from(["s", None]),
        "data": st.sampled_from(["d", None]),
        "index": st.sampled_from([0, 1, None]),
        "id": st.sampled_from(["1", "2", None]),
        "signature": st.sampled_from(["sig", "", None]),
    },
)


@given(pieces=st.lists(PIECES, max_size=8))
def test_joining_later_equals_joining_each_fragment(pieces: list[dict[str, Any]]) -> None:
    """A piece with a field that nobody knows, each time another, takes the longer way."""
    plainly = added_up(*([{**piece, "number": number}] for number, piece in enumerate(pieces)))
    assert added_up(*([piece] for piece in pieces)) == [
        {key: value for key, value in entry.items() if key != "number"} for entry in plainly
    ]
