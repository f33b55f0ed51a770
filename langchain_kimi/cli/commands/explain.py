"""Explain an error: its causes and remedies, from the page of the documentation."""

import argparse
import re
import sys
from difflib import get_close_matches
from importlib.resources import files

from langchain_kimi._explanations import address_of
from langchain_kimi.cli.codes import SUCCESS, WRONG
from langchain_kimi.cli.output import Output

HELP = "print the causes and remedies of an error, offline"
# A link to another page is only its text on a terminal.
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("error", nargs="?", help="the class of the error (default: list all)")


def run(options: argparse.Namespace, out: Output) -> int:
    """Print a section, or the list of all errors."""
    texts = sections()
    if options.error is None:
        out.json([{"error": name, "text": text} for name, text in texts.items()])
        out.table([{"error": name, "cause": _first_sentence(text)} for name, text in texts.items()])
        return SUCCESS
    # Tracebacks show a class with its module, and addresses its anchor in lower case.
    wanted = options.error.rpartition("#")[2].rpartition(".")[2].rstrip(":").lower()
    names = {name.lower(): name for name in texts}
    if wanted not in names:
        similar = [names[close] for close in get_close_matches(wanted, names, n=3)] or ["KimiError"]
        sys.stderr.write(f"{options.error!r} is not an error of this package. Similar: {', '.join(similar)}.\n")
        return WRONG
    name = names[wanted]
    out.json({"error": name, "text": texts[name]})
    out.line(f"{name}\n", style="bold")
    out.line("\n\n".join(filter(None, [texts[name], address_of(name)])))
    return SUCCESS


def sections() -> dict[str, str]:
    """Return the text about each error, by the name of its class."""
    page = files("langchain_kimi.cli").joinpath("errors.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\w+)$", page, flags=re.MULTILINE)
    texts = (_LINK.sub(r"\1", text).replace("**", "").strip() for text in parts[2::2])
    return dict(zip(parts[1::2], texts, strict=True))


def _first_sentence(text: str) -> str:
    return re.split(r"[.:](?:\s|$)", " ".join(text.removeprefix("* Cause: ").split()))[0]
