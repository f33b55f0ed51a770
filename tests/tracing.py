"""Coverage's trace function, active in the tests of modules and in the project's fixtures alone.

It slows all Python code down by a factor of two to three, and most of the code around a test is pytest's own. The tests
of a module or a package, whose path mirrors its path, cover it; all others run at full speed. Without coverage, or
where coverage uses `sys.monitoring`, there is no trace function and nothing changes.
"""

import importlib
import pkgutil
import sys
import threading
from collections.abc import Generator
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
    """Return whether a test file is that of a module, or one of several about a package."""
    return not paths_of_modules().isdisjoint([file, file.parent])


def stop_tracing(config: pytest.Config) -> None:
    """Stop tracing outside of tests. The process that only controls others traces nothing at all."""
    if sys.gettrace() and not config.getoption("numprocesses", None):
        # The lines that run at import are traced, and no test depends on which test imports a module first.
        for module in pkgutil.walk_packages(langchain_kimi.__path__, "langchain_kimi."):
            importlib.import_module(module.name)
    config.stash[TRACE] = sys.gettrace(), threading.gettrace()
    _set((None, None))


def import_share(config: pytest.Config) -> None:
    """Import a part of all tests in each process, before all import all of them.

    pytest compiles tests itself, which takes longer than to run many of them. It keeps the result in files, so that
    each process compiles its part and reads the rest. What is traced of an import is traced by another process.
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
    """Import a module of tests: its tables call functions of the package. Collection reports a failure."""
    before = sys.gettrace(), threading.gettrace()
    _set(module.config.stash[TRACE] if is_of_a_module(module.path) else (None, None))
    try:
        with suppress(Exception, pytest.skip.Exception):
            _ = module.obj
    finally:
        _set(before)


@contextmanager
def tracing(item: pytest.Item, *, on: bool = True) -> Generator[None]:
    """Trace what runs for a test, if it is to be covered; afterwards restore the previous function."""
    before = sys.gettrace(), threading.gettrace()
    _set(item.config.stash[TRACE] if on and is_covered(item) else (None, None))
    try:
        yield
    finally:
        _set(before)


def _set(functions: tuple[Any, Any]) -> None:
    sys.settrace(functions[0])
    threading.settrace(functions[1])


def is_covered(item: pytest.Item) -> bool:
    """Return whether a test runs with coverage: by its path, unless it has one of the two marks."""
    if item.get_closest_marker("uncovered"):
        return False
    return is_of_a_module(item.path) or item.get_closest_marker("covered") is not None
