"""The structural rules of the project, checked on the project itself.

Each rule is implemented in `tests/structure/`, next to tests that show that it can fail.
"""

import gc
import importlib
import tomllib
from collections.abc import Iterator

import pytest

from tests.structure import imports, packaging, public, sizes, text
from tests.structure.tree import ROOT, modules_of, sources_in
from tests.tracing import markers_without_effect

PACKAGE = sources_in("langchain_kimi")
TESTS = sources_in("tests")
SCRIPTS = sources_in("scripts") | sources_in("examples")
MODULES = modules_of(PACKAGE)
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
SETTINGS = tomllib.loads(PYPROJECT)

FILE_LIMIT = 400
TEST_FILE_LIMIT = 400
# "path" or "path::function" to its own limit and the reason for it.
EXCEPTIONS: dict[str, tuple[int, str]] = {
    "langchain_kimi/chat_models.py": (607, "one class: LangChain's methods, overloads, and the docstrings for users"),
    "langchain_kimi/errors.py": (430, "the tree of errors, drawn and defined in one place"),
}

EXPORTED_MODULES = {
    "errors", "callbacks", "chat_models", "_openrouter.parameters.options", "_openrouter.parameters.plugin",
    "_openrouter.parameters.plugins",
    "_openrouter.parameters.server_tools",
}  # fmt: skip
NOT_EXPORTED = {
    # The keyword arguments of the errors' constructors, which only this package calls.
    "BudgetDetails",
    "ErrorDetails",
    "StructuredOutputDetails",
    # The base class of the option objects.
    "Options",
    # The limits that `Timeout` derives from the user's own.
    "PhaseLimits",
    # The runnable of `bind`, which users know as a `Runnable`.
    "ModelBinding",
}


@pytest.fixture(scope="module", autouse=True)
def no_collections() -> Iterator[None]:
    """Collect no garbage among millions of nodes, which would take longer than to parse them, and never search them."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def assert_none(lines: list[str]) -> None:
    assert not lines, "\n" + "\n".join(lines)


def exceptions(*, functions: bool) -> dict[str, tuple[int, str]]:
    return {name: exception for name, exception in EXCEPTIONS.items() if ("::" in name) is functions}


def test_imports_follow_the_layers() -> None:
    assert_none(imports.forbidden_imports(MODULES))


def test_no_permission_is_unused() -> None:
    assert_none(imports.unused_permissions(MODULES))


def test_imports_form_no_cycle() -> None:
    assert_none(imports.cycle(MODULES))


def test_only_listed_modules_read_the_environment() -> None:
    assert_none(imports.environment_reads(MODULES))


def test_the_package_does_not_import_testing() -> None:
    assert_none(imports.imports_from_testing(MODULES))


def test_files_are_short() -> None:
    lengths = sizes.file_sizes(PACKAGE | SCRIPTS)
    assert_none(sizes.too_long(lengths, FILE_LIMIT, exceptions(functions=False)))
    assert_none(sizes.too_long(sizes.file_sizes(TESTS), TEST_FILE_LIMIT, {}))


def test_functions_are_short() -> None:
    lengths = sizes.function_sizes(sizes.with_long_functions(PACKAGE | SCRIPTS | TESTS))
    assert_none(sizes.too_long(lengths, sizes.FUNCTION_LIMIT, exceptions(functions=True)))


# ruff counts complexity. This test checks that no setting or comment turns it off.
def test_ruff_checks_complexity() -> None:
    lint = SETTINGS["tool"]["ruff"]["lint"]
    ignored = [*lint["ignore"], *(rule for rules in lint["per-file-ignores"].values() for rule in rules)]
    assert lint["select"] == ["ALL"]
    assert lint["mccabe"]["max-complexity"] == 10
    assert not [rule for rule in ignored if "C901".startswith(rule)]
    assert [path for path, source in (PACKAGE | SCRIPTS | TESTS).items() if "noqa: " + "C901" in source] == []


# `__all__` is sorted by ruff's RUF022.
def test_all_lists_the_public_names() -> None:
    package = importlib.import_module("langchain_kimi")
    assert sorted(package.__all__) == sorted(public.public_names(package))


def test_every_class_that_users_need_is_exported() -> None:
    exported = {name for path in ("", ".catalog") for name in importlib.import_module(f"langchain_kimi{path}").__all__}
    # `batch` and `bulk` are public packages with names of their own, some of which are the same.
    own = ("batch", "bulk")
    others = {name: module for name, module in MODULES.items() if not any(imports.covers(one, name) for one in own)}
    assert public.unexported(others, EXPORTED_MODULES, exported) == sorted(NOT_EXPORTED)


@pytest.mark.parametrize("name", sorted((public.PUBLIC - {"__init__"}) & set(MODULES)))
def test_a_public_module_defines_what_it_lists(name: str) -> None:
    module = importlib.import_module(imports.full_name(name))
    assert [listed for listed in getattr(module, "__all__", ()) if not hasattr(module, listed)] == []


def test_public_modules_are_listed() -> None:
    assert_none(public.unlisted(MODULES))


def test_every_module_has_tests() -> None:
    assert_none(public.untested(MODULES, TESTS))


def test_no_file_contains_unwanted_text() -> None:
    assert_none(text.unwanted_text(text.files_of_project(ROOT)))


def test_suppressions_have_reasons() -> None:
    assert_none(text.silent_exceptions(PACKAGE | SCRIPTS | TESTS))


def test_names_say_what_a_value_is() -> None:
    assert_none(text.unclear_names(PACKAGE | SCRIPTS | TESTS))


def test_annotations_mean_the_same_when_they_are_evaluated_later() -> None:
    assert_none(text.hidden_annotations(PACKAGE | SCRIPTS | TESTS))


def test_markers_about_coverage_have_an_effect() -> None:
    assert_none(markers_without_effect(TESTS.items()))


def test_tests_do_not_mock() -> None:
    assert_none(text.mocks(TESTS))


def test_versions_agree() -> None:
    version = SETTINGS["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert importlib.import_module("langchain_kimi._version").__version__ == version
    assert packaging.newest_version(changelog) == version


def test_errors_link_to_the_site_of_the_metadata() -> None:
    address = SETTINGS["project"].get("urls", {}).get("Documentation", "")
    assert address == importlib.import_module("langchain_kimi._version").DOCUMENTATION


def test_every_dependency_has_a_reason() -> None:
    assert_none(packaging.unexplained(PYPROJECT))


@pytest.mark.parametrize(
    ("lock", "groups"), [("requirements.txt", (None, "build")), ("requirements-dev.txt", (None, "dev"))]
)
def test_locks_satisfy_the_requirements(lock: str, groups: tuple[str | None, ...]) -> None:
    pins = packaging.pins((ROOT / lock).read_text(encoding="utf-8"))
    assert [packaging.unmet(packaging.requirements(SETTINGS, group), pins) for group in groups] == [[], []]


def test_both_locks_pin_the_same_versions() -> None:
    small, large = (
        packaging.pins((ROOT / lock).read_text(encoding="utf-8"))
        for lock in ("requirements.txt", "requirements-dev.txt")
    )
    assert small.items() <= large.items()
