#!/usr/bin/env python3
"""Hold the estimate of tokens against recorded exchanges with Kimi, and write its errors to `docs/token-estimate.md`.

    python -m scripts.calibrate_estimate RECORDINGS [--file PATH]

RECORDINGS is a directory of exchanges, each a directory with `request.json`, `response.json`, `response.body` and
`meta.json`. Only figures are written; nothing of what was said.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from langchain_kimi._kimi.families import family
from langchain_kimi._tokens.counting import Billed, TokenCounter
from langchain_kimi._tokens.estimate import LETTERS_PER_TOKEN, estimate_tokens
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
UNTOLD, STAYED = "first turns, host not known", "the same without Moonshot AI, which serves K2 no more"
LEFT = "moonshotai"


def main(arguments: Sequence[str]) -> int:
    """Write the figures; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recordings", type=Path, help="a directory of recorded exchanges")
    parser.add_argument("--file", type=Path, default=DOCUMENT, help="what to write (default: %(default)s)")
    options = parser.parse_args(arguments)
    recorded = list(exchanges(options.recordings))
    if not recorded:
        sys.stderr.write(f"There is no exchange with Kimi in {options.recordings}.\n")
        return 1
    options.file.write_text(document(recorded), encoding="utf-8")
    sys.stdout.write(f"{len(recorded)} exchanges measured: {options.file}\n")
    return 0


def prompts_in_known_form(group: Sequence[Exchange]) -> list[Pair]:
    """Estimate the prompts of a host in the one form that fits all of them best."""

    def misfit(form: Form) -> float:
        return sum(abs(form.estimate(exchange) - exchange.prompt_tokens) for exchange in group)

    best = min(forms_of(group[0].model), key=misfit)
    return [Pair(best.estimate(exchange), exchange.prompt_tokens) for exchange in group]


def earlier_turn(exchange: Exchange, recorded: Sequence[Exchange]) -> Exchange | None:
    """Find the turn before, if it was recorded."""
    return max(
        (one for one in recorded if is_earlier_turn(one, exchange)), key=lambda one: len(one.messages), default=None
    )


def count(exchange: Exchange, earlier: Exchange | None = None, form: PromptForm | None = None) -> Pair:
    """Count a prompt as a model does.

    Args:
        exchange: The prompt. Who will serve it is known from the request, or from the turn before.
        earlier: The turn before, whose answer tells who gave it and what was billed.
        form: How the host writes prompts; None is what the package knows of it.
    """
    host = exchange.reported or (earlier.slug if earlier else None)
    billed = Billed(len(earlier.messages), earlier.prompt_tokens) if earlier and earlier.slug == host else None
    counted = TokenCounter(exchange.model, form=form).count_messages(
        exchange.messages, exchange.tools, estimate_tokens, host=host, billed=billed
    )
    return Pair(counted.tokens, exchange.prompt_tokens)


def answers(recorded: Iterable[Exchange], wanted: Callable[[Exchange], bool]) -> list[Pair]:
    """Estimate the answers that are text alone."""
    pairs = []
    for exchange in recorded:
        # The end of the turn is billed, and the end of the thoughts.
        true = exchange.completion_tokens - (exchange.finish == "stop") - bool(exchange.reasoning)
        if not exchange.has_calls and true >= SHORTEST_ANSWER and wanted(exchange):
            pairs.append(Pair(estimate_tokens(exchange.reasoning) + estimate_tokens(exchange.content), true))
    return pairs


def as_a_model_counts(recorded: Sequence[Exchange]) -> dict[str, list[Pair]]:
    """Count prompts as a model does, by what it can know of the host."""
    same, other = "later turns, same host", "later turns, another host than before"
    named, held_out = "first turns, host named", "the same, its form fitted without the conversation"
    pairs: dict[str, list[Pair]] = {name: [] for name in (same, other, named, held_out, UNTOLD, STAYED)}
    for one in long_ones(recorded):
        if earlier := earlier_turn(one, recorded):
            pairs[same if earlier.slug == one.slug else other].append(count(one, earlier))
        elif one.reported:
            others = [other for other in of_same_host(one, recorded) if other.conversation != one.conversation]
            form = (best_form(others) if others else None) or default_form(family(one.model))
            pairs[named].append(count(one))
            pairs[held_out].append(count(one, form=form))
        else:
            pairs[UNTOLD].append(count(one))
            if one.slug != LEFT:
                pairs[STAYED].append(count(one))
    sums = {
        "all whose host is known": pairs[same] + pairs[named],
        "the same, forms fitted without the conversation": pairs[same] + pairs[held_out],
        "all whose host a model takes for known": pairs[same] + pairs[other] + pairs[named],
        "all, each as far as its host is known": pairs[same] + pairs[other] + pairs[named] + pairs[UNTOLD],
    }
    return pairs | sums


def by_default(recorded: Sequence[Exchange]) -> dict[str, list[Pair]]:
    """Count the prompts of K2 in each form that may be taken for hosts of which nothing is known."""
    of_k2 = [one for one in long_ones(recorded) if generation_of(one) == "kimi-k2" and one.tools]
    forms = [form.written for form in forms_of("kimi-k2") if form.with_ids_as_sent]
    return {
        f"{form.tools}, {'with' if form.default_system else 'without'} a default system text": [
            Pair(Form(form).estimate(one), one.prompt_tokens) for one in of_k2
        ]
        for form in forms
    }


def of_same_host(exchange: Exchange, recorded: Sequence[Exchange]) -> list[Exchange]:
    """Choose what the same host served of the same generation, and whose date is known."""
    generation = generation_of(exchange)
    return [one for one in recorded if one.slug == exchange.slug and generation_of(one) == generation and one.month]


def long_ones(recorded: Sequence[Exchange]) -> list[Exchange]:
    """Choose the prompts that are long enough to be measured."""
    return [exchange for exchange in recorded if exchange.prompt_tokens > SHORTEST]


def document(recorded: Sequence[Exchange]) -> str:
    """Write the document."""
    long = long_ones(recorded)
    fitted = [prompts_in_known_form(group) for group in grouped(long, of_host_then).values()]
    fitted_pairs = [pair for group in fitted for pair in group]
    several = row("of hosts with several", [pair for group in fitted if len(group) > 1 for pair in group])
    lengths = {"51 to 100 tokens": range(51, 101), "101 to 200": range(101, 201), "over 200": range(201, 10**6)}
    by_length = [row(name, [pair for pair in fitted_pairs if pair.true in length]) for name, length in lengths.items()]

    def has_ruler(exchange: Exchange) -> bool:
        return "–––" in exchange.content  # noqa: RUF001 - the dash itself is meant

    return TEMPLATE.read_text(encoding="utf-8").format(
        exchanges=len(recorded),
        long=len(long),
        known=table("prompts, form known", [row("all", fitted_pairs), several, *by_length]),
        counted=table(
            "prompts, as a model counts them", [row(name, pairs) for name, pairs in as_a_model_counts(recorded).items()]
        ),
        defaults=table(
            "form taken for K2 with tools", [row(name, pairs) for name, pairs in by_default(recorded).items()]
        ),
        hosts=table(
            "host and family, nothing told",
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
        scripts="\n".join(f"| {name} | {letters} |" for name, letters in LETTERS_PER_TOKEN.items()),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
