"""Write the README's tables: parameters from the docstrings of the settings, repairs from their registry.

With `--check` nothing is written; the exit code is 1 if a table is out of date.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from langchain_core.language_models.chat_models import BaseChatModel

from langchain_kimi import ChatKimi
from langchain_kimi._kimi.repairs import REPAIRS

README = Path(__file__).parents[1] / "README.md"


def documented() -> Iterator[tuple[str, str]]:
    """Yield the constructor's name of each field and its docstring, in the order of the classes.

    Raises:
        LookupError: A field has no docstring.
    """
    missing = set(ChatKimi.model_fields) - set(BaseChatModel.model_fields)
    for kind in ChatKimi.__mro__:
        if kind.__module__.startswith("langchain_kimi"):
            node = ast.parse(inspect.getsource(kind)).body[0]
            for name, text in _fields_of(node) if isinstance(node, ast.ClassDef) else ():
                if name in missing:
                    missing.remove(name)
                    yield ChatKimi.model_fields[name].alias or name, text
    if missing:
        raise LookupError(f"These fields have no docstring: {', '.join(sorted(missing))}.")


def _fields_of(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, docstring in zip(node.body, node.body[1:], strict=False):
        match field, docstring:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, text


def parameters() -> list[str]:
    """Return the lines of the table of parameters."""
    return ["| parameter | meaning |", "| --- | --- |", *(_row(f"`{name}`", text) for name, text in documented())]


def repairs() -> list[str]:
    """Return the lines of the table of repairs."""
    rows = [_row(f"`{one.name}`", one.summary, "on" if one.is_default else "off") for one in REPAIRS.values()]
    return ["| repair | what it does | default |", "| --- | --- | --- |", *rows]


def _row(*cells: str) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", r"\|") for cell in cells) + " |"


TABLES = {"parameters": parameters, "repairs": repairs}
"""The functions that make the tables, by the word in the markers around them."""


def with_tables(text: str) -> str:
    """Return a README with its tables up to date.

    Raises:
        LookupError: The markers of a table are missing.
    """
    for name, lines in TABLES.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        head, marker, rest = text.partition(begin)
        _, closed, tail = rest.partition(end)
        if not (marker and closed):
            raise LookupError(f"The README has no {begin} and {end}.")
        text = head + "\n".join([begin, "", *lines(), "", end]) + tail
    return text


def main() -> int:
    """Write the tables, or compare them with `--check`; return the exit code."""
    text = README.read_text(encoding="utf-8")
    updated = with_tables(text)
    if "--check" in sys.argv:
        return int(updated != text)
    README.write_text(updated, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
