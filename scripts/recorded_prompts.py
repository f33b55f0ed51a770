"""Read recorded exchanges with their billed tokens, for the scripts that measure the token estimate.

A recording is a directory with `request.json`, `response.json`, `response.body` and `meta.json`.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, product
from pathlib import Path
from statistics import fmean
from typing import Any, cast
from urllib.parse import urlsplit

from langchain_kimi._kimi.call_ids import with_positional_ids
from langchain_kimi._kimi.families import family
from langchain_kimi._openrouter.http.connection import BASE_URL
from langchain_kimi._openrouter.wire import JSONObject, WireMessage, provider_slug
from langchain_kimi._request.routing import host_of_url, serving_host
from langchain_kimi._tokens.chat_template import render
from langchain_kimi._tokens.estimate import estimate_tokens
from langchain_kimi._tokens.hosts import PromptForm, possible_forms

SHORTEST = 50
OK = 200
# The turns of a conversation are in one file, or in numbered files.
_NUMBER = re.compile(r"_\d+(?=\.\w+$)")


@dataclass(frozen=True, eq=False)
class Exchange:
    """A recorded exchange: the prompt, the answer, and the billed tokens of both.

    Attributes:
        host: The name of the host; if the response has none, the host name of the URL.
        month: The month of the exchange as `YYYY-MM`, or an empty string.
        model: The model's slug, in lower case.
        messages: The messages of the request.
        tools: The tools of the request.
        prompt_tokens: The billed tokens of the prompt.
        completion_tokens: The billed tokens of the answer.
        reasoning: The reasoning of the answer.
        content: The text of the answer.
        finish: The finish reason, or an empty string.
        has_calls: Whether the answer has tool calls.
        source: The repository that the recording is from.
        conversation: A key that is equal for all turns of one conversation.
        slug: The host's slug as the package uses it.
        reported: The host's slug according to the request, by its preferences or its URL; None if it names no host.
    """

    host: str
    month: str
    model: str
    messages: list[WireMessage]
    tools: list[JSONObject]
    prompt_tokens: int
    completion_tokens: int
    reasoning: str
    content: str
    finish: str
    has_calls: bool
    source: str = ""
    conversation: str = ""
    slug: str = ""
    reported: str | None = None


@dataclass(frozen=True)
class Form:
    """The form in which a host renders prompts, and whether tool call ids are sent unchanged or in Kimi's form."""

    written: PromptForm
    with_ids_as_sent: bool = True

    def estimate(self, exchange: Exchange) -> float:
        """Return the estimated tokens of an exchange's prompt in this form."""
        tokens, texts = self.rendered(exchange)
        return tokens + sum(map(estimate_tokens, texts))

    def rendered(self, exchange: Exchange) -> tuple[float, tuple[str, ...]]:
        """Return a prompt in this form: the number of known tokens, and the texts to estimate."""
        messages = exchange.messages if self.with_ids_as_sent else with_positional_ids(exchange.messages)
        segments = render(family(exchange.model), messages, exchange.tools, self.written)
        tokens = sum(segment.tokens or 0 for segment in segments)
        return tokens, tuple(segment.text for segment in segments if segment.tokens is None)


def forms_of(model: str) -> list[Form]:
    """Return the forms that hosts may use for a model, that of its template first."""
    return [Form(*choice) for choice in product(possible_forms(family(model)), (True, False))]


@dataclass(frozen=True)
class Pair:
    """An estimate and the billed number of tokens."""

    estimated: float
    true: int

    @property
    def error(self) -> float:
        """The error of the estimate as a share of the billed tokens; positive if it is too high."""
        return self.estimated / self.true - 1


def exchanges(recordings: Path) -> Iterator[Exchange]:
    """Yield the exchanges with Kimi whose request and usage were recorded."""
    for path in sorted(recordings.glob("*/meta.json")):
        meta = json.loads(path.read_bytes())
        if meta["status"] == OK and family(meta["model"].lower()) is not None:
            yield from _exchange(path.parent, meta)


def _exchange(folder: Path, meta: Mapping[str, Any]) -> Iterator[Exchange]:
    request = json.loads((folder / "request.json").read_bytes())
    body = json.loads(raw) if isinstance(raw := request["body"], str) else raw or {}
    events = list(_events((folder / "response.body").read_text(encoding="utf-8")))
    choices = [choice for event in events for choice in event.get("choices") or ()]
    usages = [source["usage"] for source in [*events, *choices] if source.get("usage")]
    if not (body.get("messages") and usages):
        return
    choice_messages = [choice.get("message") or choice.get("delta") or {} for choice in choices]
    provider = next((event["provider"] for event in events if event.get("provider")), None)
    created = next((event["created"] for event in events if event.get("created")), None)
    yield Exchange(
        host=provider or urlsplit(request["url"]).hostname or "",
        month=datetime.fromtimestamp(created, tz=UTC).strftime("%Y-%m") if created else "",
        model=meta["model"].lower(),
        messages=body["messages"],
        tools=body.get("tools") or [],
        prompt_tokens=usages[-1]["prompt_tokens"],
        completion_tokens=usages[-1]["completion_tokens"],
        reasoning="".join(
            message.get("reasoning") or message.get("reasoning_content") or "" for message in choice_messages
        ),
        content="".join(message.get("content") or "" for message in choice_messages),
        finish=next((choice["finish_reason"] for choice in choices if choice.get("finish_reason")), ""),
        has_calls=any(message.get("tool_calls") for message in choice_messages),
        source=meta.get("source_repo") or "",
        conversation=_NUMBER.sub("", meta.get("source_path") or "") + (meta.get("source_commit") or ""),
        slug=provider_slug(provider) if provider else host_of_url(request["url"]) or "",
        # A response that names a provider comes from a router, whatever its address.
        reported=serving_host(body.get("provider") or {}, BASE_URL if provider else request["url"], ()),
    )


def _events(text: str) -> Iterator[dict[str, Any]]:
    if text.lstrip().startswith("{"):
        yield json.loads(text)
        return
    for line in text.splitlines():
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))


def grouped(recorded: Iterable[Exchange], key: Callable[[Exchange], str]) -> dict[str, list[Exchange]]:
    """Return exchanges in groups, sorted by key."""
    return {name: list(group) for name, group in groupby(sorted(recorded, key=key), key)}


def of_host(exchange: Exchange) -> str:
    """Return the host of an exchange and the family of its model."""
    return f"{exchange.host} · {cast('Any', family(exchange.model)).name}"


def of_host_then(exchange: Exchange) -> str:
    """Return the host, the family and the month of an exchange, because hosts change."""
    return f"{of_host(exchange)} · {exchange.month}"


def is_earlier_turn(other: Exchange, exchange: Exchange) -> bool:
    """Return whether `other` is an earlier turn of the same conversation."""
    same = exchange.messages[: len(other.messages)] == other.messages and exchange.tools == other.tools
    return same and len(other.messages) < len(exchange.messages) and other.conversation == exchange.conversation


def row(name: str, pairs: Sequence[Pair]) -> str:
    """Return a table line: the number of pairs, the mean error, the worst error and the bias."""
    if not pairs:
        return f"| {name} | 0 | | | |"
    errors = [pair.error for pair in pairs]
    mean, worst, bias = fmean(map(abs, errors)), max(errors, key=abs), fmean(errors)
    return f"| {name} | {len(pairs)} | {mean:.1%} | {worst:+.1%} | {bias:+.1%} |"


def table(name: str, rows: Iterable[str]) -> str:
    """Return a table of such lines."""
    return "\n".join([f"| {name} | n | mean error | worst | bias |", "|---|---|---|---|---|", *rows])
