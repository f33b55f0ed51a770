"""The output file of a bulk run."""

import asyncio
import json
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi import KimiUsageError
from langchain_kimi.bulk.store import Store
from tests.interpreters import Interpreter

DESCRIPTION: dict[str, Any] = {"request": {"model": "m"}}


def line(key: str, *, ok: bool = True) -> bytes:
    return json.dumps({"key": key, "ok": ok}).encode() + b"\n"


async def fill(store: Store, *keys: str, ok: bool = True) -> None:
    await asyncio.gather(*(store.append(key, line(key, ok=ok), ok=ok) for key in keys))


async def test_lines_are_found_by_their_keys(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.jsonl"
    store = Store(path, DESCRIPTION)
    await fill(store, *(f"k{number}" for number in range(500)))
    await fill(store, "failed", ok=False)

    outcome, failed = store.find("k300"), store.find("failed")
    store.close()

    assert outcome is not None
    assert (outcome.content, outcome.ok, outcome.own) == (line("k300"), True, True)
    assert failed is not None
    assert not failed.ok
    assert path.read_bytes().count(b"\n") == 501


async def test_lines_are_read_without_the_functions_that_windows_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("os.pread")
    store = Store(tmp_path / "a.jsonl", DESCRIPTION)
    await fill(store, "a", "b")

    outcome, content = store.find("b"), [*store.lines()]
    store.close()

    assert outcome is not None
    assert (outcome.content, content) == (line("b"), [line("a"), line("b")])


async def test_a_later_run_finds_them_too_and_the_last_line_of_a_key_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    first = Store(path, DESCRIPTION)
    await fill(first, "a", "b", ok=False)
    await fill(first, "a")
    first.close()

    second = Store(path, DESCRIPTION)
    a, b, c = (second.find(key) for key in "abc")
    second.close()

    assert a is not None
    assert b is not None
    assert (a.ok, a.own, b.ok, c) == (True, False, False, None)


@pytest.mark.parametrize(
    "end",
    [b'{"key": "b", "o', b'{"key": "b", "ok": true}', b"\x00\x00\x00", b"[1]\n", b'{"key": 5, "ok": true}\n'],
    ids=["cut", "no line break", "zeros", "other JSON", "other key"],
)
async def test_a_damaged_last_line_is_put_aside(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(line("a") + end)

    store = Store(path, DESCRIPTION)
    await fill(store, "c")
    outcome = [store.find(key) is not None for key in "abc"]
    store.close()

    assert outcome == [True, False, True]
    assert (tmp_path / "a.jsonl.bad").read_bytes().startswith(end)
    assert [json.loads(one)["key"] for one in path.read_bytes().splitlines() if b'"a"' in one or b'"c"' in one] == [
        "a",
        "c",
    ]


async def test_an_output_of_another_run_is_refused_with_the_difference(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    first = Store(path, {"request": {"model": "m", "temperature": 0.1}})
    await fill(first, "a")
    first.close()

    with pytest.raises(KimiUsageError, match=r'request\.model: "m" there, "n" now; request\.temperature: 0\.1 there'):
        Store(path, {"request": {"model": "n"}})


async def test_an_empty_output_of_another_run_is_taken(tmp_path: Path) -> None:
    Store(tmp_path / "a.jsonl", {"request": 1}).close()
    Store(tmp_path / "a.jsonl", {"request": 2}).close()

    assert json.loads((tmp_path / "a.jsonl.run.json").read_text())["request"] == 2


async def test_an_output_is_used_by_one_run_at_a_time(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.jsonl", DESCRIPTION)
    with pytest.raises(KimiUsageError, match="Another run is writing"):
        Store(tmp_path / "a.jsonl", DESCRIPTION)
    store.close()

    Store(tmp_path / "a.jsonl", DESCRIPTION).close()


def test_without_file_locks_the_output_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)

    Store(tmp_path / "a.jsonl", DESCRIPTION).close()


def test_an_output_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KimiUsageError, match="cannot be written: Is a directory"):
        Store(tmp_path, DESCRIPTION)


async def test_without_a_path_the_lines_are_temporary(tmp_path: Path) -> None:
    store = Store(None, DESCRIPTION)
    await fill(store, "a")

    assert store.find("a") is not None
    store.close()
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - a plain list of names


async def test_after_a_failure_every_write_fails() -> None:
    store = Store(None, DESCRIPTION)
    store._file.close()
    store._file = Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115, ASYNC230 - the store closes it

    for key in "ab":
        with pytest.raises(OSError, match="No space left"):
            await store.append(key, line(key), ok=True)

    store.close()


async def test_a_flush_waits_for_the_lines_under_way(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.jsonl", DESCRIPTION)
    writing = asyncio.create_task(store.append("a", line("a"), ok=True))
    await asyncio.sleep(0)
    await store.flush()
    store.close()

    assert (tmp_path / "a.jsonl").read_bytes() == line("a")
    await writing


async def test_postponed_rows_are_returned_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.jsonl", DESCRIPTION)
    store.put_aside(b"1")
    store.put_aside(b"2")
    rows = []
    for row in store.waiting():
        rows.append(row)
        store.put_aside(b"later")

    assert (rows, list(store.waiting()), list(store.waiting())) == ([b"1", b"2"], [b"later", b"later"], [])
    store.close()


FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from langchain_kimi.bulk.store import Store

def line(key, value=""):
    return f'{{"key": "{key}", "ok": true, "value": "{value}"}}\\n'.encode()

async def main():
    store = Store(Path(sys.argv[1]), {})
    await store.append("a", line("a"), ok=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
    lines = {"b": line("b", "x" * 2_000), "c": line("c")}
    for key in lines:
        try:
            await store.append(key, lines[key], ok=True)
        except OSError as problem:
            print(problem.strerror)
    await store.flush()
    store.close()

asyncio.run(main())
"""


async def test_after_a_write_that_failed_nothing_more_is_written(tmp_path: Path, interpreter: Interpreter) -> None:
    path = tmp_path / "a.jsonl"
    assert interpreter.printed(FULL_DISK, str(path)).splitlines() == ["File too large"] * 2
    assert path.stat().st_size == 1_000

    store = Store(path, {})
    await fill(store, "d")
    store.close()

    assert [json.loads(one)["key"] for one in path.read_bytes().splitlines()] == ["a", "d"]


def test_a_file_of_something_else_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Buy milk.\n")
    with pytest.raises(KimiUsageError, match=r"notes.txt is not the output of a bulk run"):
        Store(path, DESCRIPTION)
    assert [one.name for one in tmp_path.iterdir()] == ["notes.txt"]
    assert path.read_text() == "Buy milk.\n"


async def test_the_lines_come_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.jsonl", DESCRIPTION)
    for key in ("b", "a", "c", "b"):
        await fill(store, key)
    assert list(store.lines()) == [line("a"), line("c"), line("b")]
    store.close()


async def test_an_index_that_cannot_be_written_fails_as_a_full_disk(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.jsonl", DESCRIPTION)
    store._index.execute("PRAGMA query_only=ON")

    for key in "ab":
        with pytest.raises(OSError, match="The index: "):
            await store.append(key, line(key), ok=True)

    store.close()
    again = Store(tmp_path / "a.jsonl", DESCRIPTION)
    assert again.find("a") is not None
    again.close()


def test_an_output_whose_files_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"a.jsonl.run.json.{os.getpid()}").mkdir()
    with pytest.raises(KimiUsageError, match=r"cannot be written: .*Is a directory"):
        Store(tmp_path / "a.jsonl", DESCRIPTION)


def test_a_description_that_is_not_whole_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(line("a"))
    (tmp_path / "a.jsonl.run.json").write_text("{")
    with pytest.raises(KimiUsageError, match=r"a\.jsonl\.run\.json is not JSON"):
        Store(tmp_path / "a.jsonl", DESCRIPTION)


def test_the_cost_of_earlier_starts_is_summed(tmp_path: Path) -> None:
    costs: list[Any] = [0.25, 1, None, "x", 0.5, float("nan")]
    rows = [{"key": f"k{number}", "ok": True, "cost": cost} for number, cost in enumerate(costs)]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in [*rows, {"key": "k0", "ok": False}]))

    store = Store(tmp_path / "a.jsonl", DESCRIPTION)
    store.close()

    assert store.cost == Decimal("1.75")
    assert (tmp_path / "a.jsonl.bad").read_bytes().count(b"\n") == 2
