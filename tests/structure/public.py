"""The public modules, and whether each module has its tests."""

import ast
from collections.abc import Collection, Mapping
from types import ModuleType

from tests.structure.tree import Module

PUBLIC = frozenset(
    {"__init__", "bulk", "callbacks", "catalog", "chat_models", "cli", "errors", "observability", "testing", "verify"}
)
"""The top-level modules without an underscore. Everything else is private and may move."""


def public_names(module: ModuleType) -> set[str]:
    """Return the public names of a package that are not modules, and `__version__`."""
    # Some names are only imported when they are used, so `vars` may lack them.
    return {
        name
        for name in dir(module)
        if name == "__version__" or not (name.startswith("_") or isinstance(getattr(module, name), ModuleType))
    }


def unlisted(modules: Mapping[str, Module]) -> list[str]:
    """Return the top-level modules without an underscore that `PUBLIC` does not list."""
    tops = {name.split(".")[0] for name in modules}
    return sorted(name for name in tops - PUBLIC if not name.startswith("_"))


def path_of_tests(module: Module) -> str:
    """Return where the tests of a module are: the same path, without leading underscores."""
    parts = [part.strip("_") for part in module.name.split(".")]
    return "/".join(["tests", *parts[:-1], f"test_{parts[-1]}.py"])


def untested(modules: Mapping[str, Module], tests: Collection[str]) -> list[str]:
    """Return one line for each module that defines a function or method and has no test file of its own."""
    return [
        f"{module.path} has no {path_of_tests(module)}"
        for module in modules.values()
        if path_of_tests(module) not in tests and _defines_functions(module.tree)
    ]


def _defines_functions(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree))
