"""The generated tables of the documentation are up to date."""

from pathlib import Path

import pytest

from scripts import docs_tables


def test_the_tables_are_up_to_date() -> None:
    assert docs_tables.outdated() == {}, "run python -m scripts.docs_tables"
    assert docs_tables.main(["--check"]) == 0


def test_missing_markers_are_an_error() -> None:
    with pytest.raises(LookupError, match="parameters"):
        docs_tables.with_table("# A page", "parameters")


def test_an_outdated_table_is_replaced() -> None:
    page, _ = docs_tables.TABLES["repairs"]
    text = (Path(__file__).parents[1] / page).read_text(encoding="utf-8")
    begin, end = "<!-- repairs -->", "<!-- end of repairs -->"
    stale = text[: text.index(begin)] + f"{begin}\nold\n{end}" + text[text.index(end) + len(end) :]
    assert docs_tables.with_table(stale, "repairs") == text
