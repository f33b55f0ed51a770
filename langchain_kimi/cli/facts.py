"""Parts of several commands: the model and the catalog of the options, and rows of tables."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from langchain_kimi._constructor import DEFAULT_MODEL
from langchain_kimi.catalog import Catalog, Endpoint, Pricing
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiUsageError

ABILITIES = ("tools", "structured_outputs", "reasoning")
"""The parameters that a table of hosts shows where they are missing."""


def catalog_of(options: argparse.Namespace) -> Catalog:
    """Return the catalog of the chosen server, with the key of the environment."""
    return Catalog(base_url=options.base_url)


def model_of(options: argparse.Namespace, **settings: Any) -> ChatKimi:
    """Return the chosen model, with the key of the environment."""
    return ChatKimi(model=options.model, base_url=options.base_url, **settings)


def model_argument(parser: argparse.ArgumentParser) -> None:
    """Add the optional argument MODEL."""
    parser.add_argument("model", nargs="?", default=DEFAULT_MODEL, help="the model's slug (default: %(default)s)")


@contextmanager
def opened(path: Path, errors: str = "strict") -> Iterator[TextIO]:
    """Open a text file, without a byte order mark.

    Raises:
        KimiUsageError: The file cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", errors=errors) as file:
            yield file
    except OSError as error:
        raise KimiUsageError(f"{path} cannot be read: {error.strerror}.") from error


def text_of(path: Path) -> str:
    """Return the text of a file, without a byte order mark.

    Raises:
        KimiUsageError: The file cannot be read, or is not UTF-8.
    """
    try:
        with opened(path) as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise KimiUsageError(f"{path} is not UTF-8.", advice="Convert it to UTF-8.") from error


def price(pricing: Pricing, name: str) -> str:
    """Return a price in US dollars per million tokens, `-` if it is not listed."""
    value = pricing.per_million(name)
    return "-" if value is None else f"{value:g}"


def number(value: float | None, unit: str = "", digits: int = 0) -> str:
    """Return a number with its unit, `-` if it is not known."""
    return "-" if value is None else f"{value:,.{digits}f}{unit}"


def refusals(host: Endpoint) -> list[str]:
    """Return the parameters and the values of `tool_choice` that a host does not support."""
    choices = host.supports_tool_choice
    values = [] if choices is None else [name for name in ("required", "function") if getattr(choices, name) is False]
    return [*host.lacks([*ABILITIES]), *(f"tool_choice {name}" for name in values)]


def host_row(host: Endpoint) -> dict[str, str]:
    """Return the row of a host in a table."""
    latency, throughput = host.latency_last_30m, host.throughput_last_30m
    return {
        "host": host.tag,
        "$/M in": price(host.pricing, "prompt"),
        "$/M out": price(host.pricing, "completion"),
        "$/M cached": price(host.pricing, "input_cache_read"),
        "context": number(host.context_length),
        "max out": number(host.max_completion_tokens),
        "weights": host.quantization or "-",
        "uptime": number(host.uptime_last_1d, " %", 1),
        "first token": number(latency.p50 and latency.p50 / 1000, " s", 1) if latency else "-",
        "tokens/s": number(throughput.p50) if throughput else "-",
        "refuses": ", ".join(refusals(host)) or "-",
    }
