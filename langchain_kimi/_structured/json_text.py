"""The one JSON value in a model's text: whole, fenced, or with words around it.

Nothing is completed and nothing is guessed: a value that breaks off, two different values, a value inside a broken
one, a key with two different values, and numbers that JSON does not have are all refused (but see
`structured_lenient`). What a model thought aloud before its answer (`<think>`) is not read.
"""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from pydantic_core import from_json

from langchain_kimi._openrouter.json import distinct_keys, finite

LONGEST = 100_000
"""Characters: `json5` takes about a second for them."""

# JSON5 reads `\d` as `d`: of a path or a formula whose backslashes were not doubled, another value.
_LOST_BACKSLASH = re.compile(r"\\(?P<lost>[^\"'\\/bfnrtu\r\n\u2028\u2029])|\\.", re.DOTALL)
_FENCED = re.compile(r"\s*```[\w-]*[ \t]*\r?\n(.*?)\n?\s*```\s*", re.DOTALL)


def read_json5(text: str) -> Any:
    """Return the value of a whole text, fenced or not.

    Raises:
        ValueError: the library is not installed, or the text is no JSON5 either.
    """
    text = text.strip().removeprefix("\ufeff")
    if len(text) > LONGEST:
        raise ValueError("too long for a library that is slow")
    try:
        json5 = import_module("json5")
    except ImportError as missing:
        raise ValueError("the extra json5 is not installed") from missing
    if any(escape["lost"] for escape in _LOST_BACKSLASH.finditer(text)):
        raise ValueError("a backslash before a character that needs none")
    fenced = _FENCED.fullmatch(text)
    try:
        return json5.loads(fenced.group(1) if fenced else text, parse_float=finite, object_pairs_hook=distinct_keys)
    except RecursionError as too_deep:
        raise ValueError("nested too deeply") from too_deep


# A byte order mark, whitespace, and a fence with its language, or what Kimi's markup has before a call's arguments.
_OPENING = re.compile(
    r"[\s\ufeff]*(?:```[\w-]*[ \t]*\r?\n"
    r"|(?:<\|tool_calls_section_begin\|>\s*)?<\|tool_call_begin\|>\s*functions\.[\w.-]+:\d+\s*<\|tool_call_argument_begin\|>"
    r")?[\s\ufeff]*"
)
_THOUGHT, _THOUGHT_END = re.compile(r"\s*<think>"), "</think>"
_CLOSING = re.compile(r"\s*(?:```\s*)?")
# A number at the very end, of which more digits may come; no number worth showing is longer than `_TAIL`.
_OPEN_NUMBER = re.compile(r"(?<=[:\[,\s])-?\d[-+.\deE]*\Z")
_TAIL = 64
_STRING = r'"(?:[^"\\]|\\.)*"'
_CONSTANT = re.compile(_STRING + r"|(-?Infinity|NaN)", re.DOTALL)
_BRACE = re.compile(_STRING + r"|([{}])", re.DOTALL)
_VALUE_START = re.compile(r"[{\[]")
# What is JSON and not a sentence's own braces or brackets, such as `{name}`, `[link](url)` or `[3]`.
_SURELY_JSON = re.compile(r'\{\s*"|\[\s*(?:["{\[]|-?\d+\s*,|(?:true|false|null)\b)')
# Each try at a bracket costs up to the length of the text before it.
_MOST_WORDS = 1000


class NotJSONError(ValueError):
    """There is no JSON value, or not exactly one.

    Attributes:
        position: The character at which it broke.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def read_json(text: str, *, wants_object: bool) -> Any:
    """Return the one JSON value that a text holds.

    Raw control characters inside strings are read as they are; an object that came as a JSON string is unpacked,
    once.

    Args:
        text: A whole reply, or the arguments of a call.
        wants_object: Whether an object is expected; then lists in the prose around it (`[1]`) do not count.

    Raises:
        NotJSONError: No value, a broken one, two different ones, or NaN or Infinity in it; where the extra `json5` is
            installed, and the text is nothing but one value, what JSON5 allows is read too.
    """
    start = _after_thought(text)
    if start is None:
        raise NotJSONError("a thought without an answer", len(text))
    try:
        return _read_strictly(text, start, wants_object=wants_object)
    except NotJSONError as error:
        try:
            value = read_json5(text[start:])
        except ValueError:
            raise error from None
        if wants_object and not _holds_object(value):
            raise
        return value


def _read_strictly(text: str, begin: int, *, wants_object: bool) -> Any:
    start = _end_of(_OPENING, text, begin)
    try:
        value, end = _decode(text, start)
    except NotJSONError as error:
        return _value_among_words(text, begin, error, wants_object=wants_object)
    if _end_of(_CLOSING, text, end) < len(text):
        return _value_among_words(text, begin, NotJSONError("words after a value", end), wants_object=wants_object)
    if wants_object and isinstance(value, str):
        return _unpacked(value)
    return value


def _after_thought(text: str) -> int | None:
    """Return where the answer begins; None if the thought before it does not end.

    The tag that opens a thought may be missing: some hosts' templates put it into the prompt.
    """
    end = text.find(_THOUGHT_END)
    if _THOUGHT.match(text):
        return end + len(_THOUGHT_END) if end >= 0 else None
    begins_with_value = _VALUE_START.match(text, _end_of(_OPENING, text, 0))
    return 0 if begins_with_value or end < 0 else end + len(_THOUGHT_END)


def read_partial_json(text: str) -> Any:
    """Return what is there of a value that is still coming; None when nothing can be said yet.

    Only a text that begins with the value, its fence or its markup is read: of a value after prose it is not known yet
    whether it is the only one.
    """
    begin = _after_thought(text)
    start = _end_of(_OPENING, text, begin or 0)
    if begin is None or not _VALUE_START.match(text, start):
        return None
    number = _OPEN_NUMBER.search(text, max(start, len(text) - _TAIL))
    try:
        return from_json(
            text[start : number.start() if number else None], allow_inf_nan=False, allow_partial="trailing-strings"
        )
    except ValueError:
        return None


def _unpacked(text: str) -> Any:
    try:
        value, end = _decode(text, _end_of(_OPENING, text, 0))
    except NotJSONError:
        return text
    return value if _end_of(_CLOSING, text, end) == len(text) else text


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start


def _value_among_words(text: str, start: int, first_error: NotJSONError, *, wants_object: bool) -> Any:
    found = [(value, position) for value, position in _values(text, start) if not wants_object or _holds_object(value)]
    if not found:
        raise first_error
    value = found[0][0]
    for other, position in found[1:]:
        if other != value:
            raise NotJSONError("a second, different value", position)
    return value


def _holds_object(value: Any) -> bool:
    return isinstance(value, dict) or any(isinstance(item, dict) for item in value)


def _values(text: str, position: int) -> Iterator[tuple[Any, int]]:
    """Yield each outermost value and where it begins; raise at what began as JSON and broke.

    Brackets and braces that are the words' own are passed over, though not any number of them.
    """
    words = 0
    while found := _VALUE_START.search(text, position):
        start = found.start()
        try:
            value, position = _decode(text, start)
        except NotJSONError as error:
            words += 1
            if _SURELY_JSON.match(text, start) or error.position >= len(text) or words > _MOST_WORDS:
                raise
            position = _after_braces(text, start) if text[start] == "{" else start + 1
        else:
            yield value, start


def _after_braces(text: str, start: int) -> int:
    """Return where a pair of braces in the prose, such as `{name}`, is closed, or the end of the text."""
    depth = 0
    for found in _BRACE.finditer(text, start):
        if brace := found.group(1):
            depth += 1 if brace == "{" else -1
            if not depth:
                return found.end()
    return len(text)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(
    strict=False, parse_constant=_refuse_constant, parse_float=finite, object_pairs_hook=distinct_keys
)


def _decode(text: str, start: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise NotJSONError(error.msg, error.pos) from None
    except RecursionError:
        raise NotJSONError("nested too deeply", start) from None
    except ValueError as error:
        named = str(error).removesuffix(" is no JSON")
        constants = (found.start(1) for found in _CONSTANT.finditer(text, start) if found.group(1) == named)
        raise NotJSONError(str(error), next(constants, start)) from None
