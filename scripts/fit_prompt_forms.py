#!/usr/bin/env python3
"""Derive the form in which each host renders Kimi's prompts from recorded exchanges, and write the package's data file.

    python -m scripts.fit_prompt_forms RECORDINGS [--file PATH]

Only forms are written, no part of the conversations. A host's form is the one whose estimates are closest to the billed
tokens. Hosts change, so the weight of a prompt halves with every month between it and the host's newest prompt. A host
whose prompts do not fit a single form is left out, because the form of its next prompt is unknown.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import cast

from langchain_kimi._kimi.families import KimiFamily, family
from langchain_kimi._tokens.hosts import FormData, FormRow, PromptForm, generation_name, possible_forms
from scripts.recorded_prompts import Exchange, Form, exchanges, grouped

FILE = Path(__file__).parents[1] / "langchain_kimi" / "_tokens" / "hosts.json"
SOURCE = "recorded exchanges, from the billed tokens of the prompts"
FADING = 0.5
WORST = 0.08
"""The largest acceptable mean error of the estimates, as a share of the billed tokens."""
BETTER = 0.02
"""The difference of the mean errors from which on another form than the template's is chosen."""


def best_form(seen: Sequence[Exchange]) -> PromptForm | None:
    """Return the form that fits a host's prompts, preferably that of the template; None if no form fits."""
    newest = max(map(_months, seen))
    weights = [FADING ** (newest - _months(one)) for one in seen]

    def misfit(form: PromptForm) -> float:
        return sum(weight * _error(one, form) for weight, one in zip(weights, seen, strict=True)) / sum(weights)

    first, *others = possible_forms(family(seen[0].model))
    best = min([first, *others], key=lambda form: misfit(form) + BETTER * (form is not first))
    return best if misfit(best) <= WORST else None


def _error(one: Exchange, form: PromptForm) -> float:
    return min(abs(Form(form, as_sent).estimate(one) / one.prompt_tokens - 1) for as_sent in (True, False))


def _months(exchange: Exchange) -> int:
    year, month = exchange.month.split("-")
    return int(year) * 12 + int(month)


def generation_of(exchange: Exchange) -> str:
    """Return the name of the generation of an exchange's model."""
    return generation_name(cast("KimiFamily", family(exchange.model)))


def fitted(recorded: Sequence[Exchange]) -> FormData:
    """Return the data of all hosts."""
    forms = {
        generation: dict(sorted(_rows(of_generation)))
        for generation, of_generation in grouped(recorded, generation_of).items()
    }
    return {"source": SOURCE, "date": max(one.month for one in recorded), "forms": forms}


def _rows(recorded: Sequence[Exchange]) -> Iterator[tuple[str, FormRow]]:
    for slug, seen in grouped(recorded, lambda one: one.slug).items():
        if form := best_form(seen):
            newest = max(one.month for one in seen)
            yield slug, cast("FormRow", {**asdict(form), "seen": newest, "prompts": len(seen)})


def main(arguments: Sequence[str]) -> int:
    """Write the data and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recordings", type=Path, help="a directory of recorded exchanges")
    parser.add_argument("--file", type=Path, default=FILE, help="the file to write (default: %(default)s)")
    options = parser.parse_args(arguments)
    recorded = [one for one in exchanges(options.recordings) if one.month and one.slug]
    if not recorded:
        sys.stderr.write(f"There are no dated exchanges with known hosts of Kimi in {options.recordings}.\n")
        return 1
    options.file.write_text(json.dumps(fitted(recorded), indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(recorded)} exchanges: {options.file}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
