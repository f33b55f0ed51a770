"""Parameters that are objects: provider preferences, reasoning, cache control, prediction.

Each is a frozen pydantic model, compared and hashed by value, that can be built from a dict with the same keys. Unset
options are not sent, and None means unset. OpenRouter adds keys and words without notice, so undocumented ones are sent
unchanged, keys with a warning. A likely typo of a documented key or word is an error.
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
    integer,
    invalid,
    misspelled,
    number,
    texts,
    word,
)
from langchain_kimi._openrouter.warning import warn_user
from langchain_kimi.errors import KimiUsageError

EFFORTS = ("max", "xhigh", "high", "medium", "low", "minimal", "none")
"""The reasoning efforts, from most to least."""

QUANTIZATIONS = ("int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32", "unknown")
SORTS = ("price", "throughput", "latency", "exacto")


class Options(BaseModel):
    """The base class of all option objects: frozen, and compared and hashed by value."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True, defer_build=True)

    label: ClassVar[str]
    """The name of the object in errors: the key under which it is passed."""
    takes_any_key: ClassVar[bool] = False
    """Whether every key is accepted without a warning."""

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and not cls.takes_any_key:
            check_keys(value, list(cls.model_fields), cls.label)
        return value

    def to_wire(self) -> dict[str, Any]:
        """Return the options as a JSON-ready dict: keys in the order of the fields, without unset options.

        Raises:
            KimiUsageError: A value is not JSON.
        """
        try:
            return self.model_dump(mode="json", exclude_none=True)
        except ValueError as error:
            raise KimiUsageError(f"Nothing was sent. {self.label} has a value that is not JSON ({error}).") from None

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return ((name, value) for name, value in super().__repr_args__() if value is not None)

    def __hash__(self) -> int:
        return hash((type(self), json.dumps(self.to_wire(), sort_keys=True)))


def check_keys(keys: Mapping[Any, Any], documented: Sequence[str], label: str) -> None:
    """Warn about keys that are not documented.

    Raises:
        ValueError: A key is a likely typo of a documented one, or its value is not JSON.
    """
    unknown = [key for key in keys if key not in documented]
    if problems := list(filter(None, (_problem(key, keys[key], documented, label) for key in unknown))):
        raise ValueError("; ".join(problems))
    for key in unknown:
        warn_user(f"{described(key)} is not a documented key of {label}; it is sent unchanged.")


def _problem(key: object, value: object, documented: Sequence[str], label: str) -> str | None:
    """Return the error message for a key that is not documented; None if the key may be new."""
    if not isinstance(key, str):
        return f"unknown key {described(key)} in {label}; keys must be strings"
    if suggestion := misspelled(key, documented):
        return f"unknown key {described(key)} in {label}; did you mean {suggestion!r}?"
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return f"{described(key)} in {label} must be a JSON value, got {described(value)}"
    return None


def as_dict(value: object) -> object:
    """Return another package's pydantic model, such as one of OpenRouter's SDK, as a dict; other values unchanged."""
    if isinstance(value, BaseModel) and not isinstance(value, Options):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)
    return value


OptionsType = TypeVar("OptionsType", bound=Options)


def built(kind: type[OptionsType], value: object, expected: str = "") -> OptionsType:
    """Return options of a class, built from a dict if necessary.

    Raises:
        ValueError: The value is neither such options nor a dict.
    """
    if isinstance(value, kind):
        return value
    value = as_dict(value)
    if isinstance(value, Mapping):
        return kind.model_validate(dict(value))
    raise invalid(expected or f"a {kind.__name__} or a dict", value)


def options_of(kind: type[OptionsType]) -> BeforeValidator:
    """Return a validator that turns a dict into options of a class."""
    return BeforeValidator(lambda value: None if value is None else built(kind, value))


class _BuiltOptions:
    def __init__(self, kind: type[Options]) -> None:
        self._kind = kind

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        check = {"type": "no-info", "function": self._check}
        return {"type": "function-plain", "function": check, "serialization": {"type": "any"}}

    def _check(self, value: object) -> Options | None:
        return None if value is None else built(self._kind, value)


def built_options(kind: type[Options]) -> _BuiltOptions:
    """Return the annotation of a field that holds options of a class, and takes a dict of them too, as `options_of`.

    pydantic creates no schemas of the class and its fields for such a field. They are created with the first options;
    for the parameters of requests they took a twentieth of the package's import. Such a field has no JSON schema.
    """
    return _BuiltOptions(kind)


def _price(value: object) -> object:
    """Return a price as a string with the same digits."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?([eE][+-]?\d+)?", value, re.ASCII):
        return value
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        # `repr` gives the digits as typed, and Decimal formats them without an exponent.
        amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if amount.is_finite() and amount >= 0:
            return f"{amount:f}"
    raise invalid("a price in US dollars (a number of at least 0, or a string of one)", value)


Price = Annotated[str | float | Decimal | None, BeforeValidator(_price)]


class MaxPrice(Options):
    """Maximum prices; a provider that exceeds one of them is excluded.

    Each price is a number of at least 0, or a string of one. It is stored and sent as a string with the same digits:
    0.7 and "0.7" both become "0.7". These prices are per million tokens; those in OpenRouter's catalog are per token.
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
    """The order in which providers are tried, within each model or across all models."""

    label = "sort"

    by: Annotated[str | None, word(*SORTS)] = None
    """`price` (cheapest first), `throughput`, `latency`, or `exacto` (quality of tool calls)."""
    partition: Annotated[str | None, word("model", "none")] = None
    """`model` (default): all providers of one model before those of the next; `none`: the providers of all models
    together."""


class Percentiles(Options):
    """Thresholds for percentiles of recent requests, in the unit of the option that they are used for.

    OpenRouter measures them over a rolling window of five minutes.
    """

    label = "percentiles"

    p50: Annotated[float | None, number(0)] = None
    """Threshold for the median; a number of at least 0."""
    p75: Annotated[float | None, number(0)] = None
    """Threshold for 75 % of the requests; a number of at least 0."""
    p90: Annotated[float | None, number(0)] = None
    """Threshold for 90 % of the requests; a number of at least 0."""
    p99: Annotated[float | None, number(0)] = None
    """Threshold for 99 % of the requests; a number of at least 0."""


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
    """Provider routing (OpenRouter's `provider`): which providers may serve the request, in which order.

    Providers are named by slug. `deepinfra` means all endpoints of that provider, `deepinfra/turbo` one of them.
    """

    label = "provider"

    order: Annotated[Sequence[str] | None, texts()] = None
    """Slugs to try first, in this order. Disables load balancing and the routing to a provider with a warm cache."""
    only: Annotated[Sequence[str] | None, texts()] = None
    """Slugs of the only providers to use. The allow list of the account applies too."""
    ignore: Annotated[Sequence[str] | None, texts()] = None
    """Slugs of providers to exclude, in addition to those that the account excludes."""
    allow_fallbacks: Flag = None
    """Whether to try other providers after the first choice, or after those of `order` (default true)."""
    require_parameters: Flag = None
    """Whether to exclude providers that would ignore a parameter of the request (default false)."""
    data_collection: Annotated[str | None, word("allow", "deny", closed=True)] = None
    """`allow` (default), or `deny`: only providers that neither retain the data nor train on it."""
    zdr: Flag = None
    """Whether to use only endpoints with zero data retention. The account's setting cannot be switched off here."""
    enforce_distillable_text: Flag = None
    """Whether to use only models whose authors permit distillation."""
    quantizations: Annotated[Sequence[str] | None, texts(documented=QUANTIZATIONS)] = None
    """Accepted precisions of the weights: `int4`, `int8`, `fp4`, `mxfp4`, `nvfp4`, `fp6`, `fp8`, `mxfp8`, `fp16`,
    `bf16`, `fp32` or `unknown`."""
    sort: Annotated[str | ProviderSort | dict[str, Any] | None, BeforeValidator(_sort)] = None
    """`price`, `throughput`, `latency`, `exacto`, or a `ProviderSort`. Disables load balancing."""
    max_price: Annotated[MaxPrice | dict[str, Any] | None, options_of(MaxPrice)] = None
    """Maximum prices, in US dollars per million tokens; more expensive providers are excluded. See `MaxPrice`."""
    preferred_min_throughput: Preference = None
    """Tokens per second: a number for the median, or `Percentiles`. Slower providers are tried last."""
    preferred_max_latency: Preference = None
    """Seconds to the first token: a number for the median, or `Percentiles`. Slower providers are tried last."""
    options: dict[str, Any] | None = None
    """Options for single providers by slug, such as `{"moonshotai": {…}}`; each gets only its own."""


class Reasoning(Options):
    """Reasoning options: how much the model reasons, and whether the reasoning is returned.

    `effort` and `max_tokens` are alternatives; both together are an error. Models that do not reason, such as
    `moonshotai/kimi-k2-0905`, ignore all of them, or have no provider if `provider.require_parameters` is set.
    """

    label = "reasoning"

    effort: Annotated[str | None, word(*EFFORTS)] = None
    """`max`, `xhigh`, `high`, `medium`, `low`, `minimal` or `none`. Models that always reason refuse `none`."""
    summary: Annotated[str | None, word("auto", "concise", "detailed")] = None
    """Summary of the reasoning, for models that offer one: `auto`, `concise` or `detailed`."""
    max_tokens: Annotated[int | None, integer(1)] = None
    """Maximum number of reasoning tokens; an integer of at least 1. Anthropic needs at least 1024."""
    exclude: Flag = None
    """Whether to leave the reasoning out of the reply (default false). The model still reasons."""
    enabled: Flag = None
    """True: reason with the default effort; false: do not reason, where the model allows it."""
    context: Annotated[str | None, word("auto", "all_turns", "current_turn")] = None
    """Turns whose reasoning stays in the context: `auto`, `all_turns` or `current_turn`. Only GPT-5.6."""
    mode: Annotated[str | None, word("standard", "pro")] = None
    """`standard` or `pro`. Only GPT-5.6."""

    @model_validator(mode="after")
    def _check_alternatives(self) -> Self:
        if self.effort is not None and self.max_tokens is not None:
            raise ValueError("effort and max_tokens are alternatives; set one of them")
        return self


class CacheControl(Options):
    """Cache control of Anthropic models: the provider places cache breakpoints. Kimi's providers cache without it."""

    label = "cache_control"

    type: Literal["ephemeral"] = "ephemeral"
    """Always `ephemeral`."""
    ttl: Annotated[str | None, word("5m", "1h")] = None
    """Lifetime of the cache entry: `5m` (default) or `1h`."""


class Prediction(Options):
    """Predicted output: text that the reply is expected to repeat, which can make it faster."""

    label = "prediction"

    type: Literal["content"] = "content"
    """Always `content`."""
    content: str | Sequence[dict[str, Any]]
    """The expected text, or a list of text parts: `{"type": "text", "text": …}`."""
