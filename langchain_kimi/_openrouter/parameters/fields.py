"""The parameters of a request as fields, each with its range; `parameters` makes a whole of them.

An object is annotated as its class or a dict, because either may be given; what is kept is of the class.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, SerializeAsAny

from langchain_kimi._openrouter.parameters.options import (
    EFFORTS,
    CacheControl,
    Prediction,
    ProviderPreferences,
    Reasoning,
    options,
)
from langchain_kimi._openrouter.parameters.plugins import Plugin, plugin
from langchain_kimi._openrouter.parameters.rules import (
    LOGIT_BIAS,
    METADATA,
    RESPONSE_FORMAT,
    STOP,
    TOOL_CHOICE,
    Flag,
    number,
    objects,
    text,
    texts,
    unless_empty,
    whole,
    word,
)


class ParameterFields(BaseModel):
    """Every parameter of a chat request beside the model and the messages; None, the default, means not sent.

    The order of the fields is the order in which they are sent. Where a field lists words, a word that is new to this
    package passes, unless it looks like a slip of the pen for a known one.
    """

    model_config = ConfigDict(
        hide_input_in_errors=True, populate_by_name=True, defer_build=True, use_attribute_docstrings=True
    )

    models: Annotated[list[str] | None, texts()] = None
    """Models to fall back to, in this order, when the first one fails for any reason."""
    route: Annotated[str | None, word("fallback", "sort")] = None
    """`fallback` or `sort`; deprecated by OpenRouter for `provider.sort.partition`."""
    provider: Annotated[ProviderPreferences | dict[str, Any] | None, options(ProviderPreferences)] = None
    """Which providers may serve the request, and in what order. `openrouter_provider` is another name for it."""
    plugins: Annotated[
        list[Annotated[SerializeAsAny[Plugin] | dict[str, Any], BeforeValidator(plugin)]] | None,
        BeforeValidator(unless_empty),
    ] = None
    """What OpenRouter does to the request or the reply on the way: a list of plugins, or of dicts with an `id`."""
    preset: Annotated[str | None, text()] = None
    """The slug of a preset of the account; what the request itself says comes first."""
    tools: Annotated[list[dict[str, Any]] | None, objects()] = None
    """Functions that the model may call and tools that OpenRouter runs, each a dict as on the wire."""
    tool_choice: Annotated[str | dict[str, Any] | None, TOOL_CHOICE] = None
    """`none`, `auto`, `required`, or a dict that names one tool."""
    parallel_tool_calls: Flag = None
    """Whether one reply may hold several tool calls. Nominally true."""
    max_tool_calls: Annotated[int | None, whole(1, 30)] = None
    """How many calls of OpenRouter's own tools one request may make; an integer from 1 to 30, nominally 30."""
    stop_server_tools_when: Annotated[list[dict[str, Any]] | None, objects()] = None
    """Conditions that end the loop of OpenRouter's own tools, such as `{"type": "step_count_is", "step_count": 3}`."""
    response_format: Annotated[dict[str, Any] | None, RESPONSE_FORMAT] = None
    """A dict whose `type` is `text`, `json_object`, `json_schema`, `grammar` or `python`, as on the wire."""
    structured_outputs: Flag = None
    """Whether the endpoint must hold the reply to the schema; usually `response_format` alone is given."""
    temperature: Annotated[float | None, number(0, 2)] = None
    """How freely tokens are drawn; a number from 0 to 2, nominally 1."""
    top_p: Annotated[float | None, number(0, 1, above=True)] = None
    """Draw from the likeliest tokens that have this share together; a number above 0 and up to 1, nominally 1."""
    top_k: Annotated[int | None, whole(0)] = None
    """Draw from this many likeliest tokens; an integer of at least 0, which is off."""
    min_p: Annotated[float | None, number(0, 1)] = None
    """Draw from tokens at least this likely, relative to the likeliest; a number from 0 to 1, nominally 0."""
    top_a: Annotated[float | None, number(0, 1)] = None
    """Like `min_p`, relative to the square of the likeliest; a number from 0 to 1, nominally 0."""
    frequency_penalty: Annotated[float | None, number(-2, 2)] = None
    """Against tokens, the more the more often they came; a number from -2 to 2, nominally 0."""
    presence_penalty: Annotated[float | None, number(-2, 2)] = None
    """Against tokens that came at all; a number from -2 to 2, nominally 0."""
    repetition_penalty: Annotated[float | None, number(0, 2, above=True)] = None
    """Against tokens of the prompt and the reply; a number above 0 and up to 2, nominally 1."""
    logit_bias: Annotated[dict[str, float] | None, LOGIT_BIAS] = None
    """For and against single tokens: a dict from token ids to numbers from -100 to 100. Ids become text."""
    logprobs: Flag = None
    """Whether the reply tells how likely each of its tokens was. Nominally false."""
    top_logprobs: Annotated[int | None, whole(0, 20)] = None
    """How many alternatives to each token are told; an integer from 0 to 20, and `logprobs` must be true."""
    seed: Annotated[int | None, whole()] = None
    """An integer; the same seed and request give the same reply, as far as the provider can."""
    stop: Annotated[str | list[str] | None, STOP] = None
    """A text, or a list of at most 4, at which the reply ends. `stop_sequences` is another name for it."""
    max_tokens: Annotated[int | None, whole(1)] = None
    """The most tokens to generate; an integer of at least 1, and some providers ask for 16."""
    max_completion_tokens: Annotated[int | None, whole(1)] = None
    """OpenRouter's newer name of `max_tokens`; Kimi's providers advertise the old one. An integer of at least 1."""
    n: Annotated[int, whole(1)] = 1
    """How many replies; an integer of at least 1. Sent only if it is more than 1."""
    reasoning: Annotated[Reasoning | dict[str, Any] | None, options(Reasoning)] = None
    """How much the model thinks, and whether the thoughts are shown."""
    reasoning_effort: Annotated[str | None, word(*EFFORTS)] = None
    """Short for `reasoning.effort`: `max`, `xhigh`, `high`, `medium`, `low`, `minimal` or `none`."""
    verbosity: Annotated[str | None, word("low", "medium", "high", "xhigh", "max")] = None
    """How long-winded the reply is: `low`, `medium`, `high`, `xhigh` or `max`, nominally `medium`."""
    modalities: Annotated[list[str] | None, texts(known=("text", "image", "audio"))] = None
    """What the reply may consist of: a list of `text`, `image`, `audio`."""
    image_config: dict[str, Any] | None = None
    """How images are made: a dict such as `{"aspect_ratio": "16:9"}`; its keys are the provider's."""
    audio: dict[str, Any] | None = None
    """How speech is made: a dict such as `{"voice": "alloy", "format": "wav"}`; only for streams."""
    prediction: Annotated[Prediction | dict[str, Any] | None, options(Prediction)] = None
    """Text that the reply is expected to repeat."""
    cache_control: Annotated[CacheControl | dict[str, Any] | None, options(CacheControl)] = None
    """Have the provider set the marks of its prompt cache by itself; only Anthropic's models use it."""
    prompt_cache_key: Annotated[str | None, text()] = None
    """Requests with the same key go to the same provider, where its prompt cache is warm, if no session id is set."""
    prompt_cache_options: dict[str, Any] | None = None
    """`{"mode": "explicit", "ttl": …}`; only some of OpenAI's models use it."""
    service_tier: Annotated[str | None, word("auto", "default", "fast", "flex", "priority", "scale")] = None
    """`auto`, `default`, `fast`, `flex`, `priority` or `scale`; `fast` and `priority` are the same."""
    session_id: Annotated[str | None, text(256)] = None
    """A text of at most 256 characters that groups requests and keeps them at one provider, its cache warm."""
    user: Annotated[str | None, text(128)] = None
    """A text of at most 128 characters that stands for the end user; it goes on in hashed form only."""
    request_metadata: Annotated[dict[str, str] | None, METADATA] = None
    """The wire's `metadata`: at most 16 pairs of texts, keys of at most 64 characters, values of at most 512.

    LangChain's `metadata`, which goes to its tracers and is never sent, is another thing.
    """
    trace: dict[str, Any] | None = None
    """For tools that watch: `trace_id`, `trace_name`, `span_name`, `generation_name`, `parent_span_id`, any other."""
    stream_options: dict[str, Any] | None = None
    """`{"include_usage": …}`; without effect at OpenRouter, where usage always comes."""
    debug: dict[str, Any] | None = None
    """`{"echo_upstream_body": true}`: a stream begins with the body that the provider was sent."""
