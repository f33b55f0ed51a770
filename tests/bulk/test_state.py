"""The shared state of a run on a cluster."""

import asyncio
import importlib
from collections.abc import Iterator

import pytest

from langchain_kimi import KimiError, KimiUsageError
from langchain_kimi.bulk.options import checked_options
from langchain_kimi.bulk.state import State, packed, unpacked
from tests.test_errors import DETAILS, TREE, made


def test_every_error_arrives_whole() -> None:
    for kind in TREE:
        error = made(kind, **DETAILS)
        copy = unpacked(packed(error))
        assert type(copy) is kind
        assert repr(vars(copy)) == repr(vars(error))
        assert str(copy) == str(error)


def test_an_error_that_cannot_be_pickled_arrives_as_its_text() -> None:
    copy = unpacked(packed(ValueError(lambda: None)))
    assert type(copy) is RuntimeError
    assert str(copy).startswith("ValueError: <function")


async def test_a_row_is_begun_by_one_worker_at_a_time() -> None:
    state = State(None, checked_options({}))
    with pytest.raises(KimiUsageError, match="not open"):
        await state.begin("k")
    state.open({"request": {}})
    assert await state.begin("k") == {}
    second = asyncio.create_task(state.begin("k"))
    await asyncio.sleep(0)
    assert not second.done()

    state.release("k")
    state.release("k")

    assert await second == {}
    await state.close()


async def test_a_failed_row_of_this_run_is_not_sent_again() -> None:
    state = State(None, checked_options({"retry_failed": True}))
    state.open({"request": {}})
    line = '{"key": "k", "index": -1, "ok": false, "error": {"kind": "KeyError", "reason": "x"}}\n'
    await state.finish("k", line)
    state.stop = None

    assert await state.begin("k") == {"line": line, "state": "duplicate"}
    assert (state.summary.failed, state.summary.duplicates) == (1, 1)
    state.stop = RuntimeError("over")
    assert str(unpacked((await state.begin("k"))["error"])) == "over"
    await state.close()


def classes(kind: type[KimiError]) -> Iterator[type[KimiError]]:
    """Yield a class and its subclasses in the package."""
    yield kind
    for one in kind.__subclasses__():
        if one.__module__.startswith("langchain_kimi"):
            yield from classes(one)


def test_every_class_of_errors_in_the_package_arrives_as_itself() -> None:
    for module in ("langchain_kimi.middleware", "langchain_kimi.bulk", "langchain_kimi.verify"):
        importlib.import_module(module)
    kinds = set(classes(KimiError))
    assert len(kinds) > len(TREE)
    for kind in kinds:
        error = kind("why", advice="Wait.", status=429, retry_after=2.0)
        copy = unpacked(packed(error))
        assert type(copy) is kind
        assert vars(copy) == vars(error)
