"""The results of the catalog. Fields that are newer than this package are kept as attributes of the same name."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_MILLION = 1_000_000
_DIGITS = 6
"""The most digits before the point of a price in US dollars per token. A larger number is not a price."""


def _plausible(price: Any) -> Any:
    """Return a price, or None for a number that is infinite or too large to calculate with."""
    try:
        number = Decimal(str(price))
    except InvalidOperation:
        return price
    return price if number.is_finite() and number.adjusted() < _DIGITS else None


Price: TypeAlias = Annotated[Decimal | None, BeforeValidator(_plausible)]


class Result(BaseModel):
    """A part of a response. All fields are optional, and unknown fields are kept."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True, use_attribute_docstrings=True)


class Pricing(Result):
    """Prices of a model or an endpoint, in US dollars per token."""

    prompt: Price = None
    """Input, US dollars per token. `per_million("prompt")` returns US dollars per million tokens."""
    completion: Price = None
    """Output including reasoning, US dollars per token."""
    request: Price = None
    """US dollars per request."""
    image: Price = None
    """US dollars per input image."""
    web_search: Price = None
    """US dollars per web search."""
    internal_reasoning: Price = None
    """Reasoning, US dollars per token, where it has a price of its own."""
    input_cache_read: Price = None
    """Input that the host had cached, US dollars per token."""
    input_cache_write: Price = None
    """Input that the host writes to its cache for five minutes, US dollars per token."""
    input_cache_write_1h: Price = None
    """Input that the host writes to its cache for an hour, US dollars per token."""
    discount: float | None = None
    """The share, 0 to 1, that is subtracted from the prices."""
    overrides: list[dict[str, Any]] | None = None
    """Other prices under conditions, such as `min_prompt_tokens` or hours of the day."""

    def per_million(self, name: str) -> float | None:
        """Return a price in US dollars per million tokens; None if it is not listed."""
        price: Decimal | None = getattr(self, name)
        return None if price is None else float(price * _MILLION)


class Architecture(Result):
    """The kinds of content that a model takes and returns."""

    modality: str | None = None
    """Both in one text, such as `text+image->text`."""
    input_modalities: list[str] = Field(default_factory=list)
    """`text`, `image`, `video`, `audio`, `file`."""
    output_modalities: list[str] = Field(default_factory=list)
    """`text`, `image`, `audio`."""
    tokenizer: str | None = None
    instruct_type: str | None = None


class TopProvider(Result):
    """The limits of the host that OpenRouter prefers."""

    context_length: int | None = None
    """Tokens of prompt and reply together."""
    max_completion_tokens: int | None = None
    """Tokens of a reply."""
    is_moderated: bool | None = None


class ModelReasoning(Result):
    """The reasoning settings of a model."""

    mandatory: bool | None = None
    """Whether reasoning cannot be switched off."""
    supported_efforts: list[str] | None = None
    """The accepted values of `reasoning.effort`; None if every value is accepted."""
    default_effort: str | None = None


class ListedModel(Result):
    """A model of `GET /models`."""

    id: str
    """The slug, such as `moonshotai/kimi-k2.6`."""
    canonical_slug: str | None = None
    """The dated slug, such as `moonshotai/kimi-k2.6-20260420`."""
    alias_target: Any = None
    """The model that a moving alias such as `~moonshotai/kimi-latest` stands for."""
    name: str | None = None
    created: int | None = None
    """Seconds since the epoch."""
    description: str | None = None
    context_length: int | None = None
    """Tokens of prompt and reply together, of the largest host. See `endpoints` for each host."""
    architecture: Architecture = Field(default_factory=Architecture)
    pricing: Pricing = Field(default_factory=Pricing)
    top_provider: TopProvider = Field(default_factory=TopProvider)
    supported_parameters: list[str] = Field(default_factory=list)
    """The parameters that at least one host supports."""
    default_parameters: dict[str, Any] | None = None
    reasoning: ModelReasoning | None = None
    hugging_face_id: str | None = None
    knowledge_cutoff: str | None = None
    """A date, `YYYY-MM-DD`."""
    expiration_date: str | None = None
    """The date after which the model may be removed, `YYYY-MM-DD`."""


class Percentiles(Result):
    """Percentiles of the last 30 minutes."""

    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p99: float | None = None


class ToolChoiceSupport(Result):
    """The values of `tool_choice` that passed OpenRouter's tests; None if that is not listed."""

    auto: bool | None = None
    none: bool | None = None
    required: bool | None = None
    function: bool | None = None
    """A dict that names one tool."""


class Endpoint(Result):
    """A host of a model."""

    tag: str = ""
    """The slug for `provider.only`, `order` and `ignore`, such as `deepinfra/fp4`."""
    provider_name: str = ""
    """The display name, as in the `provider` of a reply."""
    name: str | None = None
    model_id: str | None = None
    quantization: str | None = None
    """The precision of the weights, such as `fp8`; `unknown` is frequent."""
    service_tier: str | None = None
    context_length: int | None = None
    """Tokens of prompt and reply together."""
    max_completion_tokens: int | None = None
    """Tokens of a reply."""
    max_prompt_tokens: int | None = None
    """Tokens of a prompt."""
    pricing: Pricing = Field(default_factory=Pricing)
    supported_parameters: list[str] = Field(default_factory=list)
    supports_tool_choice: ToolChoiceSupport | None = None
    supports_implicit_caching: bool | None = None
    status: int | None = None
    """0 is normal, a negative number means degraded."""
    uptime_last_5m: float | None = None
    """Percent."""
    uptime_last_30m: float | None = None
    """Percent."""
    uptime_last_1d: float | None = None
    """Percent."""
    latency_last_30m: Percentiles | None = None
    """Milliseconds to the first token. None without a key."""
    throughput_last_30m: Percentiles | None = None
    """Tokens per second. None without a key."""

    def lacks(self, parameters: list[str]) -> list[str]:
        """Return those of the parameters that the host does not support."""
        return [name for name in parameters if name not in self.supported_parameters]


class ModelEndpoints(Result):
    """A model with its hosts."""

    id: str
    name: str | None = None
    created: int | None = None
    """Seconds since the epoch."""
    description: str | None = None
    architecture: Architecture = Field(default_factory=Architecture)
    endpoints: list[Endpoint] = Field(default_factory=list)


class KeyInfo(Result):
    """The limits and the usage of an API key."""

    label: str | None = None
    limit: float | None = None
    """US dollars; None: the key has no limit of its own."""
    limit_remaining: float | None = None
    """US dollars."""
    limit_reset: str | None = None
    """The interval at which the limit resets, such as `monthly`; None: it never resets."""
    usage: float | None = None
    """US dollars since the key was created."""
    usage_daily: float | None = None
    """US dollars of this UTC day."""
    usage_weekly: float | None = None
    """US dollars of this UTC week."""
    usage_monthly: float | None = None
    """US dollars of this UTC month."""
    byok_usage: float | None = None
    """US dollars that hosts billed to your own keys."""
    include_byok_in_limit: bool | None = None
    is_free_tier: bool | None = None
    is_management_key: bool | None = None
    expires_at: str | None = None
    """A date and time in ISO 8601; None: never."""


class Credits(Result):
    """The credits of an account."""

    total_credits: float = 0.0
    """US dollars bought."""
    total_usage: float = 0.0
    """US dollars used."""

    @property
    def remaining(self) -> float:
        """US dollars left."""
        return self.total_credits - self.total_usage


class Generation(Result):
    """The record of one call."""

    id: str
    model: str | None = None
    provider_name: str | None = None
    created_at: str | None = None
    """A date and time in ISO 8601."""
    total_cost: float | None = None
    """US dollars."""
    upstream_inference_cost: float | None = None
    """US dollars that the host charged."""
    cache_discount: float | None = None
    """US dollars saved by the cache."""
    latency: float | None = None
    """Milliseconds to the first token."""
    generation_time: float | None = None
    """Milliseconds of generation."""
    streamed: bool | None = None
    cancelled: bool | None = None
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    tokens_prompt: int | None = None
    """Tokens by OpenRouter's own count."""
    tokens_completion: int | None = None
    """Tokens by OpenRouter's own count."""
    native_tokens_prompt: int | None = None
    """Tokens by the host's count, which are billed."""
    native_tokens_completion: int | None = None
    """Tokens by the host's count, which are billed."""
    native_tokens_reasoning: int | None = None
    """Tokens of reasoning, part of the completion."""
    native_tokens_cached: int | None = None
    """Tokens of the prompt that were read from the host's cache."""
    is_byok: bool | None = None
    """Whether the call used your own key of the host."""
    session_id: str | None = None
    provider_responses: list[dict[str, Any]] | None = None
    """The attempts at each host."""


class Provider(Result):
    """A provider of OpenRouter."""

    name: str
    slug: str
    headquarters: str | None = None
    """A country code of ISO 3166-1."""
    datacenters: list[str] | None = None
    """Country codes of ISO 3166-1."""
    privacy_policy_url: str | None = None
    terms_of_service_url: str | None = None
    status_page_url: str | None = None


class Activity(Result):
    """The usage of one day, model and endpoint."""

    date: str
    """A UTC day, `YYYY-MM-DD`."""
    model: str | None = None
    model_permaslug: str | None = None
    endpoint_id: str | None = None
    provider_name: str | None = None
    requests: int | None = None
    usage: float | None = None
    """US dollars."""
    byok_usage_inference: float | None = None
    """US dollars that hosts billed to your own keys."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
