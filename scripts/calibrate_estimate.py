#!/usr/bin/env python3
"""Compare the token estimate with recorded exchanges with Kimi, and write its errors to `docs/token-estimate.md`.

    python -m scripts.calibrate_estimate RECORDINGS [--file PATH]

RECORDINGS is a directory of exchanges, each a directory with `request.json`, `response.json`, `response.body` and
`meta.json`. Only figures are written, no part of the conversations.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from langchain_kimi._kimi.families import family
from langchain_kimi._tokens.counting import Billed, TokenCounter
from langchain_kimi._tokens.estimate import estimate_tokens
from langchain_kimi._tokens.hosts import PromptForm, default_form
from scripts.fit_prompt_forms import best_form, generation_of
from scripts.recorded_prompts import (
    SHORTEST,
    Exchange,
    Form,
    Pair,
    exchanges,
    forms_of,
    grouped,
    is_earlier_turn,
    of_host,
    of_host_then,
    row,
    table,
)

DOCUMENT = Path(__file__).parents[1] / "docs" / "token-estimate.md"
TEMPLATE = Path(__file__).with_name("token_estimate.template.md")
SHORTEST_ANSWER, LONG_ANSWER = 20, 60
UNKNOWN_HOST = "first turns, host unknown"
WITHOUT_MOONSHOT = "the same without Moonshot AI, which no longer serves K2"
MOONSHOT = "moonshotai"


def main(arguments: Sequence[str]) -> int:
    """Write the document and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recordings", type=Path, help="a directory of recorded exchanges")
    parser.add_argument("--file", type=Path, default=DOCUMENT, help="the document to write (default: %(default)s)")
    options = parser.parse_args(arguments)
    recorded = list(exchanges(options.recordings))
    if not recorded:
        sys.stderr.write(f"There are no exchanges with Kimi in {options.recordings}.\n")
        return 1
    options.file.write_text(document(recorded), encoding="utf-8")
    sys.stdout.write(f"{len(recorded)} exchanges measured: {options.file}\n")
    return 0


def pairs_in_best_form(group: Sequence[Exchange]) -> list[Pair]:
    """Return the estimates of a host's prompts in the one form that fits all of them best."""

    def misfit(form: Form) -> float:
        return sum(abs(form.estimate(exchange) - exchange.prompt_tokens) for exchange in group)

    best = min(forms_of(group[0].model), key=misfit)
    return [Pair(best.estimate(exchange), exchange.prompt_tokens) for exchange in group]


def earlier_turn(exchange: Exchange, recorded: Sequence[Exchange]) -> Exchange | None:
    """Return the previous turn, if it was recorded."""
    return max(
        (one for one in recorded if is_earlier_turn(one, exchange)), key=lambda one: len(one.messages), default=None
    )


def count(exchange: Exchange, earlier: Exchange | None = None, form: PromptForm | None = None) -> Pair:
    """Count a prompt as a model does.

    Args:
        exchange: The prompt. Its host is named by the request or by the previous turn.
        earlier: The previous turn, whose answer names its host and the billed tokens.
        form: The form in which the host renders prompts; None uses the form that the package has for it.
    """
    host = exchange.reported or (earlier.slug if earlier else None)
    billed = Billed(len(earlier.messages), earlier.prompt_tokens) if earlier and earlier.slug == host else None
    counted = TokenCounter(exchange.model, form=form).count_messages(
        exchange.messages, exchange.tools, estimate_tokens, host=host, billed=billed
    )
    return Pair(counted.tokens, exchange.prompt_tokens)


def answers(recorded: Iterable[Exchange], wanted: Callable[[Exchange], bool]) -> list[Pair]:
    """Return the estimates of the answers without tool calls."""
    pairs = []
    for exchange in recorded:
        # The tokens that end the turn and the reasoning are billed too.
        true = exchange.completion_tokens - (exchange.finish == "stop") - bool(exchange.reasoning)
        if not exchange.has_calls and true >= SHORTEST_ANSWER and wanted(exchange):
            pairs.append(Pair(estimate_tokens(exchange.reasoning) + estimate_tokens(exchange.content), true))
    return pairs


def as_a_model_counts(recorded: Sequence[Exchange]) -> dict[str, list[Pair]]:
    """Count prompts as a model does, grouped by its knowledge of the host."""
    same, other = "later turns, same host", "later turns, another host"
    named, held_out = "first turns, host named", "the same, form fitted without the conversation"
    pairs: dict[str, list[Pair]] = {name: [] for name in (same, other, named, held_out, UNKNOWN_HOST, WITHOUT_MOONSHOT)}
    for one in long_ones(recorded):
        if earlier := earlier_turn(one, recorded):
            pairs[same if earlier.slug == one.slug else other].append(count(one, earlier))
        elif one.reported:
            others = [other for other in of_same_host(one, recorded) if other.conversation != one.conversation]
            form = (best_form(others) if others else None) or default_form(family(one.model))
            pairs[named].append(count(one))
            pairs[held_out].append(count(one, form=form))
        else:
            pairs[UNKNOWN_HOST].append(count(one))
            if one.slug != MOONSHOT:
                pairs[WITHOUT_MOONSHOT].append(count(one))
    sums = {
        "all with a known host": pairs[same] + pairs[named],
        "the same, forms fitted without the conversation": pairs[same] + pairs[held_out],
        "all with a host that the model takes for known": pairs[same] + pairs[other] + pairs[named],
        "all": pairs[same] + pairs[other] + pairs[named] + pairs[UNKNOWN_HOST],
    }
    return pairs | sums


def by_default(recorded: Sequence[Exchange]) -> dict[str, list[Pair]]:
    """Count the prompts of K2 in each form that could be assumed for unknown hosts."""
    of_k2 = [one for one in long_ones(recorded) if generation_of(one) == "kimi-k2" and one.tools]
    forms = [form.written for form in forms_of("kimi-k2") if form.with_ids_as_sent]
    return {
        f"{form.tools}, {'with' if form.default_system else 'without'} a default system message": [
            Pair(Form(form).estimate(one), one.prompt_tokens) for one in of_k2
        ]
        for form in forms
    }


def of_same_host(exchange: Exchange, recorded: Sequence[Exchange]) -> list[Exchange]:
    """Return the dated exchanges with the same host and the same generation."""
    generation = generation_of(exchange)
    return [one for one in recorded if one.slug == exchange.slug and generation_of(one) == generation and one.month]


def long_ones(recorded: Sequence[Exchange]) -> list[Exchange]:
    """Return the exchanges whose prompts are long enough to be measured."""
    return [exchange for exchange in recorded if exchange.prompt_tokens > SHORTEST]


def document(recorded: Sequence[Exchange]) -> str:
    """Return the text of the document."""
    long = long_ones(recorded)
    fitted = [pairs_in_best_form(group) for group in grouped(long, of_host_then).values()]
    fitted_pairs = [pair for group in fitted for pair in group]
    several = row("hosts with several prompts", [pair for group in fitted if len(group) > 1 for pair in group])
    lengths = {"51 to 100 tokens": range(51, 101), "101 to 200": range(101, 201), "over 200": range(201, 10**6)}
    by_length = [row(name, [pair for pair in fitted_pairs if pair.true in length]) for name, length in lengths.items()]

    def has_ruler(exchange: Exchange) -> bool:
        return "–––" in exchange.content  # noqa: RUF001 - rulers consist of this dash

    return TEMPLATE.read_text(encoding="utf-8").format(
        exchanges=len(recorded),
        long=len(long),
        known=table("prompts, best form", [row("all", fitted_pairs), several, *by_length]),
        counted=table(
            "prompts, as a model counts them", [row(name, pairs) for name, pairs in as_a_model_counts(recorded).items()]
        ),
        defaults=table(
            "form assumed for K2 with tools", [row(name, pairs) for name, pairs in by_default(recorded).items()]
        ),
        hosts=table(
            "host and family, host unknown to the model",
            [
                row(name, [count(replace(one, reported=None)) for one in group])
                for name, group in grouped(long, of_host).items()
            ],
        ),
        answers=table(
            "answers",
            [
                row("all", answers(recorded, lambda _: True)),
                row("without rulers", answers(recorded, lambda exchange: not has_ruler(exchange))),
                row("20 to 59 tokens", answers(recorded, lambda exchange: exchange.completion_tokens < LONG_ANSWER)),
                row("60 and more", answers(recorded, lambda exchange: exchange.completion_tokens >= LONG_ANSWER)),
                row("with rulers of dashes", answers(recorded, has_ruler)),
            ],
        ),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
