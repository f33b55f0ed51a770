"""The rules that parameters and options are held to, as pydantic validators.

Each rule names the allowed range and what was given in its error, since pydantic's own texts name only the bound that
was missed. The rules are strict where JSON is: a bool is no number, a string is no number, NaN is none at all. None
always passes: it means "not set". So do an empty text and an empty list, which become None, because they say nothing.
"""

import difflib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator

ECHOED = 32
"""The longest text, in characters, that an error repeats."""

WIDEST = 2**63 - 1
"""The largest integer that every JSON reader on the way can be expected to take."""

CLOSE = 0.75
"""How alike a word must be to a known one to count as a slip of the pen (difflib's ratio)."""


def described(value: object) -> str:
    """Say what a value is, for an error: itself if it is short and no secret, otherwise its kind and size."""
    if isinstance(value, bool | float) or value is None:
        return repr(value)
    if isinstance(value, int):
        return repr(value) if abs(value) <= WIDEST else "an integer beyond 64 bits"
    if isinstance(value, str):
        echoed = len(value) <= ECHOED and not value.lower().startswith("sk-")
        return repr(value) if echoed else f"a text of {len(value)} characters"
    if isinstance(value, list | tuple | dict | set | frozenset):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def refusal(expected: str, value: object, *, part: str = "", inside: bool = False) -> ValueError:
    """Make the error of a rule: what the value, or a `part` of it, must be, and what it, or an item in it, is."""
    subject = f"{part} must be" if part else "must be"
    return ValueError(f"{subject} {expected}, got {described(value)}{' in it' if inside else ''}")


def likeliest(word: str, known: Sequence[str], cutoff: float = 0.6) -> str | None:
    """Find the known word that was probably meant, or None."""
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=cutoff)
    return folded[close[0]] if close else None


def _span(low: float | None, high: float | None, kind: str, *, above: bool) -> str:
    if low is None:
        return kind
    if high is None:
        return f"{kind} of at least {low}"
    return f"{kind} above {low} and up to {high}" if above else f"{kind} from {low} to {high}"


def _inside(value: float, low: float | None, high: float | None, *, above: bool = False) -> bool:
    # Written so that NaN, which compares false with everything, is never inside.
    over = low is None or (value > low if above else value >= low)
    return over and (high is None or value <= high)


def checked_number(value: object, low: float, high: float | None, expected: str, *, above: bool = False) -> object:
    """Return the number, or raise `ValueError` if it is none or outside the range."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refusal(expected, value)
    if not _inside(value, low, sys.float_info.max if high is None else high, above=above):
        raise refusal(expected, value)
    return value


def number(low: float, high: float | None = None, *, above: bool = False) -> BeforeValidator:
    """Hold a value to the numbers from `low` to `high`; with `above`, `low` itself is outside."""
    expected = _span(low, high, "a number", above=above)

    def check(value: object) -> object:
        return None if value is None else checked_number(value, low, high, expected, above=above)

    return BeforeValidator(check)


def whole(low: int | None = None, high: int | None = None) -> BeforeValidator:
    """Hold a value to the integers from `low` to `high`, and to 64 bits."""
    expected = _span(low, high, "an integer", above=False)

    def check(value: object) -> object:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise refusal(expected, value)
        if abs(value) > WIDEST or not _inside(value, low, high):
            raise refusal(expected, value)
        return value

    return BeforeValidator(check)


def text(longest: int | None = None) -> BeforeValidator:
    """Hold a value to texts of at most `longest` characters; an empty one counts as not set."""
    expected = "a text" if longest is None else f"a text of at most {longest} characters"

    def check(value: object) -> object:
        if value is None:
            return None
        if not isinstance(value, str) or (longest is not None and len(value) > longest):
            raise refusal(expected, value)
        return value or None

    return BeforeValidator(check)


def _slip(value: str, known: Sequence[str]) -> str | None:
    """Tell whether a word is a slip of the pen for a known one, and for which.

    OpenRouter adds words without notice, and they resemble the old ones: `int2` beside `int4`, `xlow` beside `low`.
    Hence other digits, or a known word with something added, make a new word and no slip.
    """
    meant = likeliest(value, known, CLOSE)
    if meant is None or value.casefold() == meant:
        return meant
    other_digits = sorted(re.findall(r"\d", value)) != sorted(re.findall(r"\d", meant))
    return None if other_digits or meant in value.casefold() else meant


def checked_word(value: object, known: Sequence[str], *, closed: bool = False) -> str:
    """Return the word, or raise `ValueError` if it is a slip of the pen or, with `closed`, if it is unknown."""
    expected = f"one of {', '.join(known)}"
    if not isinstance(value, str):
        raise refusal(expected, value)
    if value in known:
        return value
    meant = _slip(value, known)
    if meant:
        raise ValueError(f"must be {expected}, got {described(value)}; did you mean {meant!r}?")
    if closed:
        raise refusal(expected, value)
    return value


def word(*known: str, closed: bool = False) -> BeforeValidator:
    """Hold a value to the known words; unknown ones pass, unless `closed`, or unless they look like a slip of the pen.

    OpenRouter adds words to its lists without notice, so a list here can be behind.
    """

    def check(value: object) -> object:
        if value is None or (value == "" and not closed):
            return None
        return checked_word(value, known, closed=closed)

    return BeforeValidator(check)


def _items(value: object, most: int | None, expected: str) -> Sequence[object]:
    if not isinstance(value, list | tuple) or (most is not None and len(value) > most):
        raise refusal(expected, value)
    return value


def listed_texts(value: object, expected: str, most: int | None = None, longest: int | None = None) -> tuple[str, ...]:
    """Return the texts of a list, or raise `ValueError` if it is none, too long, or holds what is no text or empty."""
    listed = []
    for item in _items(value, most, expected):
        if not isinstance(item, str) or not item or (longest is not None and len(item) > longest):
            raise refusal(expected, item, inside=True)
        listed.append(item)
    return tuple(listed)


def texts(
    most: int | None = None, longest: int | None = None, total: int | None = None, known: Sequence[str] = ()
) -> BeforeValidator:
    """Hold a value to lists of at most `most` texts, each of at most `longest` characters, `total` all together.

    Where `known` is given, each text is held to these words as `word` does. An empty list counts as not set.
    """
    expected = f"a list of at most {most} texts" if most else "a list of texts"
    if longest:
        expected += f" of at most {longest} characters each"
    if total:
        expected += f" and {total} together"

    def check(value: object) -> object:
        if value is None:
            return None
        listed = listed_texts(value, expected, most, longest)
        if known:
            listed = tuple(checked_word(item, known) for item in listed)
        characters = sum(map(len, listed))
        if total is not None and characters > total:
            raise ValueError(f"must be {expected}, got {characters} characters")
        return listed or None

    return BeforeValidator(check)


def objects(most: int | None = None) -> BeforeValidator:
    """Hold a value to lists of at most `most` dicts; an empty list counts as not set."""
    expected = f"a list of at most {most} dicts" if most else "a list of dicts"

    def check(value: object) -> object:
        if value is None:
            return None
        items = _items(value, most, expected)
        for item in items:
            if not isinstance(item, dict):
                raise refusal(expected, item, inside=True)
        return list(items) or None

    return BeforeValidator(check)


def _flag(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    raise refusal("true or false", value)


def unless_empty(value: object) -> object:
    """Turn an empty list into None: it says nothing."""
    return None if isinstance(value, list | tuple) and not value else value


Flag: TypeAlias = Annotated[bool | None, BeforeValidator(_flag)]
"""A bool, and no number or word in its place."""


FORMATS = ("text", "json_object", "json_schema", "grammar", "python")
METADATA_PAIRS = 16
METADATA_KEY = 64
METADATA_VALUE = 512


def _stop(value: object) -> object:
    if value is None or isinstance(value, str):
        return value or None
    return list(listed_texts(value, "a text, or a list of at most 4 texts", most=4)) or None


def _bias(value: object) -> object:
    expected = "a dict from token ids (whole numbers, also as text) to numbers from -100 to 100"
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise refusal(expected, value)
    for token, weight in value.items():
        if isinstance(token, bool) or not isinstance(token, int | str) or not _is_token_id(token):
            raise refusal(expected, token, inside=True)
        checked_number(weight, -100, 100, expected)
    return {str(token): weight for token, weight in value.items()}


def _is_token_id(token: int | str) -> bool:
    return re.fullmatch(r"\d{1,18}", token, re.ASCII) is not None if isinstance(token, str) else 0 <= token < 10**18


def _metadata(value: object) -> object:
    expected = (
        f"a dict of at most {METADATA_PAIRS} pairs of texts, keys of at most {METADATA_KEY} characters, "
        f"values of at most {METADATA_VALUE}"
    )
    if value is None:
        return None
    if not isinstance(value, Mapping) or len(value) > METADATA_PAIRS:
        raise refusal(expected, value)
    for key, tag in value.items():
        if not isinstance(key, str) or len(key) > METADATA_KEY:
            raise refusal(expected, key, inside=True)
        if not isinstance(tag, str) or len(tag) > METADATA_VALUE:
            raise refusal(expected, tag, inside=True)
    return dict(value)


def _choice(value: object) -> object:
    if value is None or isinstance(value, str):
        return value or None
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        raise refusal("none, auto, required, or a dict with a text under 'type'", value)
    return dict(value)


def _format(value: object) -> object:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise refusal(f"a dict with a 'type' that is one of {', '.join(FORMATS)}", value)
    try:
        kind = checked_word(value.get("type"), FORMATS)
    except ValueError as error:
        raise ValueError(f"type {error}") from error
    if kind == "json_schema":
        _check_schema(value.get("json_schema"))
    if kind == "grammar" and not isinstance(value.get("grammar"), str):
        raise refusal("a text", value.get("grammar"), part="grammar")
    return dict(value)


def _check_schema(given: object) -> None:
    if not isinstance(given, Mapping):
        raise refusal("a dict with a name and a schema", given, part="json_schema")
    name = given.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise refusal("1 to 64 of the characters A-Z a-z 0-9 _ -", name, part="json_schema.name")
    if not isinstance(given.get("schema", {}), Mapping):
        raise refusal("a dict", given["schema"], part="json_schema.schema")
    if not isinstance(given.get("strict"), bool | None):
        raise refusal("true or false", given["strict"], part="json_schema.strict")


STOP = BeforeValidator(_stop)
"""A text, or a list of at most 4."""
LOGIT_BIAS = BeforeValidator(_bias)
"""Token ids, which become text, and numbers from -100 to 100."""
METADATA = BeforeValidator(_metadata)
"""Pairs of texts, few and short."""
TOOL_CHOICE = BeforeValidator(_choice)
"""A text, or a dict that has a type."""
RESPONSE_FORMAT = BeforeValidator(_format)
"""One of the forms that the wire knows, or one of another type that is new."""
