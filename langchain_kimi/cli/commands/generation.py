"""Show the record of one call."""

import argparse

from langchain_kimi.cli.codes import SUCCESS
from langchain_kimi.cli.facts import catalog_of
from langchain_kimi.cli.output import Output

HELP = "show the host, the tokens and the cost of one call"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("id", help="the id of the call, gen-...")
    parser.add_argument(
        "--wait", type=float, default=5.0, metavar="SECONDS", help="the time to wait for a new record (default: 5)"
    )


def run(options: argparse.Namespace, out: Output) -> int:
    """Print the record."""
    record = catalog_of(options).generation(options.id, wait=options.wait).model_dump(mode="json", exclude_none=True)
    out.json(record)
    out.table([{"field": name, "value": str(value)} for name, value in record.items()])
    return SUCCESS
