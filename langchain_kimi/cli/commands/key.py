"""Show the limits and the usage of the API key."""

import argparse

from langchain_kimi.catalog import KeyInfo
from langchain_kimi.cli.codes import SUCCESS
from langchain_kimi.cli.facts import catalog_of, number
from langchain_kimi.cli.output import Output

HELP = "show the limits and the usage of the API key"


def arguments(_parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(options: argparse.Namespace, out: Output) -> int:
    """Print the limits and the usage."""
    key = catalog_of(options).key()
    out.json(key.model_dump(mode="json", exclude_unset=True))
    out.table(key_rows(key))
    return SUCCESS


def key_rows(key: KeyInfo) -> list[dict[str, str]]:
    """Return the rows of a table about a key."""
    dollars = {
        "limit": key.limit,
        "remaining": key.limit_remaining,
        "used": key.usage,
        "used today": key.usage_daily,
        "used this week": key.usage_weekly,
        "used this month": key.usage_monthly,
    }
    texts = {"label": key.label, "limit resets": key.limit_reset, "expires": key.expires_at}
    values = {name: number(value, " USD", 4) for name, value in dollars.items()}
    values |= {name: text or "-" for name, text in texts.items()}
    return [{"field": name, "value": value} for name, value in values.items() if value != "-"]
