#!/usr/bin/env python3
"""Hold the estimate of tokens against recorded exchanges with Kimi, and write its errors to `docs/token-estimate.md`.

    python -m scripts.calibrate_estimate RECORDINGS [--file PATH]

RECORDINGS is a directory of exchanges, each a directory with `request.json`, `response.json`, `response.body` and
`meta.json`. Only figures are written; nothing of what was said.
"""

import argparse
import json
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, product
from pathlib import Path
from statistics import fmean
from typing import Any, cast
from urllib.parse import urlsplit

from langchain_kimi.kimi.call_ids import with_positional_ids
from langchain_kimi.kimi.chat_template import ToolsStyle, render
from langchain_kimi.kimi.counting import TokenCounter
from langchain_kimi.kimi.estimate import LETTERS_PER_TOKEN, estimate_tokens
from langchain_kimi.kimi.families import family
from langchain_kimi.openrouter.wire import JSONObject, WireMessage

DOCUMENT = Path(__file__).parents[1] / "docs" / "token-estimate.md"
TEMPLATE = Path(__file__).with_name("token_estimate.template.md")
SHORTEST = 50
DEFAULT_SYSTEM = 18
SHORTEST_ANSWER, LONG_ANSWER = 20, 60
OK = 200
REASONING = frozenset({"reasoning", "reasoning_content", "reasoning_details"})
STYLES: tuple[ToolsStyle, ...] = ("json", "compact_json", "typescript")


@dataclass(frozen=True, eq=False)
class Exchange:
    """What a recording tells: the prompt, the answer, and how many tokens each had."""

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


@dataclass(frozen=True)
class Form:
    """How a host renders a prompt, as far as hosts differ."""

    style: ToolsStyle
    with_default_system: bool
    with_reasoning: bool
    with_ids_as_sent: bool

    def estimate(self, exchange: Exchange) -> float:
        """Estimate the prompt of an exchange as this host would render it."""
        tokens, texts = self.rendered(exchange)
        return tokens + sum(map(estimate_tokens, texts))

    def rendered(self, exchange: Exchange) -> tuple[float, tuple[str, ...]]:
        """Give a prompt as this host would render it: the tokens that are known, and the texts to estimate."""
        messages = exchange.messages
        if not self.with_reasoning:
            kept = [{key: value for key, value in message.items() if key not in REASONING} for message in messages]
            messages = cast("list[WireMessage]", kept)
        if not self.with_ids_as_sent:
            messages = with_positional_ids(messages)
        known = family(exchange.model)
        segments = render(known, messages, exchange.tools, self.style)
        tokens = sum(segment.tokens or 0 for segment in segments)
        has_default = known is not None and known.generation < (2, 5) and messages[0].get("role") != "system"
        texts = tuple(segment.text for segment in segments if segment.tokens is None)
        return tokens - DEFAULT_SYSTEM * (has_default and not self.with_default_system), texts


FORMS = [Form(*choice) for choice in product(STYLES, (True, False), (True, False), (True, False))]


@dataclass(frozen=True)
class Pair:
    """An estimate and the truth."""

    estimated: float
    true: int

    @property
    def error(self) -> float:
        """How far the estimate is above the truth (below: negative), as a share of the truth."""
        return self.estimated / self.true - 1


def main(arguments: Sequence[str]) -> int:
    """Write the figures; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recordings", type=Path, help="a directory of recorded exchanges")
    parser.add_argument("--file", type=Path, default=DOCUMENT, help="what to write (default: %(default)s)")
    options = parser.parse_args(arguments)
    found = list(exchanges(options.recordings))
    if not found:
        sys.stderr.write(f"There is no exchange with Kimi in {options.recordings}.\n")
        return 1
    options.file.write_text(document(found), encoding="utf-8")
    sys.stdout.write(f"{len(found)} exchanges measured: {options.file}\n")
    return 0


def exchanges(recordings: Path) -> Iterator[Exchange]:
    """Read the exchanges with Kimi whose request and usage were recorded."""
    for path in sorted(recordings.glob("*/meta.json")):
        meta = json.loads(path.read_bytes())
        if meta["status"] == OK and family(meta["model"].lower()) is not None:
            yield from _exchange(path.parent, meta["model"].lower(), meta.get("source_repo") or "")


def _exchange(folder: Path, model: str, source: str) -> Iterator[Exchange]:
    request = json.loads((folder / "request.json").read_bytes())
    body = json.loads(raw) if isinstance(raw := request["body"], str) else raw or {}
    events = list(_events((folder / "response.body").read_text(encoding="utf-8")))
    choices = [choice for event in events for choice in event.get("choices") or ()]
    usages = [source["usage"] for source in [*events, *choices] if source.get("usage")]
    if not (body.get("messages") and usages):
        return
    said = [choice.get("message") or choice.get("delta") or {} for choice in choices]
    provider = [event["provider"] for event in events if event.get("provider")]
    yield Exchange(
        host=provider[0] if provider else urlsplit(request["url"]).hostname or "",
        month=datetime.fromtimestamp(events[0].get("created") or 0, tz=UTC).strftime("%Y-%m"),
        model=model,
        messages=body["messages"],
        tools=body.get("tools") or [],
        prompt_tokens=usages[-1]["prompt_tokens"],
        completion_tokens=usages[-1]["completion_tokens"],
        reasoning="".join(message.get("reasoning") or message.get("reasoning_content") or "" for message in said),
        content="".join(message.get("content") or "" for message in said),
        finish=next((choice["finish_reason"] for choice in choices if choice.get("finish_reason")), ""),
        has_calls=any(message.get("tool_calls") for message in said),
        source=source,
    )


def _events(text: str) -> Iterator[dict[str, Any]]:
    if text.lstrip().startswith("{"):
        yield json.loads(text)
        return
    for line in text.splitlines():
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))


def grouped(found: Iterable[Exchange], key: Callable[[Exchange], str]) -> dict[str, list[Exchange]]:
    """Group exchanges, the groups in order."""
    return {name: list(group) for name, group in groupby(sorted(found, key=key), key)}


def of_host(exchange: Exchange) -> str:
    """Name who served an exchange, and the family of the model."""
    return f"{exchange.host} · {cast('Any', family(exchange.model)).name}"


def of_host_then(exchange: Exchange) -> str:
    """Name who served an exchange and when, since hosts change."""
    return f"{of_host(exchange)} · {exchange.month}"


def prompts_in_known_form(group: Sequence[Exchange]) -> list[Pair]:
    """Estimate the prompts of a host in the one form that fits all of them best."""

    def misfit(form: Form) -> float:
        return sum(abs(form.estimate(exchange) - exchange.prompt_tokens) for exchange in group)

    best = min(FORMS, key=misfit)
    return [Pair(best.estimate(exchange), exchange.prompt_tokens) for exchange in group]


def nobody(_exchange: Exchange, _other: Exchange) -> bool:
    """Learn from no other exchange."""
    return False


def anybody(exchange: Exchange, other: Exchange) -> bool:
    """Learn from every other exchange."""
    return other is not exchange


def earlier_turns(exchange: Exchange, other: Exchange) -> bool:
    """Learn from the turns of the same conversation that came before."""
    same = exchange.messages[: len(other.messages)] == other.messages and exchange.tools == other.tools
    return same and len(other.messages) < len(exchange.messages)


def prompts_as_counted(group: Sequence[Exchange], teaches: Callable[[Exchange, Exchange], bool]) -> list[Pair]:
    """Count prompts as a model does that has learned from those of the host's exchanges that teach it."""
    pairs = []
    for exchange in group:
        counter = TokenCounter(exchange.model)
        for other in group:
            if teaches(exchange, other):
                count = counter.count_messages(other.messages, other.tools, estimate_tokens)
                counter.learn(count.unadjusted, other.prompt_tokens, count.frame)
        count = counter.count_messages(exchange.messages, exchange.tools, estimate_tokens)
        pairs.append(Pair(count.tokens, exchange.prompt_tokens))
    return pairs


def answers(found: Iterable[Exchange], wanted: Callable[[Exchange], bool]) -> list[Pair]:
    """Estimate the answers that are text alone."""
    pairs = []
    for exchange in found:
        # The end of the turn is billed, and the end of the thoughts.
        true = exchange.completion_tokens - (exchange.finish == "stop") - bool(exchange.reasoning)
        if not exchange.has_calls and true >= SHORTEST_ANSWER and wanted(exchange):
            pairs.append(Pair(estimate_tokens(exchange.reasoning) + estimate_tokens(exchange.content), true))
    return pairs


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


def prompts_untold(hosts: Iterable[Sequence[Exchange]]) -> dict[str, list[Pair]]:
    """Count prompts as a model does whose caller tells nothing, before and after it has seen others of the host."""
    groups = list(hosts)
    later = {one for group in groups for one in group if any(earlier_turns(one, other) for other in group)}

    def counted(teaches: Callable[[Exchange, Exchange], bool], wanted: Container[Exchange]) -> list[Pair]:
        pairs = (
            (one, pair) for group in groups for one, pair in zip(group, prompts_as_counted(group, teaches), strict=True)
        )
        return [pair for one, pair in pairs if one in wanted]

    everyone = {one for group in groups for one in group}
    return {
        "at first": counted(nobody, everyone),
        "after the host's others": counted(anybody, everyone),
        "second turns, at first": counted(nobody, later),
        "second turns, after the first one": counted(earlier_turns, later),
    }


def document(found: Sequence[Exchange]) -> str:
    """Write the document."""
    long = [exchange for exchange in found if exchange.prompt_tokens > SHORTEST]
    hosts = grouped(long, of_host)
    fitted = [prompts_in_known_form(group) for group in grouped(long, of_host_then).values()]
    known = [pair for group in fitted for pair in group]
    several = row("of hosts with several", [pair for group in fitted if len(group) > 1 for pair in group])
    lengths = {"51 to 100 tokens": range(51, 101), "101 to 200": range(101, 201), "over 200": range(201, 10**6)}
    by_length = [row(name, [pair for pair in known if pair.true in length]) for name, length in lengths.items()]

    def has_ruler(exchange: Exchange) -> bool:
        return "–––" in exchange.content  # noqa: RUF001 - the dash itself is meant

    return TEMPLATE.read_text(encoding="utf-8").format(
        exchanges=len(found),
        long=len(long),
        known=table("prompts, form known", [row("all", known), several, *by_length]),
        counted=table(
            "prompts, nothing told", [row(name, pairs) for name, pairs in prompts_untold(hosts.values()).items()]
        ),
        hosts=table(
            "host and family",
            [row(name, prompts_as_counted(group, nobody)) for name, group in hosts.items()],
        ),
        answers=table(
            "answers",
            [
                row("all", answers(found, lambda _: True)),
                row("without rulers", answers(found, lambda exchange: not has_ruler(exchange))),
                row("20 to 59 tokens", answers(found, lambda exchange: exchange.completion_tokens < LONG_ANSWER)),
                row("60 and more", answers(found, lambda exchange: exchange.completion_tokens >= LONG_ANSWER)),
                row("with rulers of dashes", answers(found, has_ruler)),
            ],
        ),
        scripts="\n".join(f"| {name} | {letters} |" for name, letters in LETTERS_PER_TOKEN.items()),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
