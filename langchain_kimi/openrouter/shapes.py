"""The rules of the parameters that are neither a number nor a word: stop texts, biases, formats, tags."""

import re
from collections.abc import Mapping

from pydantic import BeforeValidator

from langchain_kimi.openrouter.rules import checked_number, checked_word, listed_texts, refusal

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
