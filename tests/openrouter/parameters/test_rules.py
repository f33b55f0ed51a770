from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BeforeValidator, TypeAdapter, ValidationError

from langchain_kimi._openrouter.parameters.rules import (
    Flag,
    closest,
    described,
    integer,
    invalid,
    misspelled,
    number,
    objects,
    text,
    texts,
    unless_empty,
    word,
)


def validated(rule: BeforeValidator, value: object) -> Any:
    return TypeAdapter(Annotated[Any, rule]).validate_python(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (1.5, "1.5"),
        (-7, "-7"),
        (2**63, "an integer beyond 64 bits"),
        (10**400, "an integer beyond 64 bits"),
        ("short", "'short'"),
        ("x" * 33, "a string of 33 characters"),
        ("sk-or-v1-x", "a string of 10 characters"),
        ("SK-x", "a string of 4 characters"),
        ([1], "a list of 1"),
        ((), "a tuple of 0"),
        ({"a": "secret"}, "a dict of 1"),
        (frozenset({1}), "a frozenset of 1"),
        (b"secret", "a bytes"),
        (Decimal(1), "a Decimal"),
    ],
)
def test_a_value_is_described_without_being_disclosed(value: object, text: str) -> None:
    assert described(value) == text


def test_an_invalid_value_error_names_the_expected_and_the_actual_value() -> None:
    assert str(invalid("a string", 3)) == "must be a string, got 3"
    assert str(invalid("a string", 3, part="name")) == "name must be a string, got 3"
    assert str(invalid("a list of strings", 3, inside=True)) == "must be a list of strings, got 3 in it"


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("ordre", "order"),
        ("Order", "order"),
        ("alow_fallbacks", "allow_fallbacks"),
        ("allow_falbacks", "allow_fallbacks"),
        ("AllowFallbacks", "allow_fallbacks"),
        ("preferred_min_troughput", "preferred_min_throughput"),
        ("preferred_max_throughput", None),
        ("order_by", None),
        ("p95", None),
        ("latency_p95", None),
        ("latncy_p90", "latency_p90"),
        ("orderings", None),
        ("something_else", None),
    ],
)
def test_a_typo_of_a_key_is_distinguished_from_a_new_key(key: str, meant: str | None) -> None:
    assert misspelled(key, ["order", "allow_fallbacks", "preferred_min_throughput", "p90", "latency_p90"]) == meant


def test_the_closest_word_is_found_in_any_case() -> None:
    assert closest("ALOW", ["allow", "deny"]) == "allow"
    assert closest("qqq", ["allow", "deny"]) is None


@pytest.mark.parametrize(
    ("rule", "passing", "refused"),
    [
        (number(0, 2), [0, 2, 0.5, None], [-0.1, 2.1, True, "1", float("nan"), float("inf"), 10**400, Decimal(1)]),
        (number(0, 1, above=True), [1, 5e-324], [0, 0.0, -1, 1.1]),
        (number(0), [0, 1e308], [-1, float("inf"), 10**400]),
        (integer(1, 3), [1, 3, None], [0, 4, 1.0, True, "1"]),
        (integer(1), [1, 2**63 - 1], [0, 2**63]),
        (integer(), [-1, 0], [0.0, False, "0", -(2**63)]),
        (text(3), ["abc"], ["abcd", 3, b"abc"]),
        (text(), ["x" * 10_000], [3]),
        (word("low", "high"), ["low", "ultra", "xlow", "highest"], ["Low", "hihg", 3, ["low"]]),
        (word("int4"), ["int4", "int8", "int16"], ["itn4"]),
        (word("allow", "deny", closed=True), ["allow"], ["", "other", "dney", 3]),
    ],
)
def test_a_rule_accepts_valid_and_refuses_invalid_values(
    rule: BeforeValidator, passing: list[object], refused: list[object]
) -> None:
    assert [validated(rule, value) for value in passing] == passing
    for value in refused:
        with pytest.raises(ValidationError, match=r"must be .+, got "):
            validated(rule, value)


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        (text(), "", None),
        (word("low"), "", None),
        (texts(), [], None),
        (texts(), None, None),
        (texts(2, max_length=3, max_total=5), ["abc", "de"], ("abc", "de")),
        (texts(documented=("text",)), ("text", "smell"), ("text", "smell")),
        (objects(), (), None),
        (objects(), None, None),
        (objects(1), [{"a": None}], [{"a": None}]),
        (BeforeValidator(unless_empty), [], None),
        (BeforeValidator(unless_empty), [0], [0]),
        (BeforeValidator(unless_empty), 0, 0),
    ],
)
def test_empty_lists_and_strings_count_as_unset(rule: BeforeValidator, value: object, expected: object) -> None:
    assert validated(rule, value) == expected


@pytest.mark.parametrize(
    ("rule", "value", "message"),
    [
        (texts(2), ["a"] * 3, "must be a list of at most 2 strings, got a list of 3"),
        (texts(max_length=2), ["abc"], "must be a list of strings of at most 2 characters each, got 'abc' in it"),
        (texts(max_total=2), ["a", "bc"], "must be a list of strings and 2 together, got 3 characters"),
        (texts(documented=("text",)), ["txet"], "must be one of text, got 'txet'; did you mean 'text'?"),
        (texts(), "abc", "must be a list of strings, got 'abc'"),
        (objects(), {"a": 1}, "must be a list of dicts, got a dict of 1"),
    ],
)
def test_lists_are_checked_for_length_and_items(rule: BeforeValidator, value: object, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        validated(rule, value)
    assert message in str(caught.value)


def test_a_flag_is_a_bool_or_not_set() -> None:
    adapter: TypeAdapter[bool | None] = TypeAdapter(Flag)
    assert [adapter.validate_python(value) for value in (True, False, None)] == [True, False, None]
    for value in (0, 1, "true"):
        with pytest.raises(ValidationError, match="must be true or false, got"):
            adapter.validate_python(value)
