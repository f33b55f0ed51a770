"""Read the single JSON value in a model's text: the whole text, in a code fence, or surrounded by prose.

Values are neither completed nor guessed: a truncated value, two different values, a value inside an invalid one, a key
with two different values, and numbers that JSON does not have are refused, unless the extra `json5` is installed and
accepts the text. Reasoning in the text before the answer (`<think>`) is skipped.
"""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from pydantic_core import from_json

from langchain_kimi._openrouter.json import UNAMBIGUOUS_DECODER, distinct_keys, finite

MAX_JSON5_LENGTH = 100_000
"""The maximum length in characters of a text that is read as JSON5. `json5` takes about a second for this length."""

# JSON5 reads `\d` as `d`, which changes a path or a formula whose backslashes were not doubled.
_LOST_BACKSLASH = re.compile(r"\\(?P<lost>[^\"'\\/bfnrtu\r\n\u2028\u2029])|\\.", re.DOTALL)
_FENCED = re.compile(r"\s*```[\w-]*[ \t]*\r?\n(.*?)\n?\s*```\s*", re.DOTALL)


def read_json5(text: str) -> Any:
    """Return the value of a text that is JSON5, which may be in a code fence.

    Raises:
        ValueError: The text is not JSON5, or the library is not installed.
    """
    text = text.strip().removeprefix("\ufeff")
    if len(text) > MAX_JSON5_LENGTH:
        raise ValueError("too long for json5, which is slow")
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


# A byte order mark, whitespace, and a fence with its language, or the part of Kimi's markup before a call's arguments.
_OPENING = re.compile(
    r"[\s\ufeff]*(?:```[\w-]*[ \t]*\r?\n"
    r"|(?:<\|tool_calls_section_begin\|>\s*)?<\|tool_call_begin\|>\s*functions\.[\w.-]+:\d+\s*<\|tool_call_argument_begin\|>"
    r")?[\s\ufeff]*"
)
_REASONING, _REASONING_END = re.compile(r"\s*<think>"), "</think>"
_CLOSING = re.compile(r"\s*(?:```\s*)?")
# A number at the very end, to which more digits may be added; a number longer than `_TAIL` is not shown early.
_OPEN_NUMBER = re.compile(r"(?<=[:\[,\s])-?\d[-+.\deE]*\Z")
_TAIL = 64
_FIRST_HALVES = "".join(map(chr, range(0xD800, 0xDC00)))
# A string that does not end reaches to the end of the text, so that no later quote is tried.
_STRING = r'"(?:[^"\\]|\\.)*+(?:"|(?P<open>\Z|\\\Z))'
_CONSTANT = re.compile(_STRING + r"|(?P<constant>-?Infinity|NaN)", re.DOTALL)
# In prose, a quote may be an apostrophe or a unit, and the braces after it count. Each pair of braces is read on its
# own, so a string in it has a limit.
_BRACE = re.compile(r'"(?:[^"\\]|\\.){0,1000}+"|(?P<open>")|(?P<brace>[{}])', re.DOTALL)
_BARE_BRACE = re.compile(r"(?P<brace>[{}])")
_VALUE_START = re.compile(r"[{\[]")
# The start of JSON, as opposed to brackets in prose such as `{name}`, `[link](url)` or `[3]`.
_JSON_START = re.compile(r'\{\s*"|\[\s*(?:["{\[]|-?\d+\s*,|(?:true|false|null)\b)')
_MAX_PROSE_BRACKETS = 1000
_MAX_READ_AGAIN = 4
"""The number of times that the whole text may be read in attempts to read values that fail."""


class NotJSONError(ValueError):
    """A text does not contain exactly one JSON value.

    Attributes:
        position: The index of the character at which reading failed.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class _RefusedError(NotJSONError):
    """A value is JSON, but it is nested too deeply, contains too large a number, or is ambiguous.

    The values inside it are not tried.
    """


def read_json(text: str, *, wants_object: bool) -> Any:
    """Return the single JSON value in a text.

    Raw control characters inside strings are accepted. An object that was sent as a JSON string is decoded once.

    Args:
        text: A whole reply, or the arguments of a call.
        wants_object: Whether an object is expected. Then lists in the prose around it (`[1]`) are ignored.

    Raises:
        NotJSONError: There is no value, an invalid one, two different ones, or one with NaN or Infinity. If the extra
            `json5` is installed, a text that is JSON5 is accepted too.
    """
    start = _answer_start(text)
    if start is None:
        raise NotJSONError("reasoning without an answer", len(text))
    try:
        return _read_strictly(text, start, wants_object=wants_object)
    except NotJSONError as error:
        try:
            value = read_json5(text[start:])
        except ValueError:
            raise error from None
        if wants_object and not _contains_object(value):
            raise
        return value


def _read_strictly(text: str, begin: int, *, wants_object: bool) -> Any:
    """Return the single JSON value in a text, without JSON5."""
    start = _end_of(_OPENING, text, begin)
    try:
        value, end = _decode(text, start)
    except NotJSONError as error:
        return _value_in_prose(text, begin, error, wants_object=wants_object)
    if _end_of(_CLOSING, text, end) < len(text):
        return _value_in_prose(text, begin, NotJSONError("text after a value", end), wants_object=wants_object)
    if wants_object and isinstance(value, str):
        return _unpacked(value)
    return value


def _answer_start(text: str) -> int | None:
    """Return the index at which the answer begins; None if the reasoning before it does not end.

    The opening tag may be missing: the templates of some hosts put it into the prompt.
    """
    end = text.find(_REASONING_END)
    if _REASONING.match(text):
        return end + len(_REASONING_END) if end >= 0 else None
    begins_with_value = _VALUE_START.match(text, _end_of(_OPENING, text, 0))
    return 0 if begins_with_value or end < 0 else end + len(_REASONING_END)


def read_partial_json(text: str) -> Any:
    """Return the part of a value that has been streamed so far; None if nothing can be shown yet.

    Only a text that begins with the value, its fence or its markup is read, because after prose another value may
    follow.
    """
    begin = _answer_start(text)
    start = _end_of(_OPENING, text, begin or 0)
    if begin is None or not _VALUE_START.match(text, start):
        return None
    number = _OPEN_NUMBER.search(text, max(start, len(text) - _TAIL))
    part = text[start : number.start() if number else None]
    try:
        return _partial(part)
    except TypeError:
        # Half of a surrogate pair, which cannot be encoded. The other half may be in the next delta.
        return _partial(part.rstrip(_FIRST_HALVES).encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _partial(text: str) -> Any:
    try:
        return from_json(text, allow_inf_nan=False, allow_partial="trailing-strings")
    except ValueError:
        return None


def _unpacked(text: str) -> Any:
    try:
        value, end = _decode(text, _end_of(_OPENING, text, 0))
    except NotJSONError:
        return text
    return value if _end_of(_CLOSING, text, end) == len(text) else text


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def _value_in_prose(text: str, start: int, first_error: NotJSONError, *, wants_object: bool) -> Any:
    """Return the single JSON value among the prose of a text."""
    values = _values(text, start)
    candidates = [(value, position) for value, position in values if not wants_object or _contains_object(value)]
    if not candidates:
        raise first_error
    value = candidates[0][0]
    for other, position in candidates[1:]:
        if other != value:
            raise NotJSONError("a second, different value", position)
    return value


def _contains_object(value: Any) -> bool:
    """Return whether a value is an object, or a list with an object in it."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))


def _values(text: str, position: int) -> Iterator[tuple[Any, int]]:
    """Yield each outermost value and its index. Brackets and braces of the prose are skipped, up to a limit.

    Raises:
        NotJSONError: A value begins like JSON and is invalid, or the limit is reached.
    """
    skipped = read = 0
    while match := _VALUE_START.search(text, position):
        start = match.start()
        try:
            value, position = _decode(text, start)
        except NotJSONError as error:
            skipped, read = skipped + 1, read + error.position - start
            is_json = isinstance(error, _RefusedError) or _JSON_START.match(text, start)
            is_over = error.position >= len(text) or skipped > _MAX_PROSE_BRACKETS
            if is_json or is_over or read > _MAX_READ_AGAIN * len(text):
                raise
            position = _after_braces(text, start) if text[start] == "{" else start + 1
        else:
            yield value, start


def _after_braces(text: str, start: int) -> int:
    """Return the index after a pair of braces in the prose, such as `{name}`; the text's length if it is not closed."""
    depth = 0
    for match in _braces(text, start):
        depth += 1 if match["brace"] == "{" else -1
        if not depth:
            return match.end()
    return len(text)


def _braces(text: str, start: int) -> Iterator[re.Match[str]]:
    """Yield the braces outside strings. After a quote that begins no short string, all braces are yielded."""
    for match in _BRACE.finditer(text, start):
        if match["open"]:
            yield from _BARE_BRACE.finditer(text, match.start())
            return
        if match["brace"]:
            yield match


def _decode(text: str, start: int) -> tuple[Any, int]:
    """Return the JSON value at an index, and the index after it."""
    try:
        return UNAMBIGUOUS_DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise NotJSONError(error.msg, error.pos) from None
    except RecursionError:
        raise _RefusedError("nested too deeply", start) from None
    except ValueError as error:
        named = str(error).removesuffix(" is not JSON")
        if named == str(error):
            raise _RefusedError(named, start) from None
        constants = (match.start() for match in _CONSTANT.finditer(text, start) if match["constant"] == named)
        raise NotJSONError(str(error), next(constants, start)) from None
