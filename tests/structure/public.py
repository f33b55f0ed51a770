"""The public modules, and whether each module has its tests."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import ModuleType

from tests.structure.tree import Module

PUBLIC = frozenset(
    {"__init__", "batch", "bulk", "callbacks", "catalog", "chat_models", "cli", "errors", "middleware", "observability"}
    | {"testing", "verify"}
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
        if path_of_tests(module) not in tests and _defines_functions(module.nodes)
    ]


def _defines_functions(nodes: Iterable[ast.AST]) -> bool:
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes)


def unexported(modules: Mapping[str, Module], public_modules: Collection[str], exported: Collection[str]) -> list[str]:
    """Return the public classes that users need and that are not exported.

    These are the classes that the public modules define, and the classes that the public members of an exported class
    return or are.

    Args:
        modules: The modules of the package.
        public_modules: The names of the modules whose public classes users create or catch.
        exported: The names that the package exports.
    """
    classes = {
        node.name: node for module in modules.values() for node in module.tree.body if isinstance(node, ast.ClassDef)
    }
    defined = {
        node.name for name in public_modules for node in modules[name].tree.body if isinstance(node, ast.ClassDef)
    }
    mentioned = {word for name in exported if name in classes for word in _words_of(classes[name], classes)}
    return sorted(
        name for name in defined | (mentioned & classes.keys()) if not name.startswith("_") and name not in exported
    )


def _words_of(kind: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> Iterator[str]:
    """Yield the words in the annotations of the public members of a class, and of its bases in the package."""
    for base in kind.bases:
        if (name := ast.unparse(base)) in classes:
            yield from _words_of(classes[name], classes)
    for node in kind.body:
        match node:
            case ast.FunctionDef(name=name, returns=annotation) | ast.AsyncFunctionDef(name=name, returns=annotation):
                is_public = not name.startswith("_")
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                is_public = not name.startswith("_")
            case _:
                continue
        if is_public and annotation is not None:
            yield from re.findall(r"\w+", ast.unparse(annotation))
