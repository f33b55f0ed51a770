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
    refreshed = catalog_of(options).refresh(options.model)
    out.json({"source": refreshed.source, "date": refreshed.date, "models": refreshed.models, "file": refreshed.file})
    out.line(f"{len(refreshed.models)} models from {refreshed.source}, {refreshed.date}")
    out.line(
        f"Kept in {refreshed.file}" if refreshed.file else "Not kept: set KIMI_CACHE_DIR, or install platformdirs."
    )
    return SUCCESS
