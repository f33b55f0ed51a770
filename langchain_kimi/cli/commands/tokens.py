"""Count the tokens of files, offline."""

import argparse
from pathlib import Path

from langchain_kimi.cli.codes import SUCCESS
from langchain_kimi.cli.facts import model_of, text_of
from langchain_kimi.cli.output import Output

HELP = "count the tokens of files, offline"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    file_arguments(parser)


def file_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files and the model of a command that reads texts."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="text files")
    parser.add_argument("--model", default="moonshotai/kimi-k2-0905", help="the model's slug (default: %(default)s)")


def run(options: argparse.Namespace, out: Output) -> int:
    """Print the counts."""
    model = model_of(options, api_key="offline")
    counts = [(str(file), model.count_tokens(text_of(file))) for file in options.files]
    out.json([{"file": name, "tokens": count.tokens, "exact": count.exact} for name, count in counts])
    out.table(
        [
            {"file": name, "tokens": f"{count.tokens:,}", "count": "exact" if count.exact else "estimate"}
            for name, count in counts
        ]
    )
    return SUCCESS
