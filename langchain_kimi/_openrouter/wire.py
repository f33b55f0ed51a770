"""The words of OpenRouter's wire, as typed dictionaries.

Only what this package reads or writes is named. A reply may hold more: unknown keys and unknown values of known keys
are carried along, never refused, because OpenRouter adds both without notice.
"""

import re
from typing import Any, Literal, TypeAlias, TypedDict

JSONObject: TypeAlias = dict[str, Any]

Role = Literal["system", "developer", "user", "assistant", "tool"]


class WireFunction(TypedDict, total=False):
    """The function half of a tool call; in a stream any part of it may be missing, null or empty."""

    name: str | None
    arguments: str | None


class WireToolCall(TypedDict, total=False):
    """A tool call, whole in a reply, or a piece of one in a stream's delta."""

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
    """The spelling of `reasoning` at hosts other than OpenRouter."""
    reasoning_details: list[JSONObject]
    annotations: list[JSONObject]
    images: list[JSONObject]
    audio: JSONObject


class WireError(TypedDict, total=False):
    """What went wrong, in an error body, in a 200 body, in a stream's event or in a choice."""

    code: int | str | None
    message: str
    metadata: JSONObject | None
    error_type: str
    http_status: int
    availability: JSONObject


class WireUsage(TypedDict, total=False):
    """Tokens and money of one call; every nested object may be missing or null."""

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
    """One answer: `message` in a plain reply, `delta` in a stream."""

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
    """The body of a request; the parameters beside these are those of `openrouter.parameters`."""

    model: str
    messages: list[WireMessage]
    stream: bool
    tools: list[JSONObject]
    tool_choice: str | JSONObject
    response_format: JSONObject
    models: list[str]


# Where the slug is not the name in small letters with hyphens for what parts its words.
_SLUGS = {
    "alibaba cloud": "alibaba",
    "atlascloud": "atlas-cloud",
    "google": "google-vertex",
    "mancer 2": "mancer",
    "moonshot ai": "moonshotai",
    "openinference": "open-inference",
}
_BETWEEN_WORDS = re.compile(r"[\s.]+")


def provider_slug(name: str) -> str:
    """Give the slug of a provider: `moonshotai` for `Moonshot AI`.

    OpenRouter lists no rule; of a provider that is not known here it is the likeliest slug. A slug gives itself.
    """
    known = name.strip().lower()
    return _SLUGS.get(known) or _BETWEEN_WORDS.sub("-", known)


COMPLETE = frozenset(
    {"stop", "tool_calls", "tool_call", "tool_use", "function_call", "eos", "eos_token", "end_of_sequence", "im_end"}
    | {"end_turn", "end_of_turn", "stop_sequence", "complete", "completed", "finish_reason_stop"}
)
"""Finish reasons, in lower case, of a response that the model ended itself.

OpenRouter sends `stop` and `tool_calls`; other servers send their own words for the same. Every other reason, also an
unknown one, may have cut the response off.
"""


def is_complete(finish_reason: object) -> bool:
    """Return whether a finish reason says that the model ended the response itself."""
    if finish_reason in ("stop", "tool_calls"):
        return True
    return isinstance(finish_reason, str) and finish_reason.strip("<|> ").lower().replace("-", "_") in COMPLETE
