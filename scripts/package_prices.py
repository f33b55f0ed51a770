"""The prices of Kimi models in the tables of the package `genai-prices`, which is not a dependency.

The package is published by Pydantic; it collects the price lists of OpenRouter and of many hosts.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from langchain_kimi._kimi.families import base_slug
from langchain_kimi._kimi.profiles import DearestRow, ModelRow, PriceRow

ROUTER, MAKER = "openrouter", "moonshotai"
# Hosts of Kimi models on OpenRouter, by their ids in the package.
HOSTS = ("aws", "baseten", "cloudflare", "fireworks", "groq", MAKER, "novita", "together")
_KIMI = re.compile(r"kimi-k\d[\w.-]*$")


def with_prices(models: Mapping[str, ModelRow], providers: Sequence[Any], today: date) -> dict[str, ModelRow]:
    """Return the models with the package's current prices.

    Args:
        models: The models by slug.
        providers: `genai_prices.data.providers`.
        today: The date whose prices are read.

    Raises:
        LookupError: The package has no price of any of the models.
    """
    listed = dict(_prices(providers, (ROUTER,), today))
    if not any(slug in listed for slug in models):
        raise LookupError("genai-prices has no prices of Kimi models on OpenRouter")
    of_maker = {base_slug(slug): row for slug, row in _prices(providers, (MAKER,), today)}
    of_hosts: dict[str, list[PriceRow]] = {}
    for slug, row in _prices(providers, HOSTS, today):
        of_hosts.setdefault(base_slug(slug), []).append(row)
    updated: dict[str, ModelRow] = {}
    for slug, model in models.items():
        prices = listed.get(slug, model["prices"])
        if prices.get("cache_write") is None and slug in of_maker:
            # OpenRouter's list omits it.
            prices = {**prices, "cache_write": of_maker[slug].get("cache_write")}
        updated[slug] = {**model, "prices": prices, "dearest": _dearest([prices, *of_hosts.get(slug, [])])}
        if batch := listed.get(f"{slug}:batch"):
            updated[slug]["batch"] = batch
    return updated


def _dearest(rows: Sequence[PriceRow]) -> DearestRow:
    return {
        # A host may bill the whole prompt as written to its cache.
        "prompt": max(max(row["prompt"], row.get("cache_write") or 0.0) for row in rows),
        "completion": max(row["completion"] for row in rows),
    }


def _prices(providers: Sequence[Any], names: Sequence[str], today: date) -> Iterator[tuple[str, PriceRow]]:
    for provider in providers:
        if provider.id not in names:
            continue
        for model in provider.models:
            slug = model.id
            if provider.id != ROUTER:
                # Fireworks writes K2.6 as `kimi-k2p6`.
                name = _KIMI.search(re.sub(r"(?<=\d)p(?=\d)", ".", slug.lower()))
                slug = f"moonshotai/{name[0]}" if name else ""
            if "kimi-k" in slug and (price := _current(model.prices, today)):
                yield slug, price


def _current(prices: Any, today: date) -> PriceRow | None:
    if isinstance(prices, list):
        started = [one for one in prices if getattr(one.constraint, "start_date", date.min) <= today]
        prices = started[-1].prices if started else None
    prompt, completion = getattr(prices, "input_mtok", None), getattr(prices, "output_mtok", None)
    if prompt is None or completion is None:
        return None
    return {
        "prompt": float(prompt),
        "completion": float(completion),
        "cache_read": _optional(prices.cache_read_mtok),
        "cache_write": _optional(getattr(prices, "cache_write_mtok", None)),
    }


def _optional(price: Any) -> float | None:
    return None if price is None else float(price)
