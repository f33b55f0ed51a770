"""The rules of the house, held against the project itself.

What each rule is stands in `tests/house/`, beside the tests that show that it can fail.
"""

import importlib
import tomllib

import pytest

from tests.house import faces, floors, packaging, sizes, words
from tests.house.tree import ROOT, modules_of, sources_in

PACKAGE = sources_in("langchain_kimi")
TESTS = sources_in("tests")
SCRIPTS = sources_in("scripts") | sources_in("examples")
MODULES = modules_of(PACKAGE)
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
SETTINGS = tomllib.loads(PYPROJECT)

FILE_CEILING = 300
TEST_FILE_CEILING = 400
# "path" or "path::function" to its own ceiling and the reason for it.
EXCEPTIONS: dict[str, tuple[int, str]] = {}


def nothing_in(found: list[str]) -> None:
    assert not found, "\n" + "\n".join(found)


def exceptions(*, functions: bool) -> dict[str, tuple[int, str]]:
    return {name: exception for name, exception in EXCEPTIONS.items() if ("::" in name) is functions}


def test_imports_go_down() -> None:
    nothing_in(floors.trespasses(MODULES))


def test_no_permission_is_left_over() -> None:
    nothing_in(floors.unneeded_permissions(MODULES))


def test_imports_make_no_cycle() -> None:
    nothing_in(floors.cycle(MODULES))


def test_only_the_door_reads_the_environment() -> None:
    nothing_in(floors.environment_reads(MODULES))


def test_nobody_in_the_house_imports_testing() -> None:
    nothing_in(floors.imports_from_testing(MODULES))


def test_files_are_short() -> None:
    lengths = sizes.file_sizes(PACKAGE | SCRIPTS)
    nothing_in(sizes.too_long(lengths, FILE_CEILING, exceptions(functions=False)))
    nothing_in(sizes.too_long(sizes.file_sizes(TESTS), TEST_FILE_CEILING, {}))


def test_functions_are_short() -> None:
    lengths = sizes.function_sizes(PACKAGE | SCRIPTS | TESTS)
    nothing_in(sizes.too_long(lengths, sizes.FUNCTION_CEILING, exceptions(functions=True)))


# ruff counts complexity; here it only must not be told to look away.
def test_ruff_holds_functions_to_their_complexity() -> None:
    lint = SETTINGS["tool"]["ruff"]["lint"]
    ignored = [*lint["ignore"], *(rule for rules in lint["per-file-ignores"].values() for rule in rules)]
    assert lint["select"] == ["ALL"]
    assert lint["mccabe"]["max-complexity"] == 10
    assert not [rule for rule in ignored if "C901".startswith(rule)]
    assert [path for path, source in (PACKAGE | SCRIPTS | TESTS).items() if "noqa: " + "C901" in source] == []


# `__all__` is sorted by ruff's RUF022.
def test_all_is_what_is_public() -> None:
    package = importlib.import_module("langchain_kimi")
    assert sorted(package.__all__) == sorted(faces.public_names(package))


@pytest.mark.parametrize("name", sorted((faces.PUBLIC - {"__init__"}) & set(MODULES)))
def test_what_a_public_module_lists_is_there(name: str) -> None:
    module = importlib.import_module(floors.full_name(name))
    assert [listed for listed in getattr(module, "__all__", ()) if not hasattr(module, listed)] == []


def test_no_module_is_public_by_accident() -> None:
    nothing_in(faces.unforeseen(MODULES))


def test_every_module_has_its_tests() -> None:
    nothing_in(faces.untested(MODULES, TESTS))


def test_no_file_holds_unwanted_words() -> None:
    nothing_in(words.unwanted_words(words.files_of_project(ROOT)))


def test_no_checker_is_switched_off_silently() -> None:
    nothing_in(words.silent_exceptions(PACKAGE | SCRIPTS | TESTS))


def test_tests_mock_nothing() -> None:
    nothing_in(words.mocks(TESTS))


def test_versions_agree() -> None:
    version = SETTINGS["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert importlib.import_module("langchain_kimi._version").__version__ == version
    assert packaging.newest_version(changelog) == version


def test_every_dependency_has_its_reason() -> None:
    nothing_in(packaging.unexplained(PYPROJECT))


@pytest.mark.parametrize(
    ("lock", "groups"), [("requirements.txt", (None, "build")), ("requirements-dev.txt", (None, "dev"))]
)
def test_locks_hold_what_is_asked_for(lock: str, groups: tuple[str | None, ...]) -> None:
    pins = packaging.pins((ROOT / lock).read_text(encoding="utf-8"))
    assert [packaging.unmet(packaging.requirements(SETTINGS, group), pins) for group in groups] == [[], []]


def test_both_locks_hold_the_same_versions() -> None:
    small, large = (
        packaging.pins((ROOT / lock).read_text(encoding="utf-8"))
        for lock in ("requirements.txt", "requirements-dev.txt")
    )
    assert small.items() <= large.items()
