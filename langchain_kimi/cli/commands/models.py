"""List models."""

import argparse

from langchain_kimi._kimi.families import is_kimi
from langchain_kimi.cli.codes import SUCCESS
from langchain_kimi.cli.facts import catalog_of, number, price
from langchain_kimi.cli.output import Output

HELP = "list the models with their prices and limits"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--kimi", action="store_true", help="only Kimi models")
    parser.add_argument("--search", help="only models whose name contains this text")


def run(options: argparse.Namespace, out: Output) -> int:
    """Print the models."""
    listed = catalog_of(options).models(q=options.search)
    models = [model for model in listed if is_kimi(model.id) or not options.kimi]
    out.json([model.model_dump(mode="json", exclude_unset=True) for model in models])
    out.table(
        [
            {
                "model": model.id,
                "$/M in": price(model.pricing, "prompt"),
                "$/M out": price(model.pricing, "completion"),
                "$/M cached": price(model.pricing, "input_cache_read"),
                "context": number(model.context_length),
                "takes": ", ".join(model.architecture.input_modalities),
                "ends": model.expiration_date or "-",
            }
            for model in models
        ]
    )
    return SUCCESS
