"""Reads the Markdown pages of the documentation, and runs their code."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>python|diff)\n(?P<code>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)


class Block(NamedTuple):
    """A block of code of a page, with its place."""

    page: str
    line: int
    code: str

    def run(self, namespace: dict[str, Any]) -> None:
        """Execute the code. Errors name the line of the page."""
        padding = "\n" * self.line
        exec(compile(padding + self.code, self.page, "exec"), namespace)  # noqa: S102 - the project's own pages


def pages() -> list[Path]:
    """Return the pages of the site and the README."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md")), *sorted(DOCS.rglob("*.mdx"))]


def blocks(page: Path) -> list[Block]:
    """Return the Python code of a page. Of a comparison (`diff`), the new lines count."""
    return list(_blocks(page.relative_to(ROOT).as_posix(), page.read_text(encoding="utf-8")))


def _blocks(name: str, text: str) -> Iterator[Block]:
    for match in _BLOCK.finditer(text):
        lines = match["code"].splitlines()
        if match["language"] == "diff":
            # A removed line stays as an empty one, so that line numbers in errors are those of the page.
            lines = ["" if line.startswith("-") else line[1:] for line in lines]
        code = "\n".join(line.removeprefix(match["indent"]) for line in lines) + "\n"
        yield Block(name, text.count("\n", 0, match.start()) + 1, code)


def functions_named_test(namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the tests that a page defines."""
    for name, value in list(namespace.items()):
        if name.startswith("test_") and inspect.isfunction(value):
            yield name, value
