"""Turns a `Reply` into an `Answer`: generates ids, applies limits, and derives the finish reason and usage."""

import secrets
import string
import time
from dataclasses import dataclass

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing import tokens
from langchain_kimi.testing.behavior import Behavior, CallIdStyle
from langchain_kimi.testing.catalog import PROVIDERS, Model, served_name
from langchain_kimi.testing.replies import Reply

_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A valid chat request and the state to answer it with.

    Attributes:
        body: The parsed body.
        requested: The model id in the request.
        model: The model that serves the request.
        behavior: The emulator's switches at the time of the request.
        prompt: The prompt's token counts.
    """

    body: JSONObject
    requested: str
    model: Model
    behavior: Behavior
    prompt: tokens.PromptTokens


@dataclass(frozen=True, slots=True)
class SentToolCall:
    """A tool call as it is sent, with its final id."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, ready to be written as a plain body or as a stream.

    Attributes:
        generation_id: OpenRouter's id, `gen-...`.
        created: Seconds since 1970.
        model: The name of the model in the response.
        provider: The provider's display name.
        reasoning: The visible reasoning, or None.
        text: The content, or None.
        tool_calls: The calls with their final ids.
        finish_reason: OpenRouter's finish reason.
        native_finish_reason: The provider's finish reason.
        usage: The usage object.
        top_logprobs: The number of alternatives for each token. None: no logprobs were requested.
        thinks: Whether the model reasoned, visibly or not.
        refusal: The refusal, or None.
        annotations: The annotations of the message.
        server_tools: The entries of `reasoning_details` for server tools.
        images: The images of the message.
        reasoning_details: The other entries of `reasoning_details`. None: those of the reasoning.
        behavior: The emulator's switches.
    """

    generation_id: str
    created: int
    model: str
    provider: str
    reasoning: str | None
    text: str | None
    tool_calls: tuple[SentToolCall, ...]
    finish_reason: str
    native_finish_reason: str
    usage: JSONObject
    top_logprobs: int | None
    thinks: bool
    behavior: Behavior
    refusal: str | None = None
    annotations: tuple[JSONObject, ...] = ()
    server_tools: tuple[JSONObject, ...] = ()
    images: tuple[JSONObject, ...] = ()
    reasoning_details: tuple[JSONObject, ...] | None = None


def generation_id(created: int) -> str:
    """Return a new generation id."""
    return f"gen-{created}-" + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in secrets.token_bytes(20))


def thinks(body: JSONObject, model: Model, behavior: Behavior) -> bool:
    """Return whether the model reasons before it answers this request."""
    if behavior.reasoning is not None:
        return behavior.reasoning
    if not model.thinks or model.must_think:
        return model.thinks
    options = body.get("reasoning") or {}
    effort = options.get("effort") or body.get("reasoning_effort")
    return options.get("enabled") is not False and effort != "none"


def compose(reply: Reply, default_reasoning: str, request: ChatRequest) -> Answer:
    """Return the answer to a request.

    Args:
        reply: The reply. It is cut at the request's token limit and stop sequences.
        default_reasoning: The reasoning of a reasoning model for replies without reasoning.
        request: The request.
    """
    body, model, behavior, prompt = request.body, request.model, request.behavior, request.prompt
    created = int(time.time())
    is_scripted = reply.reasoning is not None or reply.reasoning_details is not None
    thinking = thinks(body, model, behavior) or is_scripted
    completion = _TokenLimit(_max_tokens(body))
    reasoning = completion.take(reply.reasoning or (default_reasoning if thinking else ""))
    reasoning_tokens = completion.tokens
    text = None if reply.text is None else completion.take(_before_stop(reply.text, body.get("stop")))
    calls = _calls(reply, body, behavior, completion)
    finish = reply.finish_reason or ("tool_calls" if calls else "stop")
    if completion.is_exhausted:
        finish = "length"
    counted = prompt if behavior.prompt_cache else tokens.PromptTokens(prompt.total, 0)
    hidden = not thinking or (body.get("reasoning") or {}).get("exclude") or body.get("include_reasoning") is False
    return Answer(
        generation_id=generation_id(created),
        created=created,
        model=served_name(request.requested, model) if behavior.canonical_model else request.requested,
        provider=reply.provider or _provider(body, behavior),
        reasoning=None if hidden else reasoning,
        text=text,
        tool_calls=calls,
        finish_reason=finish,
        native_finish_reason=reply.native_finish_reason or finish,
        usage=_usage(reply, tokens.usage(counted, completion.tokens, reasoning_tokens, model)),
        top_logprobs=(body.get("top_logprobs") or 0) if body.get("logprobs") else None,
        thinks=thinking,
        behavior=behavior,
        refusal=reply.refusal,
        annotations=tuple(reply.annotations),
        server_tools=tuple(reply.server_tool_details),
        images=tuple(reply.image_entries),
        reasoning_details=None if hidden or reply.reasoning_details is None else tuple(reply.reasoning_details),
    )


def _usage(reply: Reply, computed: JSONObject) -> JSONObject:
    if reply.cost is not None:
        computed = {**computed, "cost": reply.cost}
        details = {"upstream_inference_cost": reply.cost}
        computed["cost_details"] = {**computed["cost_details"], **details}
    return {**computed, **reply.server_tool_usage, **reply.usage}


class _TokenLimit:
    """Counts completion tokens and cuts texts at the limit."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.tokens = 0
        self.is_exhausted = False

    def take(self, text: str) -> str:
        """Count a text's tokens and return its part within the limit."""
        pieces = tokens.split(text)
        if self._limit is not None and self.tokens + len(pieces) > self._limit:
            pieces = pieces[: self._limit - self.tokens]
            self.is_exhausted = True
        self.tokens += len(pieces)
        return "".join(pieces)


def _max_tokens(body: JSONObject) -> int | None:
    limits = [body[name] for name in ("max_tokens", "max_completion_tokens") if body.get(name) is not None]
    return min(limits, default=None)


def _before_stop(text: str, stop: str | list[str] | None) -> str:
    """Return the text before the first stop sequence."""
    sequences = [stop] if isinstance(stop, str) else stop or []
    ends = [text.find(sequence) for sequence in sequences if sequence and sequence in text]
    return text[: min(ends, default=len(text))]


def _calls(reply: Reply, body: JSONObject, behavior: Behavior, completion: _TokenLimit) -> tuple[SentToolCall, ...]:
    history = sum(len(message.get("tool_calls") or ()) for message in body["messages"])
    first = history if behavior.call_numbering == "conversation" else 0
    calls = []
    for position, call in enumerate(reply.calls):
        if completion.is_exhausted:
            break
        arguments = completion.take(call.json)
        call_id = _call_id(call.name, first + position, first, behavior) if call.id is None else call.id
        calls.append(SentToolCall(call_id, call.name, arguments))
    return tuple(calls)


def _call_id(name: str, number: int, first: int, behavior: Behavior) -> str:
    ids: dict[CallIdStyle, str] = {
        "name:index": f"{name}:{number}",
        "functions.name:index": f"functions.{name}:{number}",
        "repeated": f"{name}:{first}",
        "call": "call_" + secrets.token_hex(12),
        "hex": secrets.token_hex(16),
    }
    return ids[behavior.call_ids]


def _provider(body: JSONObject, behavior: Behavior) -> str:
    if behavior.provider is not None:
        return behavior.provider
    routing = body.get("provider") or {}
    slugs = [*(routing.get("order") or ()), *(routing.get("only") or ())]
    names = [PROVIDERS[base] for slug in slugs if (base := slug.partition("/")[0]) in PROVIDERS]
    ignored = {PROVIDERS.get(slug.partition("/")[0]) for slug in routing.get("ignore") or ()}
    return next(name for name in [*names, *PROVIDERS.values(), "Moonshot AI"] if name not in ignored)
