#!/usr/bin/env python3
"""Hold the estimate of tokens against recorded exchanges that had no part in it; writes a document of the figures.

    python -m scripts.cross_validate_estimate RECORDINGS [--file PATH]

Twice something is learned from recordings: the costs in `Fit`, and the form in which a host renders prompts. Here each
is learned again without the recordings that it is then tried on.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path

from langchain_kimi._tokens.estimate import FIT, Fit, estimate_tokens
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
FITS = [Fit(*costs) for costs in product((0.25, 0.35, 0.45, 0.55), (0.6, 0.8, 1.0), (2.5, 3.0, 3.5))]
"""The costs that are tried, the ones in use among them."""
LENGTHS = {"51 to 100 tokens": range(51, 101), "101 to 200": range(101, 201), "over 200": range(201, 10**6)}

measure = lru_cache(maxsize=None)(estimate_tokens)
rendered = lru_cache(maxsize=None)(Form.rendered)


def estimate(exchange: Exchange, form: Form, fit: Fit = FIT) -> float:
    """Estimate a prompt in a form."""
    tokens, texts = rendered(form, exchange)
    return tokens + sum(measure(text, fit) for text in texts)


def error(exchange: Exchange, form: Form, fit: Fit = FIT) -> float:
    """How far off an estimate is, as a share of the truth."""
    return abs(estimate(exchange, form, fit) / exchange.prompt_tokens - 1)


def best_form(seen: Sequence[Exchange], fit: Fit = FIT) -> Form:
    """The form that fits a host's prompts best; the released template's if several do."""
    return min(forms_of(seen[0].model), key=lambda form: sum(error(exchange, form, fit) for exchange in seen))


def fitted(seen: Sequence[Exchange]) -> Fit:
    """The costs that fit prompts best, each in the form of its host in that month."""
    groups = grouped(seen, of_host_then).values()

    def misfit(fit: Fit) -> float:
        return sum(error(one, form, fit) for group in groups for form in [best_form(group, fit)] for one in group)

    return min(FITS, key=misfit)


def with_other_costs(found: Sequence[Exchange], key: Callable[[Exchange], str]) -> Iterator[Pair]:
    """Estimate each prompt with costs that were fitted without its group, in the form of its host."""
    forms = {name: best_form(group) for name, group in grouped(found, of_host_then).items()}
    for name, group in grouped(found, key).items():
        fit = fitted([exchange for exchange in found if key(exchange) != name])
        for one in group:
            yield Pair(estimate(one, forms[of_host_then(one)], fit), one.prompt_tokens)


def with_other_forms(found: Sequence[Exchange], key: Callable[[Exchange], str]) -> Iterator[Pair]:
    """Estimate each prompt in the form that its host's other conversations had, where there are any."""
    for group in grouped(found, key).values():
        for one in group:
            others = [other for other in group if other.messages[0] != one.messages[0] or other.tools != one.tools]
            if others := others or [other for other in group if other is not one]:
                yield Pair(estimate(one, best_form(others)), one.prompt_tokens)


def of_source(exchange: Exchange) -> str:
    """Name whose recording it is."""
    return exchange.source


def main(arguments: Sequence[str]) -> int:
    """Write the figures; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recordings", type=Path, help="a directory of recorded exchanges")
    parser.add_argument("--file", type=Path, default=DOCUMENT, help="what to write (default: %(default)s)")
    options = parser.parse_args(arguments)
    long = [exchange for exchange in exchanges(options.recordings) if exchange.prompt_tokens > SHORTEST]
    if not long:
        sys.stderr.write(f"There is no exchange with Kimi in {options.recordings}.\n")
        return 1
    options.file.write_text(document(long), encoding="utf-8")
    sys.stdout.write(f"{len(long)} prompts tried: {options.file}\n")
    return 0


def document(long: Sequence[Exchange]) -> str:
    """Write the document."""
    kept_out = {"its provider": lambda one: one.host, "its source": of_source, "its month": lambda one: one.month}
    costs = {f"fitted without {name}": list(with_other_costs(long, key)) for name, key in kept_out.items()}
    known = list(with_other_costs(long, of_host_then))
    by_length = [row(name, [pair for pair in known if pair.true in length]) for name, length in LENGTHS.items()]
    forms = {
        "of the same month": list(with_other_forms(long, of_host_then)),
        "of any month": list(with_other_forms(long, of_host)),
    }
    spread = [row_of_spread(group) for group in grouped(long, of_request).values() if len({*map(of_host, group)}) > 1]
    return TEMPLATE.format(
        n=len(long),
        costs=table("prompts, form known", [row(name, pairs) for name, pairs in costs.items()]),
        lengths=table("fitted without its provider and month", by_length),
        forms=table("form of the host's other conversations", [row(name, pairs) for name, pairs in forms.items()]),
        spread="\n".join(["| hosts | fewest | most |", "|---|---|---|", *spread]),
    )


def of_request(exchange: Exchange) -> str:
    """Tell requests apart by what they ask of K2, so that hosts can be compared."""
    return repr((exchange.model.split("/")[-1][:7], exchange.messages, exchange.tools))


def row_of_spread(group: Sequence[Exchange]) -> str:
    """One line of a table: how many hosts counted the same request, the fewest tokens and the most."""
    tokens = [exchange.prompt_tokens for exchange in group]
    return f"| {len({*map(of_host, group)})} | {min(tokens)} | {max(tokens)} |"


TEMPLATE = """\
# The estimate on recordings that had no part in it

Written by `scripts/cross_validate_estimate.py` from {n} recorded prompts of more than 50 tokens; what an error is and
what was fitted to what is said in [token-estimate.md](token-estimate.md).

## Costs

The three costs in `Fit` are fitted anew without a group of recordings and tried on that group. The form of the prompt
is taken from the same host and month, those tried among them.

{costs}

{lengths}

## Forms

Each prompt is estimated in the form that fits the other conversations with its host best. Hosts run several servers and
change them, so this is as good as the past of a host tells its present:

{forms}

## Why nothing is exact without knowing the host

The same request to the same model, and what hosts billed for it. No count that is told the request alone can be right
for both ends:

{spread}
"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
