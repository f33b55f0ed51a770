"""Sum up the costs in an audit log."""

import argparse
import sys
from pathlib import Path

from langchain_kimi._costs.report import KEYS, as_html, as_text, lines_in, rows_of
from langchain_kimi.cli.codes import SUCCESS
from langchain_kimi.cli.facts import opened
from langchain_kimi.cli.output import Output

HELP = "sum up the costs in an audit log (the file of an AuditLog)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("log", type=Path, metavar="AUDIT.jsonl", help="the file of an AuditLog")
    parser.add_argument(
        "--by", choices=sorted(KEYS), default="model", help="one row per value of this (default: %(default)s)"
    )
    parser.add_argument("--html", action="store_true", help="print an HTML page with a chart")


def run(options: argparse.Namespace, out: Output) -> int:
    """Print the sums as a table, as JSON, or as a page."""
    with opened(options.log, errors="replace") as file:
        calls, damaged = lines_in(file)
    if damaged:
        sys.stderr.write(f"Not readable and left out: {damaged} of {damaged + len(calls)} lines.\n")
    rows = rows_of(calls, options.by)
    out.json([row.to_dict() for row in rows])
    if options.html:
        out.part(as_html(rows, options.by))
    else:
        out.line(as_text(rows))
    return SUCCESS
