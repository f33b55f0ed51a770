"""The repairs of a response take time in proportion to its length, whatever the arguments and texts are.

The time for twice the input is at most 2.6 times as long. Quadratic work takes four times as long.
"""

from collections.abc import Callable
from typing import Any

import pytest

from langchain_kimi._kimi.incoming import Repairer
from langchain_kimi._openrouter.wire import WireBody
from tests.growth import assert_linear

pytestmark = pytest.mark.uncovered

ITEMS = {"type": "object", "properties": {"a": {"type": "string"}, "items": {"type": "array"}}}
BODY: WireBody = {
    "model": "moonshotai/kimi-k2-thinking",
    "messages": [],
    "tools": [{"type": "function", "function": {"name": name, "parameters": ITEMS}} for name in ("f", "g")],
}
SIZE = 500

ARGUMENTS: dict[str, Callable[[int], str]] = {
    "an object repeated": lambda n: '{"a":"Oslo"}' * (n // 12),
    "nested arrays": lambda n: "[1.5," * (n // 5),
    "arrays in an object": lambda n: '{"items":' + "[1.5," * (n // 5),
    "nested objects": lambda n: '{"a":' * (n // 5),
    "an escaped object": lambda n: r"{\"items\": [" + r"{\"a\": 1}, " * (n // 12) + "]}",
    "white space after the object": lambda n: '{"a":"x"}' + " " * n + "x",
    "markers after the object": lambda n: '{"a":"x"}' + "<|tool_call_end|>" * (n // 17) + "x",
    "white space before": lambda n: " " * n + "{}",
    "angle brackets": lambda n: "<" * n,
    "beginnings of markers": lambda n: "<|" * (n // 2),
    "backticks": lambda n: "```json\n" + "``" * (n // 2),
    "quotation marks": lambda n: '"' * n,
    "backslashes": lambda n: '"' + "\\" * n,
    "backslashes in an object": lambda n: '{"a": "' + "\\" * n,
    "a string with brackets": lambda n: '{"items":"' + "[1," * (n // 3),
    "strings with brackets": lambda n: '{"items":["' + '[1]","' * (n // 6),
    "many keys": lambda n: "{" + "".join(f'"k{number}":1,' for number in range(n // 8)),
    "closing brackets": lambda n: '{"a":1}' + "}" * n,
}
TEXTS: dict[str, Callable[[int], str]] = {
    "closing tags": lambda n: "</think>" * (n // 8),
    "opening tags": lambda n: "<think>" * (n // 7),
    "beginnings of closing tags": lambda n: "</think " * (n // 8),
    "a thought without an end": lambda n: "<think>" + "a " * (n // 2),
    "white space": lambda n: " " * n,
    "a thought of white space": lambda n: "<think>a" + " " * n,
}


def split(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def calls(pieces: list[str]) -> list[Any]:
    first = {"index": 0, "id": "x", "function": {"name": "f", "arguments": ""}}
    return [
        {"tool_calls": [first]},
        *({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces),
    ]


def whole(deltas: list[Any]) -> None:
    repairer = Repairer(BODY)
    for delta in deltas:
        repairer.feed({"index": 0, "delta": delta})
    repairer.feed({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
    assert list(repairer.close()) is not None


def check_growth(deltas_of: Callable[[int], list[Any]], size: int = SIZE) -> None:
    # The deltas are made before the measurement.
    made: dict[int, list[Any]] = {}
    assert_linear(lambda n: whole(made[n] if n in made else made.setdefault(n, deltas_of(n))), size)


@pytest.mark.parametrize("shape", ARGUMENTS)
def test_arguments_in_one_delta_take_linear_time(shape: str) -> None:
    check_growth(lambda n: calls([ARGUMENTS[shape](n)]))


@pytest.mark.parametrize("shape", ARGUMENTS)
def test_streamed_arguments_take_linear_time(shape: str) -> None:
    check_growth(lambda n: calls(split(ARGUMENTS[shape](n), 8)))


@pytest.mark.parametrize("shape", TEXTS)
def test_texts_take_linear_time(shape: str) -> None:
    check_growth(lambda n: [{"content": piece} for piece in split(TEXTS[shape](n), 8)])
    check_growth(lambda n: [{"content": TEXTS[shape](n)}])


def entry(number: int, **parts: Any) -> Any:
    return {
        "tool_calls": [{"index": number, "id": f"id{number}", "function": {"name": "f", "arguments": "{}"}, **parts}]
    }


MANY: dict[str, Callable[[int], Any]] = {
    "many calls": entry,
    "many calls without an index": lambda number: entry(number, index=None),
    "many calls with one id": lambda number: entry(
        number, id="f:0", function={"name": "f", "arguments": f'{{"a":{number}}}'}
    ),
    "one call many times": lambda number: entry(number, id="f:0"),
    "id and name in every delta": lambda number: entry(
        0, id="f:0", function={"name": "f", "arguments": '{"a":"' if number == 0 else "}"}
    ),
    "all arguments so far": lambda number: entry(0, function={"arguments": "{" * (number + 1)}) if number < 40 else {},
    "one id without names": lambda number: entry(number % 7, id="f:0", function={"arguments": "}"}),
}


@pytest.mark.parametrize("shape", MANY)
def test_many_deltas_take_linear_time(shape: str) -> None:
    check_growth(lambda n: [MANY[shape](number) for number in range(n)], 50)


@pytest.mark.parametrize("shape", MANY)
def test_many_calls_in_one_delta_take_linear_time(shape: str) -> None:
    check_growth(
        lambda n: [{"tool_calls": [call for number in range(n) for call in MANY[shape](number).get("tool_calls", ())]}],
        50,
    )
