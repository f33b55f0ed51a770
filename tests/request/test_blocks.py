import pytest

from langchain_kimi._request.blocks import type_of


@pytest.mark.parametrize(
    ("block", "expected"), [({"type": "text"}, "text"), ({}, None), ({"type": None}, None), ({"type": ["text"]}, None)]
)
def test_the_type_is_a_string_or_missing(block: dict[str, object], expected: str | None) -> None:
    assert type_of(block) == expected
