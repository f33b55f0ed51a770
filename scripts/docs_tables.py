"""Write the generated tables of the documentation: parameters, repairs, errors, extras, commands.

Each table is between two markers, such as `<!-- repairs -->` and `<!-- end of repairs -->`. The sections of
`docs/errors.md` are also written to `langchain_kimi/cli/errors.md`, for the command `explain`. With `--check` nothing
is written; the exit code is 1 if a table or that file is out of date.
"""

import argparse
import ast
import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from langchain_core.language_models.chat_models import BaseChatModel

from langchain_kimi import ChatKimi, batch, bulk, errors, middleware
from langchain_kimi._kimi.repairs import REPAIRS
from langchain_kimi.cli import main as command_line
from langchain_kimi.errors import KimiError

ROOT = Path(__file__).parents[1]
EXPLANATIONS = ROOT / "langchain_kimi" / "cli" / "errors.md"
# Every instance of these classes is created as not retryable.
_NEVER_AGAIN = {"KimiLoopError", "KimiRefusalError"}


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
    return table(["parameter", "meaning"], [[f"`{name}`", text] for name, text in documented()])


def repairs() -> list[str]:
    """Return the lines of the table of repairs."""
    rows = [[f"`{one.name}`", one.summary, "on" if one.is_default else "off"] for one in REPAIRS.values()]
    return table(["repair", "what it does", "default"], rows)


def error_classes() -> list[type[KimiError]]:
    """Return the class of every error, parents before their children."""
    modules = (errors, middleware, bulk, batch)
    public = {getattr(module, name) for module in modules for name in module.__all__}
    kinds = [kind for kind in public if isinstance(kind, type) and issubclass(kind, KimiError)]
    return sorted(kinds, key=lambda kind: [one.__name__ for one in reversed(kind.__mro__) if one in public])


def error_table() -> list[str]:
    """Return the lines of the table of errors."""
    rows = [
        [
            f"[`{kind.__name__}`](#{kind.__name__.lower()})",
            f"`{_base_in_langchain(kind)}`",
            "yes" if kind.is_retryable and kind.__name__ not in _NEVER_AGAIN else "no",
            (inspect.getdoc(kind) or "").partition("\n")[0],
        ]
        for kind in error_classes()
    ]
    return table(["error", "LangChain's class", "retryable", "meaning"], rows)


def _base_in_langchain(kind: type[KimiError]) -> str:
    """Return the name of the nearest base class in langchain-core."""
    bases = [base for one in kind.__mro__ for base in one.__bases__ if base.__module__.startswith("langchain_core")]
    # Only newer versions of langchain-core have `ModelRefusalError`; in others `ModelError` replaces it.
    names = [base.__name__ for base in bases if base.__name__ not in {"ModelError", "ModelRefusalError"}]
    return next(iter(names), "ModelError")


def extras() -> list[str]:
    """Return the lines of the table of extras, from the comments in `pyproject.toml`."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    comments, rows = "", []
    names = tomllib.loads(text)["project"]["optional-dependencies"]
    for line in text.partition("[project.optional-dependencies]")[2].partition("\n[")[0].splitlines():
        name = line.partition(" =")[0]
        if line.startswith("#"):
            comments += " " + line.lstrip("# ")
        elif name in names:
            rows.append([f"`{name}`", ", ".join(f"`{one}`" for one in names[name]), comments])
            comments = ""
    return table(["extra", "packages", "purpose"], rows)


def commands() -> list[str]:
    """Return the lines about the commands and their options."""
    parser = command_line.parser()
    [topics] = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001 - argparse lists its arguments nowhere else
    lines = []
    for name, command in topics.choices.items():
        rows = [
            [f"`{_usage(action)}`", (action.help or "") % {**vars(action), "prog": name}]
            for action in command._actions  # noqa: SLF001 - as above
            if action.dest not in {"help", "json", "base_url"}
        ]
        meaning = (command.description or "").rstrip(".")
        lines += [f"## {name}", "", f"{meaning[:1].upper()}{meaning[1:]}.", ""]
        lines += [*table(["argument", "meaning"], rows), ""] if rows else []
    return lines[:-1]


def _usage(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return action.option_strings[-1] + value


def measured() -> list[str]:
    """Return the lines of the README's table of measurements, from the measured tables."""
    failures = _cells("docs/peers.md", "An error event in the middle of a stream")
    deltas = _cells("docs/benchmarks.md", "text delta, stream, µs")
    rows = [
        ["an error in the middle of a stream", *(re.sub("answer: .*", "answer, cut off", cell) for cell in failures)],
        ["structured output: of 189 replies, those that gave neither the value nor a typed error", *_unexplained()],
        ["CPU time of a streamed text delta", *(f"{cell.split()[0]} µs" for cell in deltas[3:6])],
    ]
    return table(["", "ChatKimi", "ChatOpenRouter", "ChatOpenAI"], rows)


def _unexplained() -> Iterator[str]:
    """Yield for each package the number of replies that gave None, an untyped error or a wrong value by default."""
    for name in ("ChatKimi", "ChatOpenRouter", "ChatOpenAI"):
        # Where the four ways to call differ, `invoke` comes first.
        counts = _cells("docs/structured.md", f"`default` | {name}")[2:]
        yield str(sum(int(count.split("/")[0]) for count in counts))


def _cells(page: str, head: str) -> list[str]:
    """Return the cells of a row of a table that follow the cells of `head`."""
    text = (ROOT / page).read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith(f"| {head} |"))
    return [cell.strip() for cell in row.removeprefix(f"| {head} |").strip("| ").split("|")]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    return [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", r"\|") for cell in cells) + " |"


TABLES: dict[str, tuple[str, Callable[[], list[str]]]] = {
    "parameters": ("docs/parameters.md", parameters),
    "repairs": ("docs/parameters.md", repairs),
    "errors": ("docs/errors.md", error_table),
    "extras": ("docs/support.md", extras),
    "measured": ("README.md", measured),
    "commands": ("docs/reference/cli.md", commands),
}
"""The page of each table and the function that makes it, by the word in the markers around it."""


def with_table(text: str, name: str) -> str:
    """Return the text of a page with a table up to date.

    Raises:
        LookupError: The markers of the table are missing.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    head, marker, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (marker and closed):
        raise LookupError(f"The page has no {begin} and {end}.")
    return head + "\n".join([begin, "", *TABLES[name][1](), "", end]) + tail


def explanations(page: str) -> str:
    """Return the text of the file that the command `explain` reads, from the page of the errors."""
    sections = page[page.index("\n## KimiError\n") :]
    fault = r"\1 `openrouter.fail_next(\2)`, with the `Emulator` of `langchain_kimi.testing`"
    sections = re.sub(r"(To see it:\*\*) `([^`]+)`", fault, sections)
    return f"<!-- Generated from docs/errors.md by scripts/docs_tables.py. -->\n{sections}"


def outdated() -> dict[Path, str]:
    """Return the new text of each page whose tables are out of date, and of the file for `explain`."""
    pages = {ROOT / page: (ROOT / page).read_text(encoding="utf-8") for page, _ in TABLES.values()}
    before = dict(pages)
    for name, (page, _) in TABLES.items():
        pages[ROOT / page] = with_table(pages[ROOT / page], name)
    before[EXPLANATIONS] = EXPLANATIONS.read_text(encoding="utf-8")
    pages[EXPLANATIONS] = explanations(pages[ROOT / "docs/errors.md"])
    return {page: text for page, text in pages.items() if text != before[page]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables, or compare them with `--check`; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only compare")
    options = parser.parse_args(arguments)
    pages = outdated()
    if options.check:
        return int(bool(pages))
    for page, text in pages.items():
        page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
