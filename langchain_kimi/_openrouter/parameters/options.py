"""The options of a request that are objects: provider preferences, reasoning, cache control, prediction.

Each is a frozen pydantic model that is compared and hashed by value, and can be built from a dict of the same shape.
An unknown key is refused, and the error names the nearest known one. What is not set is not sent, and None means not
set. Where a value is one of a list of words, words that are new to this package pass, unless they look like a slip of
the pen for a known one.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from langchain_kimi._openrouter.parameters.rules import (
    Flag,
    checked_number,
    checked_word,
    described,
    likeliest,
    number,
    refusal,
    texts,
    whole,
    word,
)

EFFORTS = ("max", "xhigh", "high", "medium", "low", "minimal", "none")
"""How much a model may think, from most to least."""

QUANTIZATIONS = ("int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32", "unknown")
SORTS = ("price", "throughput", "latency", "exacto")


class Options(BaseModel):
    """The base of all option objects: frozen, equal and hashed by value, closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    label: ClassVar[str]
    """What an error calls the object: the key under which it is given."""

    @model_validator(mode="before")
    @classmethod
    def _name_unknown_keys(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and cls.model_config.get("extra") == "forbid":
            known = list(cls.model_fields)
            complaints = [_unknown(key, known, cls.label) for key in given if key not in known]
            if complaints:
                raise ValueError("; ".join(complaints))
        return given

    def wire(self) -> dict[str, Any]:
        """Give the JSON-ready object: keys in the order of the fields, nothing that is not set."""
        return self.model_dump(mode="json", exclude_none=True)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return ((name, value) for name, value in super().__repr_args__() if value is not None)

    def __hash__(self) -> int:
        return hash((type(self), json.dumps(self.wire(), sort_keys=True)))


def _unknown(key: object, known: Sequence[str], label: str) -> str:
    meant = likeliest(str(key), known)
    advice = f"did you mean {meant!r}?" if meant else f"known are {', '.join(known)}"
    return f"unknown key {described(key)} in {label}; {advice}"


OptionsType = TypeVar("OptionsType", bound=Options)


def built(kind: type[OptionsType], value: object, expected: str = "") -> OptionsType:
    """Turn a dict into the given kind of options, or pass such options on; raises `ValueError` for anything else."""
    if isinstance(value, kind):
        return value
    if isinstance(value, Mapping):
        return kind.model_validate(dict(value))
    raise refusal(expected or f"a {kind.__name__} or a dict", value)


def options(kind: type[OptionsType]) -> BeforeValidator:
    """Make a validator that turns a dict into the given kind of options."""
    return BeforeValidator(lambda value: None if value is None else built(kind, value))


def _price(value: object) -> object:
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?([eE][+-]?\d+)?", value, re.ASCII):
        return value
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        # The shortest text of a float is what was typed; Decimal keeps it out of exponent notation.
        amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if amount.is_finite() and amount >= 0:
            return f"{amount:f}"
    raise refusal("a price in US dollars (a number of at least 0, or such a number as text)", value)


Price = Annotated[str | float | Decimal | None, BeforeValidator(_price)]


class MaxPrice(Options):
    """The most that a provider may cost; one that is dearer in any of these is left out.

    Every value is a number of at least 0, or such a number as text. It is kept and sent as text, with the digits as
    given: both 0.7 and "0.7" become "0.7". Beware that the prices in OpenRouter's catalog are per token, and these are
    per million tokens.
    """

    label = "max_price"

    prompt: Price = None
    """US dollars per million prompt tokens."""
    completion: Price = None
    """US dollars per million completion tokens."""
    image: Price = None
    """US dollars per image."""
    audio: Price = None
    """US dollars per unit of audio."""
    request: Price = None
    """US dollars per request."""


class ProviderSort(Options):
    """By what providers are sorted, and whether within one model or over all of them."""

    label = "sort"

    by: Annotated[str | None, word(*SORTS)] = None
    """`price`, `throughput`, `latency`, or `exacto` for the quality of tool calls."""
    partition: Annotated[str | None, word("model", "none")] = None
    """`model` (the default): all providers of one model before the next model's; `none`: all in one pool."""


class Percentiles(Options):
    """A preference for percentiles of the last minutes' requests, in the unit of the key that it is given for."""

    label = "percentiles"

    p50: Annotated[float | None, number(0)] = None
    """Half of the requests are at least this good; a number of at least 0."""
    p75: Annotated[float | None, number(0)] = None
    """Three quarters of the requests are at least this good; a number of at least 0."""
    p90: Annotated[float | None, number(0)] = None
    """Nine tenths of the requests are at least this good; a number of at least 0."""
    p99: Annotated[float | None, number(0)] = None
    """All but one percent of the requests are at least this good; a number of at least 0."""


def _sort(value: object) -> object:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return checked_word(value, SORTS)
    return built(ProviderSort, value, f"one of {', '.join(SORTS)}, or a ProviderSort")


def _preference(value: object) -> object:
    if value is None:
        return None
    if isinstance(value, Percentiles | Mapping):
        return built(Percentiles, value)
    return checked_number(value, 0, None, "a number of at least 0, or Percentiles")


Preference = Annotated[float | Percentiles | dict[str, Any] | None, BeforeValidator(_preference)]


class ProviderPreferences(Options):
    """Which providers may serve a request, and in what order (the wire's `provider`).

    Providers are named by slug: a short one such as `deepinfra` stands for all of that provider's endpoints, a long
    one such as `deepinfra/turbo` for one of them.
    """

    label = "provider"

    order: Annotated[Sequence[str] | None, texts()] = None
    """Slugs to try first, in this order. Turns load balancing off, and the stickiness that keeps a cache warm."""
    only: Annotated[Sequence[str] | None, texts()] = None
    """Slugs to choose from; no other is tried."""
    ignore: Annotated[Sequence[str] | None, texts()] = None
    """Slugs that are never chosen."""
    allow_fallbacks: Flag = None
    """False: only the first choice, or the `order` list, is tried, and its error is the answer. Default: true."""
    require_parameters: Flag = None
    """True: endpoints that would drop a parameter of the request are left out. Default: false."""
    data_collection: Annotated[str | None, word("allow", "deny", closed=True)] = None
    """`deny`: only providers that neither keep the data nor train on it. Default: `allow`. No other word passes."""
    zdr: Flag = None
    """True: only endpoints with zero data retention."""
    enforce_distillable_text: Flag = None
    """True: only models whose authors permit distillation."""
    quantizations: Annotated[Sequence[str] | None, texts(known=QUANTIZATIONS)] = None
    """Precisions of the weights to choose from: `int4`, `int8`, `fp4`, `mxfp4`, `fp8`, `bf16`, `unknown`, …"""
    sort: Annotated[str | ProviderSort | dict[str, Any] | None, BeforeValidator(_sort)] = None
    """`price`, `throughput`, `latency`, `exacto`, or a `ProviderSort`. Turns load balancing off."""
    max_price: Annotated[MaxPrice | dict[str, Any] | None, options(MaxPrice)] = None
    """Dearer providers are left out; US dollars per million tokens, see `MaxPrice`."""
    preferred_min_throughput: Preference = None
    """Tokens per second, as a number for the median or as `Percentiles`; slower providers come later."""
    preferred_max_latency: Preference = None
    """Seconds to the first token, as a number for the median or as `Percentiles`; slower providers come later."""


class Reasoning(Options):
    """How much a model thinks before it answers, and whether the thoughts are shown.

    `effort` and `max_tokens` are alternatives; both together are refused. Models that do not think, such as
    `moonshotai/kimi-k2-0905`, drop it, or find no provider with it if `require_parameters` is set.
    """

    label = "reasoning"

    effort: Annotated[str | None, word(*EFFORTS)] = None
    """`max`, `xhigh`, `high`, `medium`, `low`, `minimal` or `none`."""
    summary: Annotated[str | None, word("auto", "concise", "detailed")] = None
    """`auto`, `concise` or `detailed`: how the thoughts are summed up, where a model offers that."""
    max_tokens: Annotated[int | None, whole(1)] = None
    """The most tokens to think with; an integer of at least 1. Some providers ask for at least 1024."""
    exclude: Flag = None
    """True: the model thinks, but the thoughts are not sent. Default: false."""
    enabled: Flag = None
    """True: think with the default effort; false: do not think."""
    context: Annotated[str | None, word("auto", "all_turns", "current_turn")] = None
    """`auto`, `all_turns` or `current_turn`: whose thoughts are kept in sight, where a model offers that."""
    mode: Annotated[str | None, word("standard", "pro")] = None
    """`standard` or `pro`, where a model offers that."""

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if self.effort is not None and self.max_tokens is not None:
            raise ValueError("effort and max_tokens are alternatives; give one of them")
        return self


class CacheControl(Options):
    """A mark that asks the provider to cache the prompt up to here; Kimi's providers cache without one."""

    label = "cache_control"

    type: Literal["ephemeral"] = "ephemeral"
    """Always `ephemeral`."""
    ttl: Annotated[str | None, word("5m", "1h")] = None
    """How long the entry lives: `5m` (five minutes, the default) or `1h` (one hour)."""


class Prediction(Options):
    """Text that the answer is expected to repeat; a model that knows predictions answers faster where it does."""

    label = "prediction"

    type: Literal["content"] = "content"
    """Always `content`."""
    content: str | Sequence[dict[str, Any]]
    """The expected text, or a list of text parts, `{"type": "text", "text": …}`."""
