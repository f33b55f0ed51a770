"""The types of the rows in the data files: a model's profile, its list prices, and the prices of its hosts.

All prices are in US dollars per million tokens.
"""

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
    """The day from which the prices apply, `YYYY-MM-DD`; missing if it is unknown."""


class HighestPrices(TypedDict):
    """The highest prices of a model among its hosts."""

    prompt: float
    completion: float


class HostRow(TypedDict):
    """The prices of one host of a model, with the host's slug and the precision of its weights."""

    tag: str
    quantization: str | None
    prompt: float
    completion: float
    cache_write: float | None


class ModelRow(TypedDict):
    """A model in the data file; `batch` has the prices of its `:batch` variant."""

    profile: JSONObject
    prices: PriceRow
    highest: NotRequired[HighestPrices]
    batch: NotRequired[PriceRow]
    by_host: NotRequired[dict[str, HighestPrices]]
    """The highest prices of single hosts, by their slugs. Hosts that are not in the package's data are missing."""
    hosts: NotRequired[list[HostRow]]
    """The hosts that served the model when the facts were last refreshed."""


class ProfileData(TypedDict):
    """The data file: `models` by base slug, and `aliases` from slugs such as `kimi-latest` to a base slug."""

    source: str
    date: str
    prices_source: str
    prices_date: str
    aliases: dict[str, str]
    models: dict[str, ModelRow]
