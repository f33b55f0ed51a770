from typing import Any

import pytest

from langchain_kimi._kimi.repairs import ALL, chosen_repairs


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ("all", ALL),
        (True, ALL),
        (None, ALL),
        ("none", frozenset()),
        (False, frozenset()),
        ([], frozenset()),
        ("markup", {"markup"}),
        ({"markup", "call_ids"}, {"markup", "call_ids"}),
        (["all", "orphans"], ALL | {"orphans"}),
        (["none"], frozenset()),
    ],
)
def test_choices(chosen: Any, names: set[str]) -> None:
    assert chosen_repairs(chosen) == names


def test_all_changes_no_conversation() -> None:
    assert "orphans" not in ALL


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"markdown, twins is none of all, arguments, .*, schemas"):
        chosen_repairs(["markdown", "twins", "markup"])


def test_none_excludes_others() -> None:
    with pytest.raises(ValueError, match="no other name"):
        chosen_repairs({"none", "markup"})
