"""Measure the hosts of a model."""

import argparse
from pathlib import Path

from langchain_kimi.cli.codes import CHECK_FAILED, SUCCESS
from langchain_kimi.cli.facts import model_argument, model_of
from langchain_kimi.cli.output import Output

HELP = "measure which hosts of a model serve your tools well (this costs money)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    model_argument(parser)
    parser.add_argument("--cases", type=Path, help="a .jsonl file of your own turns (default: those of the package)")
    parser.add_argument("--hosts", nargs="+", metavar="HOST", help="the hosts (default: all)")
    parser.add_argument(
        "--runs", type=int, default=1, help="the number of times that each case is sent (default: %(default)s)"
    )
    parser.add_argument("--reference", help="the host whose calls are the expected ones")
    parser.add_argument("--max-cost", type=float, default=1.0, help="the budget in US dollars (default: %(default)s)")
    parser.add_argument(
        "--concurrency", type=int, default=5, help="the number of calls at a time (default: %(default)s)"
    )
    parser.add_argument("--results", type=Path, help="a file for the results; an interrupted run continues with it")


def run(options: argparse.Namespace, out: Output) -> int:
    """Print the table and the preferences. The exit code is 3 if no host is good."""
    from langchain_kimi.verify import verify_hosts  # noqa: PLC0415 - other commands do not need it

    report = verify_hosts(
        model_of(options),
        options.hosts,
        cases=options.cases,
        runs=options.runs,
        reference=options.reference,
        max_cost=options.max_cost,
        concurrency=options.concurrency,
        results=options.results,
    )
    out.json(report.to_dict())
    out.table(report.rows())
    incomplete = "" if report.is_complete else " The budget did not allow every call."
    out.line(f"{report.calls} calls, {report.cost:.6f} USD. Intervals are 95 % (Wilson).{incomplete}")
    out.line(report.code)
    return SUCCESS if any(host.verdict == "good" for host in report.hosts) else CHECK_FAILED
