"""Read the prices of Kimi models from the optional package `genai-prices`.

Pydantic publishes the package. It contains the price lists of OpenRouter and of many hosts, with the dates of their
changes, and can update itself (`genai_prices.UpdatePrices`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

from langchain_kimi._kimi.families import base_slug
from langchain_kimi._kimi.price_rows import HighestPrices, ModelRow, PriceRow
from langchain_kimi._patterns import lazy_pattern

ROUTER, MAKER = "openrouter", "moonshotai"
# The slugs on OpenRouter of hosts of Kimi models, by their ids in the package.
HOSTS = {
    "aws": "amazon-bedrock",
    "baseten": "baseten",
    "cloudflare": "cloudflare",
    "fireworks": "fireworks",
    "groq": "groq",
    MAKER: MAKER,
    "novita": "novita",
    "together": "together",
}
_KIMI = lazy_pattern(r"kimi-k\d[\w.-]*$")
# OpenRouter lists the faster and the regional endpoints of a host under the slug of the model itself. Observed: replies
# of "Moonshot AI" at two price levels for one slug.
_TIER = lazy_pattern(r"(?:-(?:turbo|highspeed|fast|us|preview|instruct|0711))+$")
_TURBO_OF = {"moonshotai/kimi-k2-turbo-preview": "moonshotai/kimi-k2-0905"}


def installed() -> tuple[str, Mapping[str, ModelRow]]:
    """Return the source (the package's name and version) and the rows by slug; empty without the package."""
    try:
        snapshot = import_module("genai_prices.data_snapshot").get_snapshot()
        source = f"genai-prices {version('genai-prices')}"
    except (ImportError, PackageNotFoundError):
        return "", {}
    return source, _rows(_ById(snapshot, source), datetime.now(tz=UTC).date())


class _ById:
    """A snapshot that is compared by identity, for use as a cache key."""

    def __init__(self, snapshot: Any, source: str) -> None:
        self.snapshot = snapshot
        self.source = source

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.snapshot is self.snapshot

    def __hash__(self) -> int:
        return id(self.snapshot)


@lru_cache(maxsize=2)
def _rows(snapshot_key: _ById, today: date) -> Mapping[str, ModelRow]:
    providers = snapshot_key.snapshot.providers
    slugs = {base_slug(slug) for slug, _ in _prices(providers, ROUTER, today)}
    listed = {slug: cast("ModelRow", {"prices": row}) for slug, row in _prices(providers, ROUTER, today)}
    models = {slug: listed[slug] for slug in slugs & listed.keys()}
    return with_prices(models, providers, today, snapshot_key.source) if models else {}


def with_prices(
    models: Mapping[str, ModelRow], providers: Sequence[Any], today: date, source: str = ""
) -> dict[str, ModelRow]:
    """Return the models with the package's current prices.

    Args:
        models: The models by slug.
        providers: `genai_prices.data.providers`.
        today: The date for which the prices are read.
        source: The package's name and version, which are added to each row of prices; empty: not added.

    Raises:
        LookupError: The package has no price of any of the models.
    """
    listed = dict(_prices(providers, ROUTER, today))
    if not any(slug in listed for slug in models):
        raise LookupError("genai-prices has no prices of Kimi models on OpenRouter")
    of_maker = {base_slug(slug): row for slug, row in _prices(providers, MAKER, today)}
    of_hosts: dict[str, dict[str, list[PriceRow]]] = {}
    for name, tag in HOSTS.items():
        for slug, row in _prices(providers, name, today):
            of_hosts.setdefault(_model_of(slug), {}).setdefault(tag, []).append(row)
    updated: dict[str, ModelRow] = {}
    for slug, model in models.items():
        prices = _dated(listed[slug], source, today) if slug in listed else model["prices"]
        if prices.get("cache_write") is None and slug in of_maker:
            # OpenRouter's list omits the price of cache writes.
            prices = {**prices, "cache_write": of_maker[slug].get("cache_write")}
        by_host = {tag: highest_prices(rows) for tag, rows in of_hosts.get(slug, {}).items()}
        highest = highest_prices([prices, *by_host.values()])
        updated[slug] = {**model, "prices": prices, "highest": highest, "by_host": by_host}
        if batch := listed.get(f"{slug}:batch"):
            updated[slug]["batch"] = _dated(batch, source, today)
    return updated


def _dated(row: PriceRow, source: str, today: date) -> PriceRow:
    return {**row, "source": f"{source}, OpenRouter", "date": today.isoformat()} if source else row


def _model_of(slug: str) -> str:
    """Return the slug of the model that an endpoint of a host serves: `kimi-k3` for `kimi-k3-highspeed`."""
    return base_slug(_TURBO_OF.get(slug) or _TIER.sub("", slug))


def highest_prices(rows: Sequence[PriceRow | HighestPrices]) -> HighestPrices:
    """Return the highest prices among some rows."""
    return {
        # A host may charge the whole prompt as written to its cache.
        "prompt": max(max(row["prompt"], cast("PriceRow", row).get("cache_write") or 0.0) for row in rows),
        "completion": max(row["completion"] for row in rows),
    }


def _prices(providers: Sequence[Any], name: str, today: date) -> Iterator[tuple[str, PriceRow]]:
    """Yield the slug and the current prices of each Kimi model of a provider."""
    for provider in providers:
        if provider.id != name:
            continue
        for model in provider.models:
            slug = model.id
            if provider.id != ROUTER:
                # Fireworks writes K2.6 as `kimi-k2p6`.
                match = _KIMI.search(re.sub(r"(?<=\d)p(?=\d)", ".", slug.lower()))
                slug = f"moonshotai/{match[0]}" if match else ""
            if "kimi-k" in slug and (price := _current(model.prices, today)):
                yield slug, price


def _current(prices: Any, today: date) -> PriceRow | None:
    """Return the prices that apply on a date; None if a price is missing."""
    since = None
    if isinstance(prices, list):
        started = [one for one in prices if getattr(one.constraint, "start_date", date.min) <= today]
        since = getattr(started[-1].constraint, "start_date", None) if started else None
        prices = started[-1].prices if started else None
    prompt, completion, read, written = (_number(prices, f"{name}_mtok") for name in _PRICES)
    if prompt is None or completion is None:
        return None
    row: PriceRow = {"prompt": prompt, "completion": completion, "cache_read": read, "cache_write": written}
    return {**row, "since": since.isoformat()} if since else row


_PRICES = ("input", "output", "cache_read", "cache_write")


def _number(prices: Any, name: str) -> float | None:
    """Return a price; None if it is missing, or depends on the length of the prompt (`TieredPrices`)."""
    price = getattr(prices, name, None)
    return float(price) if isinstance(price, int | float | Decimal) else None
