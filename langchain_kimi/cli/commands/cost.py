"""Estimate the cost of sending files, offline."""

import argparse

from langchain_kimi.cli.codes import SUCCESS
from langchain_kimi.cli.commands.tokens import file_arguments
from langchain_kimi.cli.facts import model_of, number, text_of
from langchain_kimi.cli.output import Output

HELP = "estimate the cost of sending files, offline"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    file_arguments(parser)
    parser.add_argument(
        "--max-tokens", type=int, help="the maximum number of tokens of an answer, for the maximum cost"
    )


def run(options: argparse.Namespace, out: Output) -> int:
    """Print the costs with the source and the date of the prices."""
    model = model_of(options, api_key="offline")
    costs = [(str(file), model.estimate_cost(text_of(file), max_tokens=options.max_tokens)) for file in options.files]
    out.json(
        [
            {
                "file": name,
                "prompt_tokens": cost.prompt_tokens,
                "exact": cost.exact,
                "prompt_cost": cost.prompt_cost,
                "max_cost": cost.max_cost,
                "source": cost.source,
                "date": cost.date,
            }
            for name, cost in costs
        ]
    )
    out.table(
        [
            {
                "file": name,
                "tokens": f"{cost.prompt_tokens:,}",
                "prompt": number(cost.prompt_cost, " USD", 6),
                "at most": number(cost.max_cost, " USD", 6),
                "prices": f"{cost.source}, {cost.date}",
            }
            for name, cost in costs
        ]
    )
    return SUCCESS
