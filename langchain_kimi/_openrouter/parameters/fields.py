"""The parameters of a request as pydantic fields with validators; `merging` builds requests from them.

Option objects are annotated as their class or a dict, because both are accepted; the stored value is of the class.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from langchain_kimi._openrouter.parameters.descriptions import with_descriptions
from langchain_kimi._openrouter.parameters.options import (
    EFFORTS,
    CacheControl,
    Prediction,
    ProviderPreferences,
    Reasoning,
    built_options,
)
from langchain_kimi._openrouter.parameters.plugin import AnyPlugin, plugin
from langchain_kimi._openrouter.parameters.rules import (
    LOGIT_BIAS,
    METADATA,
    RESPONSE_FORMAT,
    STOP,
    TOOL_CHOICE,
    Flag,
    integer,
    number,
    objects,
    text,
    texts,
    unless_empty,
    word,
)

SERVICE_TIERS = ("auto", "default", "fast", "flex", "priority", "scale", "ultrafast")


@with_descriptions
class ParameterFields(BaseModel):
    """All parameters of a chat request except the model and the messages. A parameter that is None is not sent.

    The parameters are sent in the order of the fields. If a field lists words, other words are accepted too, because
    OpenRouter adds words without notice; a likely typo of a listed word is an error.
    """

    model_config = ConfigDict(hide_input_in_errors=True, populate_by_name=True, defer_build=True)

    models: Annotated[list[str] | None, texts()] = None
    """Fallback models, tried in this order if the first model fails for any reason."""
    route: Annotated[str | None, word("fallback", "sort")] = None
    """`fallback` or `sort`. Deprecated by OpenRouter: use `provider.sort.partition`."""
    provider: Annotated[ProviderPreferences | dict[str, Any] | None, built_options(ProviderPreferences)] = None
    """Provider routing: which providers may serve the request, in which order. Alias: `openrouter_provider`."""
    plugins: Annotated[
        list[Annotated[AnyPlugin | dict[str, Any], BeforeValidator(plugin)]] | None,
        BeforeValidator(unless_empty),
    ] = None
    """OpenRouter plugins, such as `WebPlugin()`, or dicts with an `id`. They override the account's defaults."""
    preset: Annotated[str | None, text()] = None
    """Slug of a preset of the OpenRouter account. Parameters of the request override those of the preset."""
    tools: Annotated[list[dict[str, Any]] | None, objects()] = None
    """Function tools and OpenRouter server tools, as dicts in OpenRouter's format. `bind_tools` sets it."""
    tool_choice: Annotated[str | dict[str, Any] | None, TOOL_CHOICE] = None
    """`none`, `auto` (default if there are tools), `required`, or a dict that names one tool."""
    parallel_tool_calls: Flag = None
    """Whether one reply may contain several tool calls (default true)."""
    max_tool_calls: Annotated[int | None, integer(1, 30)] = None
    """Limit for calls of OpenRouter server tools in one request; an integer from 1 to 30 (default 30)."""
    stop_server_tools_when: Annotated[list[dict[str, Any]] | None, objects()] = None
    """Conditions that end the loop of server tools, such as `{"type": "step_count_is", "step_count": 3}`."""
    deferred_tools: dict[str, Any] | None = None
    """Deferred loading of tools by OpenRouter: `{"protocol": "v1", "profile": "portable", "search": {…},
    "validation": "runtime"}`, for tools whose `function` has `"defer_loading": true`."""
    response_format: Annotated[dict[str, Any] | None, RESPONSE_FORMAT] = None
    """Output format: a dict with the `type` `text`, `json_object`, `json_schema`, `grammar` or `python`."""
    structured_outputs: Flag = None
    """Whether the provider must enforce the JSON schema of `response_format`, which alone is usually sufficient."""
    temperature: Annotated[float | None, number(0, 2)] = None
    """Sampling temperature; a number from 0 to 2 (default 1)."""
    top_p: Annotated[float | None, number(0, 1, above=True)] = None
    """Nucleus sampling: keep the most likely tokens whose probabilities sum to this value; a number above 0 and up to 1
    (default 1)."""
    top_k: Annotated[int | None, integer(0)] = None
    """Sample from this many most likely tokens; an integer of at least 0 (default 0: no limit)."""
    min_p: Annotated[float | None, number(0, 1)] = None
    """Minimum probability of a token, relative to the most likely one; a number from 0 to 1 (default 0)."""
    top_a: Annotated[float | None, number(0, 1)] = None
    """Like `min_p`, relative to the square of the highest probability; a number from 0 to 1 (default 0)."""
    frequency_penalty: Annotated[float | None, number(-2, 2)] = None
    """Penalty for tokens in proportion to how often they occurred; a number from -2 to 2 (default 0)."""
    presence_penalty: Annotated[float | None, number(-2, 2)] = None
    """Penalty for tokens that occurred at least once; a number from -2 to 2 (default 0)."""
    repetition_penalty: Annotated[float | None, number(0, 2, above=True)] = None
    """Penalty factor for tokens of the prompt and the reply; a number above 0 and up to 2 (default 1: no penalty)."""
    logit_bias: Annotated[Mapping[str, float] | Mapping[int, float] | None, LOGIT_BIAS] = None
    """Bias for single tokens: a dict from token ids to numbers from -100 (never) to 100 (always)."""
    logprobs: Flag = None
    """Whether to return the log probability of each output token (default false)."""
    top_logprobs: Annotated[int | None, integer(0, 20)] = None
    """Number of alternatives to return for each output token; an integer from 0 to 20. Requires `logprobs=True`."""
    seed: Annotated[int | None, integer()] = None
    """Seed for sampling; an integer. The same request with the same seed gives the same reply if the provider can."""
    stop: Annotated[str | list[str] | None, STOP] = None
    """A string, or a list of at most 4 strings, at which generation stops. Alias: `stop_sequences`."""
    max_tokens: Annotated[int | None, integer(1)] = None
    """Maximum number of tokens to generate, reasoning included; an integer of at least 1. Some providers need 16."""
    max_completion_tokens: Annotated[int | None, integer(1)] = None
    """OpenRouter's newer name of `max_tokens`; an integer of at least 1. Kimi's providers list only `max_tokens`."""
    n: Annotated[int, integer(1)] = 1
    """Number of replies (choices); an integer of at least 1 (default 1). Must be 1 for streams."""
    reasoning: Annotated[Reasoning | dict[str, Any] | None, built_options(Reasoning)] = None
    """Reasoning options: effort or token limit, whether to reason at all, and whether to return the reasoning."""
    reasoning_effort: Annotated[str | None, word(*EFFORTS)] = None
    """Short form of `reasoning.effort`: `max`, `xhigh`, `high`, `medium`, `low`, `minimal` or `none`."""
    verbosity: Annotated[str | None, word("low", "medium", "high", "xhigh", "max")] = None
    """Verbosity of the response: `low`, `medium` (default), `high`, `xhigh` or `max`."""
    modalities: Annotated[list[str] | None, texts(documented=("text", "image", "audio"))] = None
    """Requested kinds of output: a list of `text`, `image` and `audio`."""
    image_config: dict[str, Any] | None = None
    """Options of image generation, such as `{"aspect_ratio": "16:9"}`. The keys depend on the provider."""
    audio: dict[str, Any] | None = None
    """Options of audio output, such as `{"voice": "alloy", "format": "wav"}`. Only for streams."""
    prediction: Annotated[Prediction | dict[str, Any] | None, built_options(Prediction)] = None
    """Text that the reply is expected to repeat, which can make it faster."""
    cache_control: Annotated[CacheControl | dict[str, Any] | None, built_options(CacheControl)] = None
    """Automatic prompt caching of Anthropic models. Kimi's providers cache without it."""
    prompt_cache_key: Annotated[str | None, text()] = None
    """Routes requests with the same key to the same provider, to reuse its prompt cache. `session_id` overrides it."""
    prompt_cache_options: dict[str, Any] | None = None
    """Explicit caching of OpenAI models since GPT-5.6: `{"mode": "explicit", "ttl": …}`, `30m` or `12h`."""
    service_tier: Annotated[str | None, word(*SERVICE_TIERS)] = None
    """Processing tier: `auto`, `default`, `flex`, `scale`, `ultrafast`, `priority`, or `fast` (same as `priority`)."""
    session_id: Annotated[str | None, text(256)] = None
    """Groups requests and routes them to the same provider, to reuse its prompt cache; a string of at most 256
    characters."""
    user: Annotated[str | None, text(128)] = None
    """Id of your end user; a string of at most 128 characters. Providers get it only in hashed form."""
    request_metadata: Annotated[dict[str, str] | None, METADATA] = None
    """OpenRouter's `metadata`: at most 16 pairs of strings, keys of at most 64 and values of at most 512 characters.

    LangChain's own `metadata` is different: it goes to tracers and is never sent.
    """
    trace: dict[str, Any] | None = None
    """Data for observability tools: `trace_id`, `trace_name`, `span_name`, `generation_name`, `parent_span_id`, or any
    other key."""
    stream_options: dict[str, Any] | None = None
    """`{"include_usage": …}`. OpenRouter ignores it and always sends usage; other servers may need it."""
    debug: dict[str, Any] | None = None
    """`{"echo_upstream_body": true}`: the first chunk of a stream contains the body that the provider received."""
