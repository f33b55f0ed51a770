#!/usr/bin/env python3
"""Compare hosts by recorded exchanges, and write `docs/token-estimate-held-out.md`.

    python -m scripts.cross_validate_estimate RECORDINGS [--file PATH]

The form in which a host renders prompts is derived from recordings. Here, the conversation that tests the form is left
out of its derivation.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from langchain_kimi._tokens.estimate import estimate_tokens
from scripts.recorded_prompts import (
    SHORTEST,
    Exchange,
    Form,
    Pair,
    exchanges,
    forms_of,
    grouped,
    of_host,
    of_host_then,
    row,
    table,
)

DOCUMENT = Path(__file__).parents[1] / "docs" / "token-estimate-held-out.md"

measure = lru_cache(maxsize=None)(estimate_tokens)
rendered = lru_cache(maxsize=None)(Form.rendered)


def estimate(exchange: Exchange, form: Form) -> float:
    """Return the estimated tokens of a prompt in a form."""
    tokens, texts = rendered(form, exchange)
    return tokens + sum(map(measure, texts))


def error(exchange: Exchange, form: Form) -> float:
    """Return the size of the error of an estimate, as a share of the billed tokens."""
    return abs(estimate(exchange, form) / exchange.prompt_tokens - 1)


def best_form(group: Sequence[Exchange]) -> Form:
    """Return the form with the smallest errors for a host's prompts, the released template's first."""
    return min(forms_of(group[0].model), key=lambda form: sum(error(exchange, form) for exchange in group))


def with_other_forms(recorded: Sequence[Exchange], key: Callable[[Exchange], str]) -> Iterator[Pair]:
    """Yield the estimates of prompts in the form of the host's other conversations, if it has any."""
    for group in grouped(recorded, key).values():
        for one in group:
            others = [other for other in group if other.messages[0] != one.messages[0] or other.tools != one.tools]
            if others := others or [other for other in group if other is not one]:
                yield Pair(estimate(one, best_form(others)), one.prompt_tokens)


def main(arguments: Sequence[str]) -> int:
    """Write the document and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recordings", type=Path, help="a directory of recorded exchanges")
    parser.add_argument("--file", type=Path, default=DOCUMENT, help="the document to write (default: %(default)s)")
    options = parser.parse_args(arguments)
    long = [exchange for exchange in exchanges(options.recordings) if exchange.prompt_tokens > SHORTEST]
    if not long:
        sys.stderr.write(f"There are no exchanges with Kimi in {options.recordings}.\n")
        return 1
    options.file.write_text(document(long), encoding="utf-8")
    sys.stdout.write(f"{len(long)} prompts measured: {options.file}\n")
    return 0


def document(long: Sequence[Exchange]) -> str:
    """Return the text of the document."""
    forms = {
        "of the same month": list(with_other_forms(long, of_host_then)),
        "of any month": list(with_other_forms(long, of_host)),
    }
    spread = [row_of_spread(group) for group in grouped(long, of_request).values() if len({*map(of_host, group)}) > 1]
    return TEMPLATE.format(
        n=len(long),
        forms=table("form of the host's other conversations", [row(name, pairs) for name, pairs in forms.items()]),
        spread="\n".join(["| hosts | fewest | most |", "|---|---|---|", *spread]),
    )


def of_request(exchange: Exchange) -> str:
    """Return a key that is equal for equal requests to the same generation, to compare hosts."""
    return repr((exchange.model.split("/")[-1][:7], exchange.messages, exchange.tools))


def row_of_spread(group: Sequence[Exchange]) -> str:
    """Return a table line: the number of hosts with the same request, the fewest tokens and the most."""
    tokens = [exchange.prompt_tokens for exchange in group]
    return f"| {len({*map(of_host, group)})} | {min(tokens)} | {max(tokens)} |"


TEMPLATE = """\
# Differences between hosts

Written by `scripts/cross_validate_estimate.py` from {n} recorded prompts of more than 50 tokens.
[token-estimate.md](token-estimate.md) defines the errors.

## Forms of other conversations

Each prompt is estimated in the form that fits the other conversations with its host best. Hosts run several servers and
change them, so the past of a host predicts its present only in part:

{forms}

## The same request at several hosts

Several hosts billed the same request to the same model. A count from the request alone cannot be right for both the
lowest and the highest number:

{spread}
"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
