"""Validators for parameters and options.

Each error names the allowed range and the actual value; pydantic's own errors name only the violated bound. The
validators are as strict as JSON: neither a bool nor a string is a number, and NaN is not a number either. None always
passes and means "not set". An empty string and an empty list become None.
"""

import difflib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator

MAX_ECHOED = 32
"""The longest string, in characters, that an error repeats."""

MAX_INTEGER = 2**63 - 1
"""The largest integer that all JSON parsers between us and the model accept."""

WORD_RATIO = 0.65
"""The minimum similarity (difflib's ratio) at which one word of a key may be a typo of another."""
TYPO_RATIO = 0.75
"""The minimum similarity (difflib's ratio) at which a whole word or key counts as a typo of a documented one."""


def described(value: object) -> str:
    """Return a description of a value for an error: a short value that is not a key, otherwise its type and size."""
    if isinstance(value, bool | float) or value is None:
        return repr(value)
    if isinstance(value, int):
        return repr(value) if abs(value) <= MAX_INTEGER else "an integer beyond 64 bits"
    if isinstance(value, str):
        is_shown = len(value) <= MAX_ECHOED and not value.lower().startswith("sk-")
        return repr(value) if is_shown else f"a string of {len(value)} characters"
    if isinstance(value, list | tuple | dict | set | frozenset):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def invalid(expected: str, value: object, *, part: str = "", inside: bool = False) -> ValueError:
    """Return the error for an invalid value.

    Args:
        expected: A description of valid values.
        value: The actual value.
        part: The key of the part of the parameter that is invalid; empty for the parameter itself.
        inside: Whether `value` is an item of the invalid list or dict.
    """
    subject = f"{part} must be" if part else "must be"
    return ValueError(f"{subject} {expected}, got {described(value)}{' in it' if inside else ''}")


def closest(word: str, documented: Sequence[str], cutoff: float = 0.6) -> str | None:
    """Return the documented word that is most similar to a word, or None if none is similar enough."""
    folded = {name.casefold(): name for name in documented}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=cutoff)
    return folded[close[0]] if close else None


def misspelled(key: str, documented: Sequence[str]) -> str | None:
    """Return the documented key of which this key is a likely typo, or None if it may be new.

    New keys resemble old ones: `preferred_max_throughput` and `preferred_min_throughput`, `p95` and `p90`. So a key is
    a typo only if each of its words resembles the word in the same place, with the same digits.
    """
    for name in difflib.get_close_matches(key.casefold(), documented, n=3, cutoff=TYPO_RATIO):
        words, others = key.casefold().split("_"), name.split("_")
        same_letters = "".join(words) == "".join(others)
        if same_letters or (len(words) == len(others) and all(map(_resembles, words, others))):
            return name
    return None


def _resembles(word: str, documented: str) -> bool:
    if sorted(re.findall(r"\d", word)) != sorted(re.findall(r"\d", documented)):
        return False
    is_longer = word.startswith(documented) and len(word) > len(documented) + 1
    return not is_longer and difflib.SequenceMatcher(None, word, documented).ratio() >= WORD_RATIO


def _span(low: float | None, high: float | None, kind: str, *, above: bool) -> str:
    if low is None:
        return kind
    if high is None:
        return f"{kind} of at least {low}"
    return f"{kind} above {low} and up to {high}" if above else f"{kind} from {low} to {high}"


def _inside(value: float, low: float | None, high: float | None, *, above: bool = False) -> bool:
    # NaN compares false with everything, so it is never inside.
    is_above = low is None or (value > low if above else value >= low)
    return is_above and (high is None or value <= high)


def checked_number(value: object, low: float, high: float | None, expected: str, *, above: bool = False) -> object:
    """Return the number.

    Raises:
        ValueError: It is not a number, or outside the range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(expected, value)
    if not _inside(value, low, sys.float_info.max if high is None else high, above=above):
        raise invalid(expected, value)
    return value


def number(low: float, high: float | None = None, *, above: bool = False) -> BeforeValidator:
    """Return a validator for numbers from `low` to `high`; `above` excludes `low` itself."""
    expected = _span(low, high, "a number", above=above)

    def check(value: object) -> object:
        return None if value is None else checked_number(value, low, high, expected, above=above)

    return BeforeValidator(check)


def integer(low: int | None = None, high: int | None = None) -> BeforeValidator:
    """Return a validator for integers from `low` to `high`, of at most 64 bits."""
    expected = _span(low, high, "an integer", above=False)

    def check(value: object) -> object:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid(expected, value)
        if abs(value) > MAX_INTEGER or not _inside(value, low, high):
            raise invalid(expected, value)
        return value

    return BeforeValidator(check)


def text(max_length: int | None = None) -> BeforeValidator:
    """Return a validator for strings of at most `max_length` characters; an empty one counts as not set."""
    expected = "a string" if max_length is None else f"a string of at most {max_length} characters"

    def check(value: object) -> object:
        if value is None:
            return None
        if not isinstance(value, str) or (max_length is not None and len(value) > max_length):
            raise invalid(expected, value)
        return value or None

    return BeforeValidator(check)


def _correction(value: str, documented: Sequence[str]) -> str | None:
    """Return the documented word of which this word is a typo, or None if it is not a typo.

    OpenRouter adds words without notice, and they resemble the old ones: `int2` and `int4`, `xlow` and `low`. So a word
    with other digits, or a documented word with something added, counts as new.
    """
    suggestion = closest(value, documented, TYPO_RATIO)
    if suggestion is None or value.casefold() == suggestion:
        return suggestion
    other_digits = sorted(re.findall(r"\d", value)) != sorted(re.findall(r"\d", suggestion))
    return None if other_digits or suggestion in value.casefold() else suggestion


def checked_word(value: object, documented: Sequence[str], *, closed: bool = False) -> str:
    """Return the word.

    Raises:
        ValueError: The word is a typo of a documented one, or `closed` is true and it is not documented.
    """
    expected = f"one of {', '.join(documented)}"
    if not isinstance(value, str):
        raise invalid(expected, value)
    if value in documented:
        return value
    suggestion = _correction(value, documented)
    if suggestion:
        raise ValueError(f"must be {expected}, got {described(value)}; did you mean {suggestion!r}?")
    if closed:
        raise invalid(expected, value)
    return value


def word(*documented: str, closed: bool = False) -> BeforeValidator:
    """Return a validator for one of the documented words.

    OpenRouter adds words without notice, so other words pass, unless they look like a typo or `closed` is true.
    """

    def check(value: object) -> object:
        if value is None or (value == "" and not closed):
            return None
        return checked_word(value, documented, closed=closed)

    return BeforeValidator(check)


def _items(value: object, max_items: int | None, expected: str) -> Sequence[object]:
    if not isinstance(value, list | tuple) or (max_items is not None and len(value) > max_items):
        raise invalid(expected, value)
    return value


def listed_texts(
    value: object, expected: str, max_items: int | None = None, max_length: int | None = None
) -> tuple[str, ...]:
    """Return the strings of a list.

    Raises:
        ValueError: The value is not a list, is too long, or contains something other than non-empty strings.
    """
    listed = []
    for item in _items(value, max_items, expected):
        if not isinstance(item, str) or not item or (max_length is not None and len(item) > max_length):
            raise invalid(expected, item, inside=True)
        listed.append(item)
    return tuple(listed)


def texts(
    max_items: int | None = None,
    max_length: int | None = None,
    max_total: int | None = None,
    documented: Sequence[str] = (),
) -> BeforeValidator:
    """Return a validator for lists of strings; an empty list counts as not set.

    Args:
        max_items: The maximum number of strings.
        max_length: The maximum number of characters of each string.
        max_total: The maximum number of characters of all strings together.
        documented: If not empty, the words that each string is checked against as `word` does.
    """
    expected = f"a list of at most {max_items} strings" if max_items else "a list of strings"
    if max_length:
        expected += f" of at most {max_length} characters each"
    if max_total:
        expected += f" and {max_total} together"

    def check(value: object) -> object:
        if value is None:
            return None
        listed = listed_texts(value, expected, max_items, max_length)
        if documented:
            listed = tuple(checked_word(item, documented) for item in listed)
        characters = sum(map(len, listed))
        if max_total is not None and characters > max_total:
            raise ValueError(f"must be {expected}, got {characters} characters")
        return listed or None

    return BeforeValidator(check)


def objects(max_items: int | None = None) -> BeforeValidator:
    """Return a validator for lists of at most `max_items` dicts; an empty list counts as not set."""
    expected = f"a list of at most {max_items} dicts" if max_items else "a list of dicts"

    def check(value: object) -> object:
        if value is None:
            return None
        items = _items(value, max_items, expected)
        for item in items:
            if not isinstance(item, dict):
                raise invalid(expected, item, inside=True)
        return list(items) or None

    return BeforeValidator(check)


def _flag(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    raise invalid("true or false", value)


def unless_empty(value: object) -> object:
    """Return None for an empty list, otherwise the value."""
    return None if isinstance(value, list | tuple) and not value else value


Flag: TypeAlias = Annotated[bool | None, BeforeValidator(_flag)]
"""A bool; numbers and strings are refused."""


class _Unchecked:
    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: Any) -> Any:
        return {"type": "any"}


UNCHECKED = _Unchecked()
"""The annotation of a field that pydantic does not check, because a validator of the model does. pydantic's own
`SkipValidation` also creates the schema of the annotation, which took a millisecond for a `Host`."""


FORMATS = ("text", "json_object", "json_schema", "grammar", "python")
METADATA_PAIRS = 16
METADATA_KEY = 64
METADATA_VALUE = 512


def _stop(value: object) -> object:
    if value is None or isinstance(value, str):
        return value or None
    return list(listed_texts(value, "a string, or a list of at most 4 strings", max_items=4)) or None


def _bias(value: object) -> object:
    expected = "a dict from token ids (integers, or strings of digits) to numbers from -100 to 100"
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise invalid(expected, value)
    for token, weight in value.items():
        if isinstance(token, bool) or not isinstance(token, int | str) or not _is_token_id(token):
            raise invalid(expected, token, inside=True)
        checked_number(weight, -100, 100, expected)
    return {str(token): weight for token, weight in value.items()}


def _is_token_id(token: int | str) -> bool:
    return re.fullmatch(r"\d{1,18}", token, re.ASCII) is not None if isinstance(token, str) else 0 <= token < 10**18


def _metadata(value: object) -> object:
    expected = (
        f"a dict of at most {METADATA_PAIRS} pairs of strings, keys of at most {METADATA_KEY} characters, "
        f"values of at most {METADATA_VALUE}"
    )
    if value is None:
        return None
    if not isinstance(value, Mapping) or len(value) > METADATA_PAIRS:
        raise invalid(expected, value)
    for key, tag in value.items():
        if not isinstance(key, str) or len(key) > METADATA_KEY:
            raise invalid(expected, key, inside=True)
        if not isinstance(tag, str) or len(tag) > METADATA_VALUE:
            raise invalid(expected, tag, inside=True)
    return dict(value)


def _choice(value: object) -> object:
    if value is None or isinstance(value, str):
        return value or None
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        raise invalid("none, auto, required, or a dict with a string under 'type'", value)
    return dict(value)


def _format(value: object) -> object:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise invalid(f"a dict with a 'type' that is one of {', '.join(FORMATS)}", value)
    try:
        kind = checked_word(value.get("type"), FORMATS)
    except ValueError as error:
        raise ValueError(f"type {error}") from error
    if kind == "json_schema":
        _check_schema(value.get("json_schema"))
    if kind == "grammar" and not isinstance(value.get("grammar"), str):
        raise invalid("a string", value.get("grammar"), part="grammar")
    return dict(value)


def _check_schema(schema: object) -> None:
    if not isinstance(schema, Mapping):
        raise invalid("a dict with a name and a schema", schema, part="json_schema")
    name = schema.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise invalid("1 to 64 of the characters A-Z a-z 0-9 _ -", name, part="json_schema.name")
    if not isinstance(schema.get("schema", {}), Mapping):
        raise invalid("a dict", schema["schema"], part="json_schema.schema")
    if not isinstance(schema.get("strict"), bool | None):
        raise invalid("true or false", schema["strict"], part="json_schema.strict")


STOP = BeforeValidator(_stop)
"""A string, or a list of at most 4 strings."""
LOGIT_BIAS = BeforeValidator(_bias)
"""A dict from token ids, which become strings, to numbers from -100 to 100."""
METADATA = BeforeValidator(_metadata)
"""At most 16 pairs of short strings."""
TOOL_CHOICE = BeforeValidator(_choice)
"""A string, or a dict with a `type`."""
RESPONSE_FORMAT = BeforeValidator(_format)
"""One of the documented formats, or a dict of a new type."""
