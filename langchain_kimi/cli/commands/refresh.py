"""Fetch today's profiles and prices."""

import argparse

from langchain_kimi.cli.codes import SUCCESS
from langchain_kimi.cli.facts import catalog_of, model_argument
from langchain_kimi.cli.output import Output

HELP = "fetch today's profiles and prices, and keep them for later programs"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    model_argument(parser)


def run(options: argparse.Namespace, out: Output) -> int:
    """Print what was fetched and where it is kept."""
    found = catalog_of(options).refresh(options.model)
    out.json({"source": found.source, "date": found.date, "models": found.models, "file": found.file})
    out.line(f"{len(found.models)} models from {found.source}, {found.date}")
    out.line(f"Kept in {found.file}" if found.file else "Not kept: set KIMI_CACHE_DIR, or install platformdirs.")
    return SUCCESS
