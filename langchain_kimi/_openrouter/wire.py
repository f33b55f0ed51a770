"""OpenRouter's wire format as typed dictionaries, and the keys and values that more than one module needs.

Only what this package reads or writes is listed. OpenRouter adds keys and enum values without notice, so unknown ones
are carried along and never refused.
"""

from typing import Any, Literal, TypeAlias, TypedDict

from langchain_kimi._patterns import lazy_pattern

JSONObject: TypeAlias = dict[str, Any]

Role = Literal["system", "developer", "user", "assistant", "tool"]

REASONING_KEYS = ("reasoning", "reasoning_content", "reasoning_details")
"""Keys of a message with its reasoning: as text (two spellings), and as a list of details."""
TEXT_KEYS = frozenset({"content", "reasoning", "reasoning_content", "refusal"})
"""Keys of a delta whose values are pieces of one text."""
CONTENT_KEYS = ("content", *REASONING_KEYS, "tool_calls", "refusal", "annotations", "images", "audio")
"""Keys of a message or delta whose values are a part of the answer."""

FINISH_ERROR = "error"
"""The finish reason of a reply during which the provider failed."""
GENERATION_ID = "x-generation-id"
"""The header with OpenRouter's id of a generation."""
SERVER_TOOL_CALL = "reasoning.server_tool_call"
"""The type of an entry of `reasoning_details` with the call of a server tool and its result."""
COMPLETE_DETAILS = ("reasoning.encrypted", SERVER_TOOL_CALL)
"""Types of entries of `reasoning_details` that are not sent in pieces. It is not a set, because a set cannot look up a
list, which a host may send as the type."""


class WireFunction(TypedDict, total=False):
    """The function of a tool call. In a stream, each part may be missing, null or empty."""

    name: str | None
    arguments: str | None


class WireToolCall(TypedDict, total=False):
    """A complete tool call of a reply, or a piece of one in the delta of a stream."""

    index: int | None
    id: str | None
    type: str | None
    function: WireFunction


class WireMessage(TypedDict, total=False):
    """A message of a request, the message of a reply, or the delta of a stream."""

    role: Role
    content: str | list[JSONObject] | None
    name: str
    tool_call_id: str
    tool_calls: list[WireToolCall]
    refusal: str | None
    reasoning: str | None
    reasoning_content: str | None
    """The name of `reasoning` at hosts other than OpenRouter."""
    reasoning_details: list[JSONObject]
    annotations: list[JSONObject]
    images: list[JSONObject]
    audio: JSONObject
    model: str
    """The model that wrote the message; OpenRouter's router reads it."""
    configuration_update: JSONObject


class WireError(TypedDict, total=False):
    """The `error` of an error body, of a 200 body, of an event in a stream or of a choice."""

    code: int | str | None
    message: str
    metadata: JSONObject | None
    error_type: str
    type: str
    """OpenAI's name for the kind of error; other hosts send it."""
    http_status: int
    availability: JSONObject


class WireUsage(TypedDict, total=False):
    """Tokens and cost of one call. Every nested object may be missing or null."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost: float | None
    is_byok: bool
    cost_details: JSONObject | None
    prompt_tokens_details: JSONObject | None
    completion_tokens_details: JSONObject | None
    server_tool_use_details: JSONObject | None


class WireChoice(TypedDict, total=False):
    """One choice: with `message` in a plain reply, with `delta` in a stream."""

    index: int
    message: WireMessage
    delta: WireMessage
    finish_reason: str | None
    native_finish_reason: str | None
    logprobs: Any
    error: WireError


class WireEvent(TypedDict, total=False):
    """A plain reply, or one event of a stream."""

    id: str
    object: str
    created: int
    model: str
    provider: str
    system_fingerprint: str | None
    service_tier: str | None
    choices: list[WireChoice] | None
    usage: WireUsage | None
    error: WireError


class WireBody(TypedDict, total=False):
    """The body of a request, with the parameters that this package reads back; it may contain any other parameter."""

    model: str
    models: list[str]
    messages: list[WireMessage]
    stream: bool
    tools: list[JSONObject]
    tool_choice: str | JSONObject
    response_format: JSONObject
    provider: JSONObject
    plugins: list[JSONObject]
    reasoning: JSONObject
    reasoning_effort: str
    max_tokens: int
    max_completion_tokens: int
    session_id: str
    prompt_cache_key: str


# Provider names whose slug is not the lower-case name with hyphens between the words.
_SLUGS = {
    "alibaba cloud": "alibaba",
    "atlascloud": "atlas-cloud",
    "google": "google-vertex",
    "mancer 2": "mancer",
    "moonshot ai": "moonshotai",
    "openinference": "open-inference",
}
_BETWEEN_WORDS = lazy_pattern(r"[\s.]+")


def provider_slug(name: str) -> str:
    """Return the slug of a provider, such as `moonshotai` for `Moonshot AI`. A slug is returned unchanged.

    OpenRouter documents no rule; for a provider that is not listed here the result is the most likely slug.
    """
    name = name.strip().lower()
    return _SLUGS.get(name) or _BETWEEN_WORDS.sub("-", name)


COMPLETE = frozenset(
    {"stop", "tool_calls", "tool_call", "tool_use", "function_call", "eos", "eos_token", "end_of_sequence", "im_end"}
    | {"end_turn", "end_of_turn", "stop_sequence", "complete", "completed", "finish_reason_stop", "requires_action"}
)
"""Finish reasons, in lower case, of a response that the model ended itself.

OpenRouter sends `stop` and `tool_calls`; other servers send other words with the same meaning. With every other reason,
even an unknown one, the response may be truncated.
"""


def is_complete(finish_reason: object) -> bool:
    """Return whether a finish reason means that the model ended the response itself."""
    return finish_reason in ("stop", "tool_calls") or reason_word(finish_reason) in COMPLETE


_BETWEEN_WORDS_OF_REASON = lazy_pattern(r"(?<=[a-z])(?=[A-Z])|[\s-]+")


def reason_word(finish_reason: object) -> str:
    """Return a finish reason in OpenRouter's spelling: `toolCalls`, `Tool-Calls` and `<|tool_calls|>` are `tool_calls`.

    Anything but a string is an empty string.
    """
    if not isinstance(finish_reason, str):
        return ""
    return _BETWEEN_WORDS_OF_REASON.sub("_", finish_reason.strip("<|> ")).lower()
