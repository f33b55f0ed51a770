"""The source files of a package: its modules and their imports."""

import ast
import gc
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "langchain_kimi"


@cache
def parsed(source: str) -> ast.Module:
    """Return the tree of a source. Several rules read the same sources.

    Collecting garbage while so many objects are created would take several times as long as parsing.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        if was_enabled:
            gc.enable()


@cache
def nodes_of(source: str) -> tuple[ast.AST, ...]:
    """Return all nodes of a source. To walk a tree takes as long as to parse it, and several rules do."""
    return tuple(ast.walk(parsed(source)))


@dataclass(frozen=True)
class Import:
    """One import: its line and the full name that it imports."""

    line: int
    name: str


class Module:
    """One source file of a package.

    Attributes:
        name: The dotted name without the package, such as "_openrouter.wire"; "__init__" for the package itself.
        path: The path from the project root.
        source: The text of the file.
    """

    def __init__(self, path: str, source: str) -> None:
        self.path = path
        self.source = source
        parts = path.removesuffix(".py").split("/")[1:]
        self.name = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)

    @property
    def tree(self) -> ast.Module:
        return parsed(self.source)

    @property
    def nodes(self) -> tuple[ast.AST, ...]:
        return nodes_of(self.source)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import of the module, wherever it stands: in functions, under TYPE_CHECKING, and in text.

        A name in text is an annotation that is a string, or a whole string that is a dotted name of the package, such
        as the arguments of `import_module` and `cast`.
        """
        return tuple(_imports_in(self.nodes))


def modules_of(sources: Mapping[str, str]) -> dict[str, Module]:
    """Return the modules by name, from a mapping of path to text."""
    modules = [Module(path, source) for path, source in sorted(sources.items())]
    return {module.name: module for module in modules}


def sources_in(folder: str) -> dict[str, str]:
    """Return the text of every Python file below a folder, by path from the project root."""
    files = sorted((ROOT / folder).rglob("*.py"))
    return {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}


def _imports_in(nodes: Iterable[ast.AST]) -> Iterator[Import]:
    for node in nodes:
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
    """Return the module of the package that defines an imported name; None for names of other packages."""
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return None
    for end in range(len(parts), 1, -1):
        if (candidate := ".".join(parts[1:end])) in modules:
            return candidate
    return "__init__"
