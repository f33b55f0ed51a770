"""List the hosts of a model."""

import argparse
import math
from collections.abc import Callable

from langchain_kimi.catalog import Endpoint
from langchain_kimi.cli.codes import SUCCESS
from langchain_kimi.cli.facts import catalog_of, host_row
from langchain_kimi.cli.output import Output

HELP = "list the hosts of a model, and the features that each refuses"


def _price(host: Endpoint) -> float:
    value = host.pricing.per_million("completion")
    return math.inf if value is None else value


def _throughput(host: Endpoint) -> float:
    return -((host.throughput_last_30m and host.throughput_last_30m.p50) or 0.0)


def _uptime(host: Endpoint) -> float:
    return -(host.uptime_last_1d or 0.0)


SORTS: dict[str, Callable[[Endpoint], float]] = {"price": _price, "throughput": _throughput, "uptime": _uptime}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("model", help="the model's slug")
    parser.add_argument(
        "--sort", choices=[*SORTS], default="price", help="the column to sort by (default: %(default)s)"
    )


def run(options: argparse.Namespace, out: Output) -> int:
    """Print the hosts."""
    hosts = sorted(catalog_of(options).endpoints(options.model).endpoints, key=SORTS[options.sort])
    out.json([host.model_dump(mode="json", exclude_unset=True) for host in hosts])
    out.table([host_row(host) for host in hosts])
    return SUCCESS
