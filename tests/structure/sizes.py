"""The size limits of files and functions.

A file is measured in lines. A function is measured in lines of code from its `def` to its end. Comments, docstrings,
blank lines and decorators do not count. A nested function counts for itself and for the function around it.
"""

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping

from tests.structure.tree import nodes_of

FUNCTION_LIMIT = 40
_NO_CODE = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def file_sizes(sources: Mapping[str, str]) -> dict[str, int]:
    """Return the number of lines of each file."""
    return {path: len(source.splitlines()) for path, source in sources.items()}


def with_long_functions(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the sources that have a function of more lines than the limit, because counting lines of code is slow."""
    return {path: source for path, source in sources.items() if any(_spans(source))}


def _spans(source: str) -> Iterator[bool]:
    for node in nodes_of(source):
        if isinstance(node, _FUNCTION):
            yield (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LIMIT


def function_sizes(sources: Mapping[str, str]) -> dict[str, int]:
    """Return the lines of code of each function by "path::name"; the longer one of two with the same name."""
    sizes: dict[str, int] = {}
    for path, source in sources.items():
        for name, size in _functions(source):
            key = f"{path}::{name}"
            sizes[key] = max(size, sizes.get(key, 0))
    return sizes


def _functions(source: str) -> Iterator[tuple[str, int]]:
    code = _lines_of_code(source)
    for node in nodes_of(source):
        if isinstance(node, _FUNCTION):
            span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            yield node.name, sum(line in code for line in span)


def _lines_of_code(source: str) -> set[int]:
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines.difference(*_docstrings(nodes_of(source)))


def _docstrings(nodes: Iterable[ast.AST]) -> Iterator[range]:
    for node in nodes:
        if isinstance(node, (ast.Module, ast.ClassDef, *_FUNCTION)) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            yield range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1)


def too_long(sizes: Mapping[str, int], limit: int, exceptions: Mapping[str, tuple[int, str]]) -> list[str]:
    """Return one line for each item above its limit, and for each exception that is unneeded or has no reason.

    Args:
        sizes: Name to size.
        limit: The limit of every name without an exception.
        exceptions: Name to its own limit and the reason for it.
    """
    lines = [f"{name} has {size} lines" for name, size in sizes.items() if size > exceptions.get(name, (limit,))[0]]
    for name, (_, reason) in exceptions.items():
        if sizes.get(name, 0) <= limit:
            lines.append(f"{name} is an exception but does not need one")
        if not reason:
            lines.append(f"{name} is an exception without a reason")
    return lines
