"""The profile (limits and capabilities) and the list prices of each Kimi model on OpenRouter.

The data is in `profiles.json`, with its source and date; `scripts/refresh_profiles.py` updates it.
"""

import copy
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NotRequired, TypedDict, cast

from langchain_kimi._kimi.families import base_slug
from langchain_kimi._openrouter.wire import JSONObject


@dataclass(frozen=True, slots=True)
class Prices:
    """A model's prices, in US dollars per million tokens.

    These are OpenRouter's list prices on `date`. Hosts differ; the price that was charged is the `cost` of a response.

    Attributes:
        prompt: The price of input.
        completion: The price of output, including reasoning.
        cache_read: The price of input that the host had cached; None if no price is listed.
        cache_write: The price of input that the host writes to its cache; None if no price is listed.
        dearest_prompt: The highest price of input among the hosts, including that of writing it to a cache.
        dearest_completion: The highest price of output among the hosts.
        source: The source of the prices.
        date: The date of the prices, as `YYYY-MM-DD`.
    """

    prompt: float
    completion: float
    cache_read: float | None
    cache_write: float | None
    dearest_prompt: float
    dearest_completion: float
    source: str
    date: str


class PriceRow(TypedDict):
    """The prices of a model in the data file."""

    prompt: float
    completion: float
    cache_read: float | None
    cache_write: NotRequired[float | None]


class DearestRow(TypedDict):
    """The highest prices of a model among its hosts."""

    prompt: float
    completion: float


class ModelRow(TypedDict):
    """A model in the data file; `batch` has the prices of its `:batch` variant."""

    profile: JSONObject
    prices: PriceRow
    dearest: NotRequired[DearestRow]
    batch: NotRequired[PriceRow]


class ProfileData(TypedDict):
    """The data file: `models` by their base slug, `aliases` from a moving slug to such a slug."""

    source: str
    date: str
    prices_source: str
    prices_date: str
    aliases: dict[str, str]
    models: dict[str, ModelRow]


def profile(slug: str) -> JSONObject | None:
    """Return a model's profile, with the keys of langchain-core's `ModelProfile`; None for a model that is not listed.

    Variants (`:free`, `:exacto`), dated slugs and presets of a model have its profile. The result is a copy. The limits
    are those of OpenRouter's preferred host; others may have lower ones.
    """
    row = _row(slug)
    return copy.deepcopy(row["profile"]) if row else None


def prices(slug: str) -> Prices | None:
    """Return a model's prices; None for a model that is not listed.

    The `:free` variant costs nothing, and the `:batch` variant has its own prices if they are listed.
    """
    row = _row(slug)
    if row is None:
        return None
    variants = slug.split("@", maxsplit=1)[0].split(":")[1:]
    listed = row["prices"]
    dearest = row.get("dearest") or {"prompt": listed["prompt"], "completion": listed["completion"]}
    if "free" in variants:
        listed, dearest = {"prompt": 0.0, "completion": 0.0, "cache_read": 0.0}, {"prompt": 0.0, "completion": 0.0}
    elif "batch" in variants and (batch := row.get("batch")):
        listed, dearest = batch, {"prompt": batch["prompt"], "completion": batch["completion"]}
    return Prices(
        prompt=listed["prompt"],
        completion=listed["completion"],
        cache_read=listed["cache_read"],
        cache_write=listed.get("cache_write"),
        dearest_prompt=max(listed["prompt"], dearest["prompt"]),
        dearest_completion=max(listed["completion"], dearest["completion"]),
        source=_data()["prices_source"],
        date=_data()["prices_date"],
    )


def slugs_that_take(modality: str) -> list[str]:
    """Return the slugs of the models that accept an `image`, `video` or `audio`, without deprecated ones."""
    return [
        slug
        for slug, row in _data()["models"].items()
        if row["profile"].get(f"{modality}_inputs") and row["profile"].get("status") != "deprecated"
    ]


def _row(slug: str) -> ModelRow | None:
    base = base_slug(slug)
    return _data()["models"].get(_data()["aliases"].get(base, base))


@cache
def _data() -> ProfileData:
    text = files("langchain_kimi._kimi").joinpath("profiles.json").read_text(encoding="utf-8")
    return cast("ProfileData", json.loads(text))
