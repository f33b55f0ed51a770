"""What is known of each Kimi on OpenRouter: its limits and abilities for LangChain, and its prices.

The data is in `profiles.json`, with its source and date; `scripts/refresh_profiles.py` renews it.
"""

import copy
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypedDict, cast

from langchain_kimi._kimi.families import base_slug
from langchain_kimi._openrouter.wire import JSONObject


@dataclass(frozen=True, slots=True)
class Prices:
    """What a model costs, in US dollars per million tokens.

    These are OpenRouter's list prices at `date`; hosts differ, and only a reply's own `cost` is what was paid.

    Attributes:
        prompt: A million tokens of input.
        completion: A million tokens of output, thinking included.
        cache_read: A million tokens of input that a host had cached; None where no price is listed.
        source: Where the prices were read.
        date: The day they were read, as `YYYY-MM-DD`.
    """

    prompt: float
    completion: float
    cache_read: float | None
    source: str
    date: str


class PriceRow(TypedDict):
    """The prices of a model in the data file."""

    prompt: float
    completion: float
    cache_read: float | None


class ModelRow(TypedDict):
    """A model in the data file."""

    profile: JSONObject
    prices: PriceRow


class ProfileData(TypedDict):
    """The data file: `models` by their base slug, `aliases` from a moving slug to such a slug."""

    source: str
    date: str
    aliases: dict[str, str]
    models: dict[str, ModelRow]


def profile(slug: str) -> JSONObject | None:
    """Tell a model's profile, with the keys of langchain-core's `ModelProfile`; None for a model that is not listed.

    Variants (`:free`, `:exacto`), dated slugs and presets of a model have its profile. The dictionary is the caller's
    own. The limits are those of OpenRouter's preferred host; others may have lower ones.
    """
    row = _row(slug)
    return copy.deepcopy(row["profile"]) if row else None


def prices(slug: str) -> Prices | None:
    """Tell a model's prices; None for a model that is not listed. The `:free` variant costs nothing."""
    row = _row(slug)
    if row is None:
        return None
    listed = row["prices"]
    if "free" in slug.split(":")[1:]:
        listed = {"prompt": 0.0, "completion": 0.0, "cache_read": 0.0}
    return Prices(**listed, source=_data()["source"], date=_data()["date"])


def slugs_that_take(modality: str) -> list[str]:
    """List the models that take an `image`, `video` or `audio` as input, but for those that are being retired."""
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
