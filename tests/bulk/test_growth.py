"""The files of a bulk run are read in time that is proportional to their size."""

import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from langchain_kimi.bulk.results import BulkResult, line_of, result_of
from langchain_kimi.bulk.sources import rows_of_file
from langchain_kimi.bulk.store import Store
from langchain_kimi.errors import KimiUsageError
from tests.adversarial import PIECES, WORST, repeated
from tests.growth import assert_linear

pytestmark = pytest.mark.uncovered


def rows_of(path: Path) -> None:
    with suppress(KimiUsageError):
        deque(rows_of_file(path), maxlen=0)


def load(path: Path) -> None:
    Store(path, {}).close()


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    return path


RESULT = line_of(BulkResult("k", 0, "Oslo")).decode().strip()
READERS: dict[str, Callable[[Path, str], object]] = {
    "JSON lines": lambda folder, text: rows_of(written(folder / "a.jsonl", text)),
    "JSON lines of texts": lambda folder, text: rows_of(written(folder / "b.jsonl", f"{json.dumps(text)}\n")),
    "CSV": lambda folder, text: rows_of(written(folder / "a.csv", f"a,b\n{text}")),
    "CSV with a long header": lambda folder, text: rows_of(written(folder / "b.csv", text)),
    # An output without any result is refused at once.
    "output": lambda folder, text: load(written(folder / "out", f"{RESULT}\n{text}")),
    "a line of the output": lambda _, text: result_of(line_of(BulkResult("k", 0, text)), None, "stored", 0, text),
}


@pytest.mark.parametrize("piece", WORST[:4], ids=repr)
def test_files_are_read_in_linear_time(tmp_path: Path, piece: str) -> None:
    def read_all(size: int) -> None:
        for reader in READERS.values():
            reader(tmp_path, repeated(piece, size))

    assert_linear(read_all)


@pytest.mark.long
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: repr(piece)[:60])
def test_each_file_is_read_in_linear_time(tmp_path: Path, reader: str, piece: str) -> None:
    assert_linear(lambda size: READERS[reader](tmp_path, repeated(piece, size)))


@pytest.mark.long
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=4))
def test_no_combination_takes_more_than_linear_time(tmp_path: Path, pieces: list[str]) -> None:
    def read_all(size: int) -> None:
        for reader in READERS.values():
            reader(tmp_path, repeated("".join(pieces), size))

    assert_linear(read_all)
