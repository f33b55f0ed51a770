"""Recorded prompts with what was billed for them: what the scripts that measure the estimate of tokens begin with.

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
# The turns of a conversation lie in one file, or in files with numbers.
_NUMBER = re.compile(r"_\d+(?=\.\w+$)")


@dataclass(frozen=True, eq=False)
class Exchange:
    """What a recording tells: the prompt, the answer, and how many tokens each had.

    Attributes:
        host: Who served it, by name; where nobody said, the machine that was asked.
        slug: The same as the package names it.
        told: The slug of the host as the request tells it, by its preferences or its URL; None if it does not.
        month: When, as `YYYY-MM`; empty if nobody said.
        source: Whose recording it is.
        conversation: The same for the turns of one conversation.
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
    """How a host writes a prompt, and whether it leaves the ids of calls as they were sent or makes them Kimi's."""

    written: PromptForm
    with_ids_as_sent: bool = True

    def estimate(self, exchange: Exchange) -> float:
        """Estimate the prompt of an exchange as this host would write it."""
        tokens, texts = self.rendered(exchange)
        return tokens + sum(map(estimate_tokens, texts))

    def rendered(self, exchange: Exchange) -> tuple[float, tuple[str, ...]]:
        """Give a prompt as this host would write it: the tokens that are known, and the texts to estimate."""
        messages = exchange.messages if self.with_ids_as_sent else with_positional_ids(exchange.messages)
        segments = render(family(exchange.model), messages, exchange.tools, self.written)
        tokens = sum(segment.tokens or 0 for segment in segments)
        return tokens, tuple(segment.text for segment in segments if segment.tokens is None)


def forms_of(model: str) -> list[Form]:
    """List the forms that hosts may use for a model, that of its template first."""
    return [Form(*choice) for choice in product(possible_forms(family(model)), (True, False))]


@dataclass(frozen=True)
class Pair:
    """An estimate and the truth."""

    estimated: float
    true: int

    @property
    def error(self) -> float:
        """How far the estimate is above the truth (below: negative), as a share of the truth."""
        return self.estimated / self.true - 1


def exchanges(recordings: Path) -> Iterator[Exchange]:
    """Read the exchanges with Kimi whose request and usage were recorded."""
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
        # Who names a provider is a router, whatever its address.
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
    """Group exchanges, the groups in order."""
    return {name: list(group) for name, group in groupby(sorted(recorded, key=key), key)}


def of_host(exchange: Exchange) -> str:
    """Name who served an exchange, and the family of the model."""
    return f"{exchange.host} · {cast('Any', family(exchange.model)).name}"


def of_host_then(exchange: Exchange) -> str:
    """Name who served an exchange and when, since hosts change."""
    return f"{of_host(exchange)} · {exchange.month}"


def is_earlier_turn(other: Exchange, exchange: Exchange) -> bool:
    """Tell whether an exchange was an earlier turn of the conversation of another one."""
    same = exchange.messages[: len(other.messages)] == other.messages and exchange.tools == other.tools
    return same and len(other.messages) < len(exchange.messages) and other.conversation == exchange.conversation


def row(name: str, pairs: Sequence[Pair]) -> str:
    """One line of a table: how many, mean error, worst error, bias."""
    if not pairs:
        return f"| {name} | 0 | | | |"
    errors = [pair.error for pair in pairs]
    mean, worst, bias = fmean(map(abs, errors)), max(errors, key=abs), fmean(errors)
    return f"| {name} | {len(pairs)} | {mean:.1%} | {worst:+.1%} | {bias:+.1%} |"


def table(name: str, rows: Iterable[str]) -> str:
    """A table of such lines."""
    return "\n".join([f"| {name} | n | mean error | worst | bias |", "|---|---|---|---|---|", *rows])
