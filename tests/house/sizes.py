"""The ceilings: how long a file and a function may be.

A file is measured in lines. A function is measured in lines of code, from its `def` to its end: lines that hold nothing
but a comment, a docstring or blanks do not count, and neither do decorators; a function inside counts for both.
"""

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping

FUNCTION_CEILING = 40
_NO_CODE = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def file_sizes(sources: Mapping[str, str]) -> dict[str, int]:
    """The number of lines of each file."""
    return {path: len(source.splitlines()) for path, source in sources.items()}


def function_sizes(sources: Mapping[str, str]) -> dict[str, int]:
    """The lines of code of each function, by "path::name"; of two with one name in a file, the longer."""
    sizes: dict[str, int] = {}
    for path, source in sources.items():
        for name, size in _functions(source):
            key = f"{path}::{name}"
            sizes[key] = max(size, sizes.get(key, 0))
    return sizes


def _functions(source: str) -> Iterator[tuple[str, int]]:
    tree = ast.parse(source)
    code = _lines_of_code(source, tree)
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTION):
            span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            yield node.name, sum(line in code for line in span)


def _lines_of_code(source: str, tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines.difference(*_docstrings(tree))


def _docstrings(tree: ast.Module) -> Iterator[range]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, *_FUNCTION)) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            yield range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1)


def too_long(sizes: Mapping[str, int], ceiling: int, exceptions: Mapping[str, tuple[int, str]]) -> list[str]:
    """One line for each thing above its ceiling, and for each exception that is not needed or has no reason.

    Args:
        sizes: Name to size.
        ceiling: For all that are no exceptions.
        exceptions: Name to a ceiling of its own and the reason for it.
    """
    found = [f"{name} has {size} lines" for name, size in sizes.items() if size > exceptions.get(name, (ceiling,))[0]]
    for name, (_, reason) in exceptions.items():
        if sizes.get(name, 0) <= ceiling:
            found.append(f"{name} is an exception and needs none")
        if not reason:
            found.append(f"{name} is an exception without a reason")
    return found
