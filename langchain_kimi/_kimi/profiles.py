"""The profile (limits and capabilities) and the list prices of each Kimi model on OpenRouter.

The newest of three sources is used: the facts that `ChatKimi.refresh()` has fetched (`facts`), the optional package
`genai-prices` (prices only), and `profiles.json`, which `scripts/refresh_profiles.py` updates.
"""

import copy
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

from langchain_kimi._kimi import facts, package_prices
from langchain_kimi._kimi.families import base_slug
from langchain_kimi._kimi.price_rows import HighestPrices, HostRow, ModelRow, ProfileData
from langchain_kimi._openrouter.wire import JSONObject, provider_slug


@dataclass(frozen=True, slots=True)
class Prices:
    """A model's prices, in US dollars per million tokens.

    These are OpenRouter's list prices on `date`. The prices of hosts differ; the cost of a call is in its response.

    Attributes:
        prompt: The price of input.
        completion: The price of output, including reasoning.
        cache_read: The price of input that the host had cached; None if no price is listed.
        cache_write: The price of input that the host writes to its cache; None if no price is listed.
        highest_prompt: The highest price of input among the hosts, including that of writing it to a cache.
        highest_completion: The highest price of output among the hosts.
        source: The source of the prices.
        date: The date of the prices, as `YYYY-MM-DD`.
    """

    prompt: float
    completion: float
    cache_read: float | None
    cache_write: float | None
    highest_prompt: float
    highest_completion: float
    source: str
    date: str


def profile(slug: str) -> JSONObject | None:
    """Return a model's profile, with the keys of langchain-core's `ModelProfile`; None for a model that is not listed.

    Variants (`:free`, `:exacto`), dated slugs and presets of a model have its profile. The result is a copy. The limits
    are those of OpenRouter's preferred host; other hosts may have lower limits.
    """
    row = _row(slug)
    return copy.deepcopy(row["profile"]) if row else None


def prices(slug: str, provider: Mapping[str, Any] | None = None) -> Prices | None:
    """Return a model's prices; None for a model that is not listed.

    The `:free` variant costs nothing, and the `:batch` variant has its own prices if they are listed.

    Args:
        slug: The model.
        provider: The provider preferences of the request, in the form that is sent. The highest prices are those of the
            hosts that the preferences allow, limited by `max_price`.
    """
    priced = _priced(slug)
    if priced is None:
        return None
    row, source, date = priced
    variants = slug.split("@", maxsplit=1)[0].split(":")[1:]
    listed = row["prices"]
    highest = _highest(row, provider or {})
    if "free" in variants:
        listed, highest = {"prompt": 0.0, "completion": 0.0, "cache_read": 0.0}, {"prompt": 0.0, "completion": 0.0}
    elif "batch" in variants and (batch := row.get("batch")):
        listed, highest = batch, {"prompt": batch["prompt"], "completion": batch["completion"]}
    return Prices(
        prompt=listed["prompt"],
        completion=listed["completion"],
        cache_read=listed["cache_read"],
        cache_write=listed.get("cache_write"),
        highest_prompt=highest["prompt"],
        highest_completion=highest["completion"],
        source=listed.get("source", source),
        date=listed.get("date", date),
    )


def _priced(slug: str) -> tuple[ModelRow, str, str] | None:
    """Return the row of a model, and the source and date of its prices, from the first source that has them."""
    name, fetched = _listed_slug(slug), facts.current()
    if row := fetched["models"].get(name):
        return row, fetched["source"], fetched["date"]
    packaged = _packaged()["models"].get(name)
    source, rows = package_prices.installed()
    if row := rows.get(name):
        return row, source, row["prices"].get("date", "")
    return None if packaged is None else (packaged, _packaged()["prices_source"], _packaged()["prices_date"])


def _highest(row: ModelRow, provider: Mapping[str, Any]) -> HighestPrices:
    """Return the highest prices of the hosts that may serve a request."""
    if hosts := row.get("hosts"):
        eligible = _eligible(hosts, provider) or hosts
        # A host may charge the whole prompt as written to its cache.
        prompt = max(max(host["prompt"], host["cache_write"] or 0.0) for host in eligible)
        completion = max(host["completion"] for host in eligible)
    else:
        highest = _highest_listed(row, provider)
        prompt, completion = highest["prompt"], highest["completion"]
    # OpenRouter does not send a request to a host with higher prices than these.
    limits = provider.get("max_price") or {}
    return {
        "prompt": min(prompt, _limit(limits.get("prompt"))),
        "completion": min(completion, _limit(limits.get("completion"))),
    }


def _highest_listed(row: ModelRow, provider: Mapping[str, Any]) -> HighestPrices:
    """Return the highest prices in the package's table, which has the prices of the best-known hosts only."""
    listed, by_host = row["prices"], row.get("by_host") or {}
    names = [provider_slug(name).partition("/")[0] for name in _allowed(provider) or ()]
    if names and all(name in by_host for name in names):
        named = [by_host[name] for name in names if not _is_among(name, provider.get("ignore") or ())]
        if named:
            return {
                "prompt": max(one["prompt"] for one in named),
                "completion": max(one["completion"] for one in named),
            }
    highest = row.get("highest") or {"prompt": listed["prompt"], "completion": listed["completion"]}
    return {
        "prompt": max(listed["prompt"], highest["prompt"], listed.get("cache_write") or 0.0),
        "completion": max(listed["completion"], highest["completion"]),
    }


def _allowed(provider: Mapping[str, Any]) -> list[str] | None:
    """Return the names of the hosts that a request is limited to; None if it is not limited."""
    only, order = list(provider.get("only") or ()), list(provider.get("order") or ())
    if provider.get("allow_fallbacks") is not False or not order:
        return only or None
    return [name for name in order if not only or _is_among(provider_slug(name), only)] or only or None


def _limit(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.inf


def _eligible(hosts: Sequence[HostRow], provider: Mapping[str, Any]) -> list[HostRow]:
    """Return the hosts that the provider preferences allow."""
    only, ignored = _allowed(provider), provider.get("ignore") or ()
    weights = provider.get("quantizations") or ()
    return [
        host
        for host in hosts
        if (not only or _is_among(host["tag"], only))
        and not _is_among(host["tag"], ignored)
        and (not weights or (host["quantization"] or "unknown") in weights)
    ]


def _is_among(tag: str, names: Sequence[str]) -> bool:
    """Return whether names include a host: `deepinfra` stands for all endpoints of a provider, `deepinfra/fp4` one."""
    slugs = [provider_slug(name) for name in names]
    return any(tag == slug or tag.startswith(f"{slug}/") for slug in slugs)


def slugs_accepting(modality: str) -> list[str]:
    """Return the slugs of the models that accept a modality (`image`, `video`, `audio`) and are not deprecated."""
    models = {**_packaged()["models"], **facts.current()["models"]}
    return [
        slug
        for slug, row in models.items()
        if row["profile"].get(f"{modality}_inputs") and row["profile"].get("status") != "deprecated"
    ]


def _row(slug: str) -> ModelRow | None:
    name = _listed_slug(slug)
    return facts.current()["models"].get(name) or _packaged()["models"].get(name)


def _listed_slug(slug: str) -> str:
    """Return the slug under which a model is listed: without variants, and with its alias resolved."""
    base = base_slug(slug)
    return facts.current()["aliases"].get(base) or _packaged()["aliases"].get(base, base)


@cache
def _packaged() -> ProfileData:
    text = files("langchain_kimi._kimi").joinpath("profiles.json").read_text(encoding="utf-8")
    return cast("ProfileData", json.loads(text))
