"""From a reply to the answer that is sent: ids, limits, finish reason and usage."""

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
class Asked:
    """A request as it is to be answered."""

    body: JSONObject
    requested: str
    """The model's name as it was asked for."""
    model: Model
    behavior: Behavior
    prompt: tokens.PromptTokens


@dataclass(frozen=True, slots=True)
class AnsweredCall:
    """A tool call with the id it is sent with."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that a reply says, ready to be written as a plain body or as a stream."""

    generation_id: str
    created: int
    model: str
    provider: str
    reasoning: str | None
    text: str | None
    tool_calls: tuple[AnsweredCall, ...]
    finish_reason: str
    native_finish_reason: str
    usage: JSONObject
    top_logprobs: int | None
    """None: no logprobs were asked for."""
    thinks: bool
    behavior: Behavior


def generation_id(created: int) -> str:
    """Make a new generation id."""
    return f"gen-{created}-" + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in secrets.token_bytes(20))


def thinks(body: JSONObject, model: Model, behavior: Behavior) -> bool:
    """Say whether the model thinks before it answers this request."""
    if behavior.reasoning is not None:
        return behavior.reasoning
    if not model.thinks or model.must_think:
        return model.thinks
    options = body.get("reasoning") or {}
    effort = options.get("effort") or body.get("reasoning_effort")
    return options.get("enabled") is not False and effort != "none"


def compose(reply: Reply, thought: str, asked: Asked) -> Answer:
    """Bring a reply within the request's limits, and give it its ids, finish reason and usage.

    `thought` is what a model that thinks has thought where the reply does not say.
    """
    body, model, behavior, prompt = asked.body, asked.model, asked.behavior, asked.prompt
    created = int(time.time())
    thinking = thinks(body, model, behavior) or reply.reasoning is not None
    spent = _Budget(_max_tokens(body))
    reasoning = spent.take(reply.reasoning or (thought if thinking else ""))
    reasoning_tokens = spent.spent
    text = None if reply.text is None else spent.take(_stopped(reply.text, body.get("stop")))
    calls = _calls(reply, body, behavior, spent)
    finish = reply.finish_reason or ("tool_calls" if calls else "stop")
    if spent.exhausted:
        finish = "length"
    counted = prompt if behavior.prompt_cache else tokens.PromptTokens(prompt.total, 0)
    hidden = not thinking or (body.get("reasoning") or {}).get("exclude") or body.get("include_reasoning") is False
    return Answer(
        generation_id=generation_id(created),
        created=created,
        model=served_name(asked.requested, model) if behavior.canonical_model else asked.requested,
        provider=_provider(body, behavior),
        reasoning=None if hidden else reasoning,
        text=text,
        tool_calls=calls,
        finish_reason=finish,
        native_finish_reason=reply.native_finish_reason or finish,
        usage=tokens.usage(counted, spent.spent, reasoning_tokens, model),
        top_logprobs=(body.get("top_logprobs") or 0) if body.get("logprobs") else None,
        thinks=thinking,
        behavior=behavior,
    )


class _Budget:
    """Counts completion tokens, and cuts what goes beyond the limit."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.spent = 0
        self.exhausted = False

    def take(self, text: str) -> str:
        pieces = tokens.split(text)
        if self._limit is not None and self.spent + len(pieces) > self._limit:
            pieces = pieces[: self._limit - self.spent]
            self.exhausted = True
        self.spent += len(pieces)
        return "".join(pieces)


def _max_tokens(body: JSONObject) -> int | None:
    given = [body[name] for name in ("max_tokens", "max_completion_tokens") if body.get(name) is not None]
    return min(given, default=None)


def _stopped(text: str, stop: str | list[str] | None) -> str:
    """End the text before the first stop sequence."""
    sequences = [stop] if isinstance(stop, str) else stop or []
    ends = [text.find(sequence) for sequence in sequences if sequence and sequence in text]
    return text[: min(ends, default=len(text))]


def _calls(reply: Reply, body: JSONObject, behavior: Behavior, spent: _Budget) -> tuple[AnsweredCall, ...]:
    history = sum(len(message.get("tool_calls") or ()) for message in body["messages"])
    first = history if behavior.call_numbering == "conversation" else 0
    calls = []
    for position, call in enumerate(reply.calls):
        if spent.exhausted:
            break
        arguments = spent.take(call.json)
        call_id = _call_id(call.name, first + position, first, behavior) if call.id is None else call.id
        calls.append(AnsweredCall(call_id, call.name, arguments))
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
    wishes = body.get("provider") or {}
    slugs = [*(wishes.get("order") or ()), *(wishes.get("only") or ())]
    names = [PROVIDERS[base] for slug in slugs if (base := slug.partition("/")[0]) in PROVIDERS]
    refused = {PROVIDERS.get(slug.partition("/")[0]) for slug in wishes.get("ignore") or ()}
    return next(name for name in [*names, *PROVIDERS.values(), "Moonshot AI"] if name not in refused)
