"""Coverage's trace function, which is active only in some tests and in their fixtures.

It makes all Python code two to three times as slow, and most of the code around a test is pytest's own. So only the
tests of a module or a package run with it: the path of their file mirrors that of the module. The markers `covered` and
`uncovered` make exceptions. Without coverage, or where coverage uses `sys.monitoring`, there is no trace function, and
nothing changes.
"""

import importlib
import pkgutil
import sys
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import langchain_kimi
from tests.structure.public import path_of_tests
from tests.structure.tree import PACKAGE, ROOT, Module

TRACE = pytest.StashKey[tuple[Any, Any]]()
TESTS = Path(__file__).parent


@cache
def paths_of_modules() -> frozenset[Path]:
    """Return the test files and folders whose path mirrors that of a module or a package."""
    modules = [Module(file.relative_to(ROOT).as_posix(), "") for file in (ROOT / PACKAGE).rglob("*.py")]
    files = [ROOT / path_of_tests(module) for module in modules]
    return frozenset([*files, *(folder for file in files if (folder := file.parent) != TESTS)])


def is_of_a_module(file: Path) -> bool:
    """Return whether a test file is that of a module, or one of those of a package."""
    return not paths_of_modules().isdisjoint([file, file.parent])


def stop_tracing(config: pytest.Config) -> None:
    """Stop tracing outside of tests. The process that controls the workers traces nothing."""
    if sys.gettrace() and not config.getoption("numprocesses", None):
        # The lines that run at import are traced, and no test depends on which test imports a module first.
        for module in pkgutil.walk_packages(langchain_kimi.__path__, "langchain_kimi."):
            importlib.import_module(module.name)
    config.stash[TRACE] = sys.gettrace(), threading.gettrace()
    _set((None, None))


def import_share(config: pytest.Config) -> None:
    """Import a share of the test files in each process, before each process imports all of them.

    pytest compiles test files itself, and this takes longer than running many of them. It stores the compiled files, so
    each process compiles its share and reads the rest. An import that is not traced here is traced in another process.
    """
    worker = getattr(config, "workerinput", None)
    if worker is None or sys.dont_write_bytecode or [Path(path).name for path in config.args] != [TESTS.name]:
        return
    number, count = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
    if count == 1:
        return
    for path in sorted(TESTS.rglob("test_*.py"))[number::count]:
        with suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))


def import_traced(module: pytest.Module) -> None:
    """Import a test file, with tracing: its tables call functions of the package. Collection reports failures."""
    before = sys.gettrace(), threading.gettrace()
    _set(module.config.stash[TRACE] if is_of_a_module(module.path) else (None, None))
    try:
        with suppress(Exception, pytest.skip.Exception):
            _ = module.obj
    finally:
        _set(before)


@contextmanager
def tracing(item: pytest.Item, *, on: bool = True) -> Generator[None]:
    """Trace the code that runs for a covered test, then restore the previous trace function."""
    before = sys.gettrace(), threading.gettrace()
    _set(item.config.stash[TRACE] if on and is_covered(item) else (None, None))
    try:
        yield
    finally:
        _set(before)


def is_of_the_emulator(file: Path) -> bool:
    """Return whether a test file is one of those of the emulator."""
    return file.is_relative_to(TESTS / "testing")


@contextmanager
def threads_traced(*, on: bool) -> Generator[None]:
    """Trace the threads that start in this block only if that is wanted, then restore the previous trace function."""
    before = threading.gettrace()
    threading.settrace(before if on else None)
    try:
        yield
    finally:
        threading.settrace(before)


def _set(functions: tuple[Any, Any]) -> None:
    sys.settrace(functions[0])
    threading.settrace(functions[1])


def is_covered(item: pytest.Item) -> bool:
    """Return whether a test runs with coverage: by the path of its file, unless a marker decides."""
    if item.get_closest_marker("uncovered"):
        return False
    return is_of_a_module(item.path) or item.get_closest_marker("covered") is not None


def markers_without_effect(sources: Iterable[tuple[str, str]]) -> list[str]:
    """Return one line for each test file, of pairs of path and source, with a marker that its path implies already."""
    return [
        f"{path}: {marker} has no effect there"
        for path, source in sources
        for marker in [".mark.covered" if is_of_a_module(ROOT / path) else ".mark.uncovered"]
        if f"pytest{marker}" in source
    ]
