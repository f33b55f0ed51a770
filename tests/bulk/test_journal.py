import json
from decimal import Decimal
from pathlib import Path

import pytest

from langchain_kimi import KimiUsageError
from langchain_kimi.bulk.journal import Journal
from langchain_kimi.bulk.purse import ZERO

HANDLE = json.dumps({"id": "server-1"})


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    journal = Journal.at(tmp_path / "j")
    journal.begin("a", 1.5, ["r1", "r2"], Decimal("0.25"))
    journal.begin("b", 2.5, ["r3"], ZERO)
    journal.add_handle("a", HANDLE)
    journal.begin("c", 3.5, ["r4", "r1"], Decimal("0.5"))
    journal.mark_lost("c")
    journal.end("b", ["r3"])
    journal.end("a", ["r1", "r2"])

    again = Journal.at(tmp_path / "j")

    assert again == journal
    assert list(again.batches) == ["c"]
    assert (again.batches["c"].rows, again.batches["c"].since, again.batches["c"].handle) == (["r4", "r1"], 3.5, None)
    assert (again.batches["c"].max_cost, again.batches["c"].is_lost) == (Decimal("0.5"), True)
    assert (again.batch_of("r1"), again.batch_of("r2"), again.batch_of("r3")) == ("c", None, None)
    assert again.ids == {"server-1"}


def test_a_line_that_is_not_whole_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "j"
    Journal.at(path).begin("a", 1.0, ["r1"], ZERO)
    path.write_bytes(path.read_bytes() + b'{"state": "submitted", "key": "a", "han')

    journal = Journal.at(path)
    assert journal.batches["a"].handle is None
    journal.add_handle("a", HANDLE)

    assert Journal.at(path).batches["a"].handle == {"id": "server-1"}


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j").write_text('{"key": "a"}\n')

    with pytest.raises(KimiUsageError, match="not the journal"):
        Journal.at(tmp_path / "j")


def test_a_batch_is_open_until_all_its_rows_have_ended(tmp_path: Path) -> None:
    journal = Journal.at(tmp_path / "j")
    journal.begin("a", 1.0, ["r1", "r2"], ZERO)

    journal.end("a", ["r1"])
    assert (journal.batch_of("r1"), journal.batch_of("r2"), list(journal.batches)) == (None, "a", ["a"])
    journal.end("a", ["r2"])

    assert Journal.at(tmp_path / "j") == journal
    assert journal.batches == {}


def test_a_journal_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "j").write_text(
        '{"state": "sending", "key": "a", "since": 1, "rows": ["r1"]}\n{"state": "ended", "key": "a"}\n'
    )

    assert Journal.at(tmp_path / "j").batches == {}
