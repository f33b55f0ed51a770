"""The repairs of a response take time in proportion to its length, in every part of it that a model writes."""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tests.adversarial import PIECES, WORST, pieces_of, repeated
from tests.growth import assert_linear
from tests.kimi.test_growth import calls, whole

pytestmark = pytest.mark.uncovered


def call(name: str, call_id: str = "x", arguments: str = "{}") -> list[Any]:
    return [{"tool_calls": [{"index": 0, "id": call_id, "function": {"name": name, "arguments": arguments}}]}]


PARTS: dict[str, Callable[[str], list[Any]]] = {
    "text": lambda text: [{"content": text}],
    "streamed text": lambda text: [{"content": piece} for piece in pieces_of(text, 8)],
    "reasoning": lambda text: [{"reasoning": text}],
    "streamed reasoning": lambda text: [{"reasoning": piece} for piece in pieces_of(text, 8)],
    "arguments": lambda text: calls([text]),
    "streamed arguments": lambda text: calls(pieces_of(text, 8)),
    "name": call,
    "name after a name": lambda text: call(f"f{text}"),
    "id": lambda text: call("f", text),
    "id without a name": lambda text: call("", text),
}


def repair_all(text: str) -> None:
    for deltas_of in PARTS.values():
        whole(deltas_of(text))


@pytest.mark.parametrize("piece", WORST, ids=repr)
def test_every_part_is_repaired_in_linear_time(piece: str) -> None:
    assert_linear(lambda size: repair_all(repeated(piece, size)), 250)


def test_parentheses_in_a_name_are_repaired_in_linear_time() -> None:
    assert_linear(lambda size: whole(PARTS["name after a name"](repeated("(", size))))


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: repr(piece)[:60])
def test_each_part_is_repaired_in_linear_time(part: str, piece: str) -> None:
    assert_linear(lambda size: whole(PARTS[part](repeated(piece, size))))


@pytest.mark.long
@given(start=st.sampled_from(["", *PIECES]), pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=4))
def test_no_combination_takes_more_than_linear_time(start: str, pieces: list[str]) -> None:
    assert_linear(lambda size: repair_all(start + repeated("".join(pieces), size)), 250)
