#!/usr/bin/env python3
"""Update `langchain_kimi/_kimi/profiles.json` from OpenRouter's list of models, or its prices from `genai-prices`.

    python -m scripts.refresh_profiles [--base-url URL] [--file PATH]
    python -m scripts.refresh_profiles --prices-from-package [--file PATH]

No key is needed. A Kimi model that is no longer listed stays in the file and is marked as deprecated. The second form
reads packages instead of the network: `genai-prices`, which must be installed, and the table of `litellm`, if that is
installed, for the prices of Moonshot's own API that the first one lacks.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import httpx

from langchain_kimi._kimi.families import base_slug, family
from langchain_kimi._kimi.package_prices import MAKER, highest_prices, with_prices
from langchain_kimi._kimi.price_rows import HighestPrices, ModelRow, ProfileData
from langchain_kimi._openrouter.http.connection import BASE_URL
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.catalog import Catalog
from langchain_kimi.catalog.rows import per_million, prices_of, profile_of
from langchain_kimi.errors import KimiError

DATA = Path(__file__).parents[1] / "langchain_kimi" / "_kimi" / "profiles.json"
AUTHOR = "moonshotai/"


def main(arguments: Sequence[str], *, client: httpx.Client | None = None, today: date | None = None) -> int:
    """Update the data file and return the exit code."""
    parser = argparse.ArgumentParser(description="Update the profiles and prices of Kimi models.")
    parser.add_argument("--base-url", default=BASE_URL, help="the URL of the API (default: %(default)s)")
    parser.add_argument("--file", type=Path, default=DATA, help="the data file (default: the package's own)")
    parser.add_argument("--prices-from-package", action="store_true", help="read prices from genai-prices only")
    options = parser.parse_args(arguments)
    before = cast("ProfileData", json.loads(options.file.read_text(encoding="utf-8")))
    day = today or datetime.now(tz=UTC).date()
    try:
        if options.prices_from_package:
            after = with_package_prices(before, day)
        else:
            with client or httpx.Client(timeout=30) as open_client:
                models = Catalog(base_url=options.base_url, http_client=open_client, max_retries=0).models()
            listed = [model.model_dump(mode="json", exclude_unset=True) for model in models]
            after = refreshed(before, listed, source=f"{options.base_url.rstrip('/')}/models", date=day.isoformat())
    except (KimiError, ImportError, ValueError, LookupError, ArithmeticError) as error:
        sys.stderr.write(f"Nothing was changed: {type(error).__name__}: {error}\n")
        return 1
    options.file.write_text(as_text(after), encoding="utf-8")
    sys.stdout.write(report(before, after))
    return 0


def with_package_prices(before: ProfileData, day: date) -> ProfileData:
    """Return the data with the prices of the installed `genai-prices` and `litellm`."""
    providers = import_module("genai_prices.data").providers
    name = f"genai-prices {version('genai-prices')}"
    models = with_prices(before["models"], providers, day, name)
    source = f"{name}: OpenRouter, and the most expensive of its hosts"
    if table := litellm_table():
        models = {slug: with_litellm(row, table.get(slug.replace(AUTHOR, "moonshot/"))) for slug, row in models.items()}
        source += f"; litellm {version('litellm')}: cache writes at Moonshot"
    return {**before, "models": models, "prices_source": source, "prices_date": day.isoformat()}


def litellm_table() -> JSONObject:
    """Return litellm's table of prices, empty if the package is not installed. The package is not imported."""
    spec = find_spec("litellm")
    for folder in (spec and spec.submodule_search_locations) or ():
        file = Path(folder) / "model_prices_and_context_window_backup.json"
        table: JSONObject = json.loads(file.read_text(encoding="utf-8"))
        return table
    return {}


def with_litellm(row: ModelRow, listed: JSONObject | None) -> ModelRow:
    """Return a row with the prices of cache writes that it lacks, and with Moonshot's prices among the highest ones."""
    if not listed or "input_cost_per_token" not in listed:
        return row
    written = listed.get("cache_creation_input_token_cost")
    prices, by_host = row["prices"], row.get("by_host") or {}
    if prices.get("cache_write") is None and written is not None:
        prices = {**prices, "cache_write": per_million(written)}
    of_maker: HighestPrices = {
        "prompt": max(per_million(listed["input_cost_per_token"]), per_million(written or 0)),
        "completion": per_million(listed["output_cost_per_token"]),
    }
    return {
        **row,
        "prices": prices,
        "highest": highest_prices([of_maker, *([row["highest"]] if "highest" in row else [])]),
        "by_host": {**by_host, MAKER: highest_prices([of_maker, *([by_host[MAKER]] if MAKER in by_host else [])])},
    }


def refreshed(before: ProfileData, listed: Sequence[JSONObject], *, source: str, date: str) -> ProfileData:
    """Return the new data.

    Raises:
        ValueError: The list has no Kimi models.
    """
    models = {slug: _retired(row) for slug, row in before["models"].items()}
    aliases = dict(before["aliases"])
    listed_kimis = 0
    for model in listed:
        slug = model.get("id", "")
        kimi = family(slug)
        if kimi is None or not slug.removeprefix("~").startswith(AUTHOR):
            continue
        if slug.startswith("~"):
            if target := model.get("alias_target"):
                aliases[slug] = base_slug(target)
        elif base_slug(slug) == slug:
            listed_kimis += 1
            earlier = before["models"].get(slug)
            models[slug] = {
                **cast("ModelRow", earlier or {}),
                "profile": profile_of(model, kimi, earlier["profile"] if earlier else {}),
                "prices": prices_of(model),
            }
    if not listed_kimis:
        raise ValueError("the list contains no Kimi models.")
    return {
        "source": source,
        "date": date,
        "prices_source": source,
        "prices_date": date,
        "aliases": aliases,
        "models": models,
    }


def as_text(data: ProfileData) -> str:
    """Return the text of the data file, with sorted keys."""
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def report(before: ProfileData, after: ProfileData) -> str:
    """Return a report of the changes, with a line per model."""
    lines = [f"{after['date']}: {len(after['models'])} Kimi models from {after['source']}"]
    for slug, row in sorted(after["models"].items()):
        earlier = before["models"].get(slug)
        change = "new" if earlier is None else "same" if earlier == row else "changed"
        lines.append(f"  {slug}: {change}")
    return "\n".join(lines) + "\n"


def _retired(row: ModelRow) -> ModelRow:
    return {**row, "profile": {**row["profile"], "status": "deprecated"}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
