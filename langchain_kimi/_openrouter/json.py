"""Encode and decode JSON: one fast strict codec for the wire, and one decoder for each degree of tolerance.

| function | raw control characters in strings | repeated keys | `NaN`, `Infinity`, `1e999` |
| --- | --- | --- | --- |
| `Codec.parse` | refused | the last value | refused |
| `parse_strict` | refused | the last value | constants refused |
| `parse_lenient` | accepted | the last value | accepted |
| `MULTILINE_DECODER` | accepted | the last value | accepted, integers of over 4300 digits refused |
| `parse_unambiguous` | accepted | refused if the values differ | refused |
"""

import json
import math
from collections.abc import Collection, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NoReturn

from langchain_kimi._openrouter.limits import MAX_DEPTH, MAX_JSON_DEPTH, brackets, has_more_levels, is_too_deep

MAX_DIGITS = 300
"""The number of digits up to which every integer is smaller than the largest float."""
LARGEST_INTEGER = 2**53
"""All JSON encoders write integers up to this one in the same way."""
COMPACT_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
"""Writes compact JSON without escapes for characters outside of ASCII. NaN and infinities are a `ValueError`."""
_TOO_DEEP = "nested too deeply"


class Codec:
    """Read and write JSON.

    Args:
        fast: The module `orjson`, or None to use the standard library.
    """

    def __init__(self, fast: Any) -> None:
        self._loads = fast.loads if fast else _loads_as_orjson
        self._dumps = fast.dumps if fast else None
        self._fragment = getattr(fast, "Fragment", None)

    def parse(self, text: bytes, levels: int = MAX_DEPTH) -> Any:
        """Return the value of strict JSON, or None if the text is not strict JSON or may have more levels."""
        # Counting takes a third of the time of parsing, and the deltas of most streams are too short to be too deep.
        if len(text) > levels and text.count(b"{") + text.count(b"[") > levels:
            return None
        try:
            return self._loads(text)
        except ValueError:
            return None

    def plain_text(self, value: Any) -> str | None:
        """Return a plain value (see `is_plain`) as compact JSON text, or None if it has to be encoded otherwise.

        For small values it takes a third of the time of `COMPACT_ENCODER`, which writes the same text.
        """
        if not (self._dumps and is_plain(value)):
            return None
        try:
            text: str = self._dumps(value).decode()
        except TypeError:
            # A lone surrogate, for example.
            return None
        return text

    def encode_object(self, parts: Mapping[str, Any], plain: Collection[str] = ()) -> bytes:
        """Return an object whose values are encoded as `encode` does, in one pass where possible.

        A long conversation is about a megabyte, and each copy of it is measurable.

        Args:
            parts: The values by key.
            plain: The keys whose values are certainly plain in the sense of `is_plain`, and are not checked.

        Raises:
            ValueError, TypeError, RecursionError: See `encode`.
        """
        if self._dumps and self._fragment:
            try:
                encoded: bytes = self._dumps(
                    {
                        key: value if key in plain or is_plain(value) else self._fragment(_encode_slowly(value))
                        for key, value in parts.items()
                    }
                )
            except TypeError:
                # orjson refuses lone surrogates, which `encode` replaces.
                return self._joined(parts)
            return encoded
        return self._joined(parts)

    def _joined(self, parts: Mapping[str, Any]) -> bytes:
        """Return an object whose values are encoded one by one."""
        pairs = (self.encode(key) + b":" + self.encode(value) for key, value in parts.items())
        return b"{" + b",".join(pairs) + b"}"

    def encode(self, value: Any) -> bytes:
        """Return a value as compact JSON, keys in their order; the bytes do not depend on whether orjson is installed.

        A lone surrogate, which a truncated reply may end with, becomes U+FFFD; a surrogate pair becomes its character.

        Raises:
            ValueError: The value contains NaN, an infinity or itself.
            TypeError: The value contains an object that JSON cannot represent.
            RecursionError: The value is nested more than `MAX_JSON_DEPTH` levels deep.
        """
        if self._dumps and is_plain(value):
            try:
                encoded: bytes = self._dumps(value)
            except TypeError:
                # A lone surrogate, for example.
                return _encode_slowly(value)
            return encoded
        return _encode_slowly(value)


def _loads_as_orjson(text: bytes) -> Any:
    """Return the value of strict JSON in UTF-8.

    Raises:
        ValueError: The text is not UTF-8 or not strict JSON, or contains a number that is too large for a float.
    """
    return _FINITE_DECODER.decode(text.decode())


def _encode_slowly(value: Any) -> bytes:
    text = COMPACT_ENCODER.encode(value)
    if is_too_deep(value, text, MAX_JSON_DEPTH):
        raise RecursionError(_TOO_DEEP)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def is_plain(value: Any, levels: int = MAX_DEPTH) -> bool:
    """Return whether a value consists of str, small int, bool, None, list and dict only, not of their subclasses."""
    value_type = type(value)
    if value_type is dict:
        return _has_plain_items(value, levels - 1)
    if value_type is list:
        for item in value:
            # A conversation is a list of up to a thousand dicts: one call less for each is measurable.
            if not (_has_plain_items(item, levels - 2) if type(item) is dict else is_plain(item, levels - 1)):
                return False
        return levels > 0
    if value_type is int:
        return bool(-LARGEST_INTEGER <= value <= LARGEST_INTEGER)
    return value_type is str or value_type is bool or value is None


def _has_plain_items(value: dict[Any, Any], levels: int) -> bool:
    if levels < 0:
        return False
    for key, item in value.items():
        if type(key) is not str:
            return False
        # Most values are strings, and a conversation has thousands of them.
        if type(item) is not str and not is_plain(item, levels):
            return False
    return True


JSON = Codec(import_module("orjson") if find_spec("orjson") else None)


def distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of these pairs; the `object_pairs_hook` of a JSON parser.

    JSON does not define which of two values a repeated key has, and parsers differ.

    Raises:
        ValueError: A key has two different values.
    """
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    for key, value in pairs:
        if result[key] != value:
            raise ValueError(f"the key {key!r} has two different values")
    return result


def finite(digits: str) -> float:
    """Return the number; the `parse_float` of a JSON parser.

    Raises:
        ValueError: The number is too large for a float, which would be infinite.
    """
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is too large a number")
    return number


def no_constant(name: str) -> NoReturn:
    """Refuse `NaN`, `Infinity` and `-Infinity`; the `parse_constant` of a JSON parser.

    Raises:
        ValueError: Always.
    """
    raise ValueError(f"{name} is not JSON")


def bounded_integer(digits: str) -> int | float:
    """Return the integer, or an infinity if it is beyond every float; the `parse_int` of a JSON parser.

    Python refuses to parse integers of more than 4300 digits, and `float` and `math.isfinite` raise for those beyond
    1e308. No meaningful value is that large; as an infinity, it is treated like `1e999`.
    """
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


class Decoder(json.JSONDecoder):
    """A parser of JSON that has the same limit of depth on every version of Python."""

    def raw_decode(self, s: str, idx: int = 0) -> tuple[Any, int]:
        """Return the value that begins at an index, and the index of its end; `decode` calls this method.

        Raises:
            ValueError: No JSON begins there.
            RecursionError: The value is nested more than `MAX_JSON_DEPTH` levels deep.
        """
        value, end = super().raw_decode(s, idx)
        if brackets(s, idx, end) > MAX_JSON_DEPTH and has_more_levels(value, MAX_JSON_DEPTH):
            raise RecursionError(_TOO_DEEP)
        return value, end


STRICT_DECODER = Decoder(parse_constant=no_constant)
"""JSON as its standard defines it."""
_FINITE_DECODER = Decoder(parse_constant=no_constant, parse_float=finite)
LENIENT_DECODER = Decoder(strict=False, parse_int=bounded_integer)
"""Also accepts raw line breaks and tabs inside strings, as hosts send them (MoonshotAI/kimi-cli#1378)."""
MULTILINE_DECODER = Decoder(strict=False)
"""Also accepts raw line breaks and tabs inside strings; numbers are those of Python's parser. For arguments of calls:
their numbers are passed on as text, and arguments with a number that Python refuses to parse are invalid."""
UNAMBIGUOUS_DECODER = Decoder(
    strict=False, parse_constant=no_constant, parse_float=finite, object_pairs_hook=distinct_keys
)
"""Lenient, but refuses text that two parsers would read differently."""


def parse_strict(text: str) -> Any:
    """Return the value of a text that is JSON as its standard defines it.

    Raises:
        ValueError: The text is not JSON, or is nested more than `MAX_JSON_DEPTH` levels deep.
    """
    return _parse(STRICT_DECODER, text)


def parse_lenient(text: str) -> Any:
    """Return the value of a text that is JSON, with raw control characters inside strings.

    Raises:
        ValueError: The text is not JSON, or is nested more than `MAX_JSON_DEPTH` levels deep.
    """
    return _parse(LENIENT_DECODER, text)


def parse_unambiguous(text: str) -> Any:
    """Return the value of a text that is JSON and that every parser reads in the same way.

    Raises:
        ValueError: The text is not JSON, repeats a key with another value, contains a number that is not finite, or is
            nested too deeply for Python's parser.
    """
    return _parse(UNAMBIGUOUS_DECODER, text)


def _parse(decoder: json.JSONDecoder, text: str) -> Any:
    try:
        return decoder.decode(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
