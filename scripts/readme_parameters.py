"""Write the README's table of parameters from the docstrings of the settings' fields; `--check` only compares."""

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from langchain_core.language_models.chat_models import BaseChatModel

from langchain_kimi import ChatKimi

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- parameters -->", "<!-- end of parameters -->"


def documented() -> Iterator[tuple[str, str]]:
    """Yield the constructor's name of each field and its docstring: the model's own settings, then the wire's.

    Raises:
        LookupError: a field has no docstring.
    """
    untold = set(ChatKimi.model_fields) - set(BaseChatModel.model_fields)
    for kind in ChatKimi.__mro__:
        if kind.__module__.startswith("langchain_kimi"):
            node = ast.parse(inspect.getsource(kind)).body[0]
            for name, text in _fields_of(node) if isinstance(node, ast.ClassDef) else ():
                if name in untold:
                    untold.remove(name)
                    yield ChatKimi.model_fields[name].alias or name, text
    if untold:
        raise LookupError(f"These fields have no docstring: {', '.join(sorted(untold))}.")


def _fields_of(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, docstring in zip(node.body, node.body[1:], strict=False):
        match field, docstring:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, text


def table() -> str:
    """Give the table in Markdown."""
    rows = [f"| `{name}` | {' '.join(text.split()).replace('|', chr(92) + '|')} |" for name, text in documented()]
    return "\n".join([BEGIN, "", "| parameter | meaning |", "| --- | --- |", *rows, "", END])


def main() -> int:
    """Write the table, or with `--check` say whether it is up to date."""
    text = README.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    written = head + table() + tail
    if "--check" in sys.argv:
        return int(written != text)
    README.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
