"""A package as its source files: which modules it has, and what each of them imports."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "langchain_kimi"


@dataclass(frozen=True)
class Import:
    """One import: the line it stands on, and the full name of what it names."""

    line: int
    name: str


class Module:
    """One source file of a package.

    Attributes:
        name: The dotted name without the package's, "openrouter.sse"; "__init__" for the package itself.
        path: Where the file lies, from the project's root.
        source: Its text.
    """

    def __init__(self, path: str, source: str) -> None:
        self.path = path
        self.source = source
        parts = path.removesuffix(".py").split("/")[1:]
        self.name = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)


def modules_of(sources: Mapping[str, str]) -> dict[str, Module]:
    """The modules by name, of a table from path to text."""
    found = [Module(path, source) for path, source in sorted(sources.items())]
    return {module.name: module for module in found}


def sources_in(folder: str) -> dict[str, str]:
    """Every Python file below one folder of the project, by its path from the root."""
    files = sorted((ROOT / folder).rglob("*.py"))
    return {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}


def imports_of(module: Module) -> Iterator[Import]:
    """Every import of a module, wherever it stands: in functions, under TYPE_CHECKING, and in words.

    A name in words is an annotation that is a string, or a whole string that is a dotted name of the package, as
    `import_module` and `cast` are given.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from (Import(node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.fullmatch(rf"{PACKAGE}(\.\w+)+", node.value):
                yield Import(node.lineno, node.value)
        else:
            yield from _in_annotation(node)


def _in_annotation(node: ast.AST) -> Iterator[Import]:
    annotations = [getattr(node, "annotation", None), getattr(node, "returns", None)]
    for annotation in filter(None, annotations):
        for part in ast.walk(annotation):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                names = re.findall(rf"\b{PACKAGE}(?:\.\w+)+", part.value)
                yield from (Import(part.lineno, name) for name in names)


def target(name: str, modules: Mapping[str, Module]) -> str | None:
    """The module of the package that an imported name lies in; None when it is not the package's at all."""
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return None
    for end in range(len(parts), 1, -1):
        if (candidate := ".".join(parts[1:end])) in modules:
            return candidate
    return "__init__"
