"""The rows of the data files: a model's profile, its list prices, and those of its hosts."""

from typing import NotRequired, TypedDict

from langchain_kimi._openrouter.wire import JSONObject


class PriceRow(TypedDict):
    """The prices of a model in the data file."""

    prompt: float
    completion: float
    cache_read: float | None
    cache_write: NotRequired[float | None]
    source: NotRequired[str]
    date: NotRequired[str]
    """The day on which the prices were read, `YYYY-MM-DD`."""
    since: NotRequired[str]
    """The day from which the prices apply, or None if it is unknown."""


class DearestRow(TypedDict):
    """The highest prices of a model among its hosts."""

    prompt: float
    completion: float


class HostRow(TypedDict):
    """The prices of a host of a model, with its slug and the precision of its weights."""

    tag: str
    quantization: str | None
    prompt: float
    completion: float
    cache_write: float | None


class ModelRow(TypedDict):
    """A model in the data file; `batch` has the prices of its `:batch` variant."""

    profile: JSONObject
    prices: PriceRow
    dearest: NotRequired[DearestRow]
    batch: NotRequired[PriceRow]
    by_host: NotRequired[dict[str, DearestRow]]
    """The highest prices at single hosts, by their slugs, where they are known without a refresh."""
    hosts: NotRequired[list[HostRow]]
    """The hosts that served the model when the facts were refreshed."""


class ProfileData(TypedDict):
    """The data file: `models` by their base slug, `aliases` from a moving slug to such a slug."""

    source: str
    date: str
    prices_source: str
    prices_date: str
    aliases: dict[str, str]
    models: dict[str, ModelRow]
