"""The options of a bulk run."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypedDict

from langchain_core.runnables import RunnableConfig

from langchain_kimi._tokens.model import checked_prices
from langchain_kimi.bulk.rate_limiter import Limits
from langchain_kimi.bulk.rows import Estimates
from langchain_kimi.bulk.summary import BulkSummary
from langchain_kimi.errors import KimiUsageError


class Options(TypedDict, total=False):
    """The options of `run` and `arun`.

    Attributes:
        key: The column that identifies a row, or a function that returns the id of a row. A row whose id is None or
            empty fails. By default, the id is a digest of the request, so rows whose prompt has changed are sent again.
        max_concurrency: The maximum number of concurrent requests, by default 64. The actual number adapts to the host.
        requests_per_minute: The maximum number of requests that start within a minute.
        tokens_per_minute: The maximum number of estimated prompt tokens within a minute.
        max_cost: The budget in US dollars for all starts of the run with the same `out` together. Each call reserves
            its maximum cost, so set `max_tokens` on the model. Fees of plugins and searches are not included.
        prices: US dollars per million tokens, `{"prompt": ..., "completion": ...}`, in place of the list prices.
        retries: The number of times that failed rows that may succeed are sent again at the end, by default 2.
        retry_failed: Whether to send the failed rows of an earlier run again, by default False.
        on_error: `"keep"` to make a failed row a result with its error (the default), or `"raise"` to stop.
        progress: Whether to show the progress on a terminal or in the log of `langchain_kimi`; or a function that is
            called with the summary after each result.
        config: The configuration of the runnable's calls.
        lane: `"calls"` (the default), or `"batch"` for the server's batch API: about half the price, answered within
            24 hours. It needs `out`; a later run reads the results of batches that an earlier one submitted. The
            limits of concurrency, requests and tokens do not apply.
    """

    key: str | Callable[[Any], str] | None
    max_concurrency: int
    requests_per_minute: float | None
    tokens_per_minute: float | None
    max_cost: float | Decimal | None
    prices: Mapping[str, float] | None
    retries: int
    retry_failed: bool
    on_error: Literal["keep", "raise"]
    progress: bool | Callable[[BulkSummary], None]
    config: RunnableConfig | None
    lane: Literal["calls", "batch"]


@dataclass(frozen=True, slots=True)
class CheckedOptions:
    """The options with their defaults; see `Options`."""

    limits: Limits
    key: str | Callable[[Any], str] | None = None
    max_cost: Decimal | None = None
    prices: Mapping[str, float] | None = None
    retries: int = 2
    retry_failed: bool = False
    on_error: str = "keep"
    progress: bool | Callable[[BulkSummary], None] = False
    config: RunnableConfig | None = None
    lane: str = "calls"

    @property
    def estimates(self) -> Estimates:
        """The estimates that are needed before a call is admitted."""
        return Estimates(self.max_cost is not None, self.limits.tokens_per_minute is not None, self.prices)


_LIMITS = ("max_concurrency", "requests_per_minute", "tokens_per_minute")


def checked_options(options: Options) -> CheckedOptions:
    """Return the options with their defaults.

    Raises:
        KimiUsageError: A name is unknown, or a value is invalid.
    """
    values: dict[str, Any] = dict(options)
    if unknown := values.keys() - Options.__annotations__.keys():
        names = ", ".join(sorted(Options.__annotations__))
        raise KimiUsageError(f"Unknown options: {', '.join(sorted(unknown))}.", advice=f"The options are {names}.")
    for name in (*_LIMITS, "max_cost"):
        _check_number(name, values.get(name), zero=name == "max_cost")
    if not _is_count(values.get("max_concurrency", 1)) or not _is_count(values.get("retries", 0)):
        raise KimiUsageError("max_concurrency and retries must be integers.")
    if values.get("on_error", "keep") not in {"keep", "raise"}:
        raise KimiUsageError(f'on_error must be "keep" or "raise", got {values["on_error"]!r}.')
    if values.get("lane", "calls") not in {"calls", "batch"}:
        raise KimiUsageError(f'lane must be "calls" or "batch", got {values["lane"]!r}.')
    if values.get("prices") is not None:
        checked_prices(values["prices"])
    limits = Limits(**{name: values.pop(name) for name in _LIMITS if name in values})
    if values.get("max_cost") is not None:
        values["max_cost"] = Decimal(str(values["max_cost"]))
    return CheckedOptions(limits=limits, **values)


def _check_number(name: str, value: Any, *, zero: bool) -> None:
    if value is None:
        return
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value < 0 or (value == 0 and not zero):
        raise KimiUsageError(f"{name} must be a number {'of at least' if zero else 'above'} 0, got {value!r}.")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
