import json
from typing import Any

import pytest

from langchain_kimi._openrouter.json import distinct_keys, finite, integer


@pytest.mark.parametrize(
    ("text", "value"),
    [("{}", {}), ('{"a": 1, "b": 1}', {"a": 1, "b": 1}), ('{"a": [1], "a": [1]}', {"a": [1]})],
)
def test_keys_that_say_one_thing(text: str, value: Any) -> None:
    assert json.loads(text, object_pairs_hook=distinct_keys) == value


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', '[{"b": {"a": 1, "c": 2, "a": null}}]', '{"a": 1, "a": 2, "a": 1}']
)
def test_a_key_with_two_values_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="the key 'a' has two different values"):
        json.loads(text, object_pairs_hook=distinct_keys)


def test_numbers_stay_finite() -> None:
    assert json.loads("[1.5, -2e3]", parse_float=finite) == [1.5, -2000.0]
    for digits in ("1e999", "-1e999"):
        with pytest.raises(ValueError, match=f"{digits} is too large a number"):
            json.loads(digits, parse_float=finite)


def test_an_integer_that_python_does_not_read_is_infinite() -> None:
    text = f"[7, -7, 1{'0' * 399}, 1{'0' * 5_000}, -1{'0' * 5_000}]"
    assert json.loads(text, parse_int=integer) == [7, -7, 10**399, float("inf"), float("-inf")]
