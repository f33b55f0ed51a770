"""Tests that the work on adversarial texts grows linearly with their length."""

import sys
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_kimi._kimi.markup.scanner import MarkupScanner
from langchain_kimi._kimi.tools import OfferedTools
from tests.growth import assert_linear
from tests.kimi.corpus.calls import ONE
from tests.kimi.corpus.cases import ARGUMENTS, CALL, CALL_END, SECTION, SECTION_END, markup
from tests.kimi.corpus.tags import CALL as TAG_CALL
from tests.kimi.corpus.tags import ONE as TAG_ONE
from tests.kimi.corpus.tags import closed, opened

TOOLS = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("f", "get_weather")]
OFFERED = OfferedTools({"tools": TOOLS})
ID = "functions.f:0"
VALUE = opened("argument", key="city", type="string")

SHAPES: dict[str, Callable[[int], str]] = {
    "bare calls": lambda n: " functions.f:0 {" * n,
    "bare calls in strings": lambda n: ' functions.f:0{"a": "' * n,
    "bare calls with keys": lambda n: ' functions.f:0{"' * n,
    "bare calls in lists": lambda n: ' functions.f:0{"a": [' * n,
    "bare calls with escapes": lambda n: ' functions.f:0{"a\\" ' * n,
    "digits of a bare call": lambda n: " functions.f:" + "1" * (8 * n),
    "blanks of a bare call": lambda n: " functions.f:1" + " " * (8 * n),
    "whole bare calls": lambda n: " functions.f:0{} x" * n,
    "names": lambda n: "functions." * n,
    "quotation marks between markers": lambda n: (CALL_END + '"' * 6) * n,
    "tags between markers": lambda n: (CALL_END + "<pre>") * n,
    "a long line in a code block": lambda n: "```\n" + ("a" + CALL) * 8 * n,
    "a long name": lambda n: "functions." + "f" * (8 * n),
    "beginnings of calls": lambda n: CALL * n,
    "an id of blanks": lambda n: CALL + " " * (8 * n),
    "an id of colons": lambda n: CALL + "f: " * (4 * n),
    "ids of blanks": lambda n: (CALL + " " * 20) * n,
    "distinct calls": lambda n: "".join(markup(f"functions.f:{number}", f'{{"a": {number}}}') for number in range(n)),
    "calls with text between": lambda n: f"{ONE}x " * n,
    "calls with backticks between": lambda n: f"{ONE}`" * n,
    "calls with quotation marks between": lambda n: f'{ONE}"' * n,
    "strings that are not closed": lambda n: f'{CALL}{ID}{ARGUMENTS}{{"a": "b{CALL_END}' * n,
    "strings with a marker": lambda n: f'{CALL}{ID}{ARGUMENTS}{{"' * n,
    "objects that are not closed": lambda n: f"{CALL}{ID}{ARGUMENTS}{{" * n,
    "arguments that are not JSON": lambda n: f"{CALL}{ID}{ARGUMENTS}{{b}} c " + "d " * (8 * n),
    "arguments in brackets": lambda n: f"{CALL}{ID}{ARGUMENTS}" + '{"a":[' * n,
    "blanks after arguments": lambda n: f"{CALL}{ID}{ARGUMENTS}{{}}" + " " * (16 * n),
    "blanks after long arguments": lambda n: f'{CALL}{ID}{ARGUMENTS}{{"a": "{"b" * 8 * n}"}}' + " " * (8 * n),
    "sections": lambda n: f"{SECTION} a " * n,
    "section and blanks": lambda n: SECTION + "\n" * (16 * n),
    "empty sections": lambda n: f"{SECTION}{SECTION_END}" * n,
    "beginnings of markers": lambda n: "<|" * (4 * n),
    "less-than signs": lambda n: "<" * (16 * n),
    "partial markers": lambda n: "<|tool_" * n,
    "backticks": lambda n: "`" * (16 * n) + ONE,
    "backticks and markers": lambda n: f"`{CALL}" * n,
    "quotation marks": lambda n: '"' * (16 * n) + ONE,
    "quotation marks and markers": lambda n: f'"{CALL}' * n,
    "markers in one line": lambda n: f"a {CALL} b" * n,
    "lines": lambda n: f"> {CALL}\n" * n,
    "list marks": lambda n: "- " * (8 * n) + f"\n{ONE}",
    "comments": lambda n: f"<!-- {CALL} " * n,
    "triple quotation marks": lambda n: f'"""{CALL}' * n,
    "verbatim": lambda n: f"\\verb|{CALL}" * n,
    "parentheses": lambda n: f"({CALL}" * n,
    "K3, opening tags": lambda n: "<|open|>" * (2 * n),
    "K3, partial tags": lambda n: "<|open|>call " * n,
    "K3, attributes": lambda n: "<|open|>call " + 'a="b" ' * (4 * n),
    "K3, calls without ends": lambda n: TAG_CALL * n,
    "K3, values without ends": lambda n: (TAG_CALL + VALUE) * n,
    "K3, a long value": lambda n: TAG_CALL + VALUE + "<|close|> a " * n,
    "K3, many arguments": lambda n: TAG_CALL + (VALUE + "a" + closed("argument")) * n,
    "K3, calls": lambda n: TAG_ONE * n,
    "K3, calls with text between": lambda n: f"{TAG_ONE}x " * n,
    "K3, stray tags": lambda n: f"a{closed('message')}" * n,
    "K3, tags in a sentence": lambda n: f"a {closed('message')} b " * n,
    "K3, sections": lambda n: f"{opened('tools')} a " * n,
    "K3, blanks": lambda n: opened("tools") + " " * (16 * n),
    "K3, separators": lambda n: "<|sep|>" * n,
    "K3, ends": lambda n: (TAG_ONE + "<|sep|>") * n,
}


pytestmark = pytest.mark.uncovered


def scan(pieces: list[str]) -> None:
    scanner = MarkupScanner(OFFERED)
    for piece in pieces:
        scanner.feed(piece)
    scanner.close(clean=True)


def in_pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def steps(text: str, size: int) -> int:
    """Return the number of lines that Python executes for a text in pieces of this size."""
    pieces = in_pieces(text, size)
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        scan(pieces)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("size", [7, 1_000_000], ids=["in pieces", "whole"])
@pytest.mark.parametrize("shape", SHAPES)
def test_steps_grow_linearly(shape: str, size: int) -> None:
    short, long = (steps(SHAPES[shape](count), size) for count in (15, 60))
    assert long < 5 * short + 1500


@pytest.mark.parametrize("shape", SHAPES)
def test_time_grows_linearly(shape: str) -> None:
    assert_linear(lambda count: scan([SHAPES[shape](count)]), 100)


IN_PIECES = ["blanks after long arguments", "arguments that are not JSON", "K3, a long value", "beginnings of calls"]


@pytest.mark.parametrize("shape", IN_PIECES)
def test_time_grows_linearly_in_pieces(shape: str) -> None:
    assert_linear(lambda count: scan(in_pieces(SHAPES[shape](count), 7)), 100)


ALPHABET = [
    CALL, CALL_END, ARGUMENTS, SECTION, SECTION_END, ID, " functions.f:0 ", "{", "}", '"', "\\", "[", ":", ",", " ",
    "\n", "a", "`", "<", "<|", "|>", "<|open|>", "<|close|>", "<|sep|>", TAG_CALL, VALUE, closed("argument"),
    closed("call"), "(", ")",
    "<!--", "-->", '"""', "/*", "#",
]  # fmt: skip


@given(st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=6))
def test_repetitions_take_linear_steps(unit: list[str]) -> None:
    text = "".join(unit)
    for size, prefix in product((5, 1_000_000), ("", CALL + ID + ARGUMENTS)):
        short, long = (steps(prefix + text * count, size) for count in (10, 40))
        assert long < 5 * short + 1500, text
