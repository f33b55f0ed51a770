"""What parsers of JSON are told to refuse: what would be read as another value than the one that was written."""

import json
import math
from collections.abc import Collection, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from langchain_kimi._openrouter.limits import DEEPEST

LARGEST_INTEGER = 2**53
"""Integers up to here are written alike by everybody."""
_WRITER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class Codec:
    """Reads and writes JSON."""

    def __init__(self, fast: Any) -> None:
        """Make one; `fast` is orjson, or None where it is missing."""
        self._loads = fast.loads if fast else json.loads
        self._dumps = fast.dumps if fast else None
        self._fragment = getattr(fast, "Fragment", None)

    def parsed(self, text: bytes) -> Any:
        """Parse usual JSON; None for what is no strict JSON, or so deeply nested that it wants a closer look."""
        if text.count(b"{") + text.count(b"[") > DEEPEST:
            return None
        try:
            return self._loads(text)
        except ValueError:
            return None

    def written_object(self, parts: Mapping[str, Any], known: Collection[str] = ()) -> bytes:
        """Write an object as `written` writes each of its parts, at once where it can.

        A long conversation is a megabyte, and each copy of it is felt.

        Args:
            parts: The parts, by their keys.
            known: Keys of parts that are known to be usual, see `is_usual`.

        Raises:
            ValueError, TypeError, RecursionError: as of `written`.
        """
        if self._dumps and self._fragment:
            with suppress(TypeError):
                # Half a character, for one, is seen to below.
                written: bytes = self._dumps(
                    {
                        key: part if key in known or is_usual(part) else self._fragment(_plainly(part))
                        for key, part in parts.items()
                    }
                )
                return written
        pairs = (self.written(key) + b":" + self.written(part) for key, part in parts.items())
        return b"{" + b",".join(pairs) + b"}"

    def written(self, value: Any) -> bytes:
        """Write a value, compact, in the order of its keys: the same bytes with orjson and without.

        Half a character, as a reply that was cut may end with, is written as U+FFFD, and two halves as the character.

        Raises:
            ValueError: it holds a number that JSON has no word for.
            TypeError: it holds an object that JSON has no word for.
            RecursionError: it is too deep.
        """
        if self._dumps and is_usual(value):
            try:
                written: bytes = self._dumps(value)
            except TypeError:
                # Half a character, for one.
                return _plainly(value)
            return written
        return _plainly(value)


def _plainly(value: Any) -> bytes:
    """Write a value in the standard library's way."""
    text = _WRITER.encode(value)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def is_usual(value: Any, levels: int = DEEPEST) -> bool:
    """Say whether a value holds nothing but texts, whole numbers, truths, lists and dicts, all of the very types."""
    kind = type(value)
    if kind is dict:
        return _has_usual_parts(value, levels - 1)
    if kind is list:
        for one in value:
            # A conversation is a list of a thousand dicts: a call less for each is felt.
            if not (_has_usual_parts(one, levels - 2) if type(one) is dict else is_usual(one, levels - 1)):
                return False
        return levels > 0
    if kind is int:
        return bool(-LARGEST_INTEGER <= value <= LARGEST_INTEGER)
    return kind is str or kind is bool or value is None


def _has_usual_parts(value: dict[Any, Any], levels: int) -> bool:
    if levels < 0:
        return False
    for key, part in value.items():
        if type(key) is not str:
            return False
        # Most parts are texts, and a conversation has thousands.
        if type(part) is not str and not is_usual(part, levels):
            return False
    return True


JSON = Codec(import_module("orjson") if find_spec("orjson") else None)


def distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs; the `object_pairs_hook` of a JSON parser.

    JSON leaves it open which of two values a key has, and parsers differ.

    Raises:
        ValueError: A key has two different values.
    """
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    for key, value in pairs:
        if made[key] != value:
            raise ValueError(f"the key {key!r} has two different values")
    return made


def finite(digits: str) -> float:
    """Make a number of its digits; the `parse_float` of a JSON parser.

    Raises:
        ValueError: It is too large for a float, which would be infinite.
    """
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is too large a number")
    return number


_LONGEST_INTEGER = 400


def integer(digits: str) -> int | float:
    """Return the number of an integer's digits; the `parse_int` of a JSON parser.

    Python refuses to read an integer of more than 4,300 digits. Such a number is infinite, as an overflowing float is.
    """
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)
