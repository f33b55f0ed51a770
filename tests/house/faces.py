"""The public face: what a module offers, and whether each module has its tests."""

import ast
from collections.abc import Collection, Mapping
from types import ModuleType

from tests.house.tree import Module

PUBLIC = frozenset({"__init__", "callbacks", "chat_models", "errors", "testing"})
INTERNAL = frozenset({"kimi", "loading", "openrouter", "settings"})


def public_names(module: ModuleType) -> set[str]:
    """What can be imported from a package by a public name and is no module, and its version."""
    return {
        name
        for name, value in vars(module).items()
        if name == "__version__" or not (name.startswith("_") or isinstance(value, ModuleType))
    }


def unforeseen(modules: Mapping[str, Module]) -> list[str]:
    """The top-level modules without an underscore that are neither public nor known to be internal."""
    tops = {name.split(".")[0] for name in modules}
    return sorted(name for name in tops - PUBLIC - INTERNAL if not name.startswith("_"))


def path_of_tests(module: Module) -> str:
    """Where a module's tests are: the same path, without the underscores that make it private."""
    parts = [part.strip("_") for part in module.name.split(".")]
    return "/".join(["tests", *parts[:-1], f"test_{parts[-1]}.py"])


def untested(modules: Mapping[str, Module], tests: Collection[str]) -> list[str]:
    """The modules that do something, hold a function or a method, and have no test file of their own."""
    return [
        f"{module.path} has no {path_of_tests(module)}"
        for module in modules.values()
        if path_of_tests(module) not in tests and _does_something(module.tree)
    ]


def _does_something(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree))
