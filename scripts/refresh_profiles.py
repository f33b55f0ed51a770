#!/usr/bin/env python3
"""Update `langchain_kimi/_kimi/profiles.json` from OpenRouter's list of models, or its prices from `genai-prices`.

    python -m scripts.refresh_profiles [--base-url URL] [--file PATH]
    python -m scripts.refresh_profiles --prices-from-package [--file PATH]

No key is needed. A Kimi model that is no longer listed stays in the file and is marked as deprecated. The second form
reads the package `genai-prices`, which must be installed, instead of the network.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import cast

import httpx

from langchain_kimi._kimi.families import KimiFamily, base_slug, family
from langchain_kimi._kimi.profiles import ModelRow, PriceRow, ProfileData
from langchain_kimi._openrouter.http.connection import BASE_URL
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.catalog import Catalog, ListedModel
from langchain_kimi.errors import KimiError
from scripts.package_prices import with_prices

DATA = Path(__file__).parents[1] / "langchain_kimi" / "_kimi" / "profiles.json"
AUTHOR = "moonshotai/"
MODALITIES = ("text", "image", "audio", "video")
REMEMBERED = ("release_date", "last_updated", "max_output_tokens")
"""The keys that a row keeps: OpenRouter lists only the day of its own listing, and sometimes omits limits."""


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
                listed = Catalog(open_client, base_url=options.base_url).models()
            after = refreshed(before, listed, source=f"{options.base_url.rstrip('/')}/models", date=day.isoformat())
    except (KimiError, ImportError, ValueError, LookupError, ArithmeticError) as error:
        sys.stderr.write(f"Nothing was changed: {type(error).__name__}: {error}\n")
        return 1
    options.file.write_text(as_text(after), encoding="utf-8")
    sys.stdout.write(report(before, after))
    return 0


def with_package_prices(before: ProfileData, day: date) -> ProfileData:
    """Return the data with the prices of the installed `genai-prices`."""
    models = with_prices(before["models"], import_module("genai_prices.data").providers, day)
    source = f"genai-prices {version('genai-prices')}: OpenRouter, and the dearest of its hosts"
    return {**before, "models": models, "prices_source": source, "prices_date": day.isoformat()}


def refreshed(before: ProfileData, listed: Sequence[ListedModel], *, source: str, date: str) -> ProfileData:
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
                "profile": _profile(model, kimi, earlier["profile"] if earlier else {}),
                "prices": _prices(model),
            }
    if not listed_kimis:
        raise ValueError("the list of models holds no Kimi.")
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
    lines = [f"{after['date']}: {len(after['models'])} Kimis from {after['source']}"]
    for slug, row in sorted(after["models"].items()):
        earlier = before["models"].get(slug)
        change = "new" if earlier is None else "same" if earlier == row else "changed"
        lines.append(f"  {slug}: {change}")
    return "\n".join(lines) + "\n"


def _retired(row: ModelRow) -> ModelRow:
    return {**row, "profile": {**row["profile"], "status": "deprecated"}}


def _profile(model: ListedModel, kimi: KimiFamily, earlier: JSONObject) -> JSONObject:
    day = datetime.fromtimestamp(model["created"], tz=UTC).date().isoformat()
    parameters = model.get("supported_parameters") or []
    profile: JSONObject = {
        "release_date": day,
        "last_updated": day,
        **{key: earlier[key] for key in REMEMBERED if key in earlier},
        "name": model["name"].partition(": ")[2] or model["name"],
        "open_weights": bool(model.get("hugging_face_id")) or earlier.get("open_weights", False),
        "max_input_tokens": model["context_length"],
        **_modalities(model),
        "temperature": "temperature" in parameters,
        "structured_output": "structured_outputs" in parameters,
        "tool_calling": "tools" in parameters,
        "tool_call_streaming": "tools" in parameters,
        # A K2 that thinks refuses a forced tool call, whatever the list says.
        "tool_choice": "tool_choice" in parameters and (kimi.thinks == "never" or kimi.requires_calls_while_thinking),
        **_reasoning(model),
    }
    if most := (model.get("top_provider") or {}).get("max_completion_tokens"):
        profile["max_output_tokens"] = most
    if model.get("expiration_date"):
        profile["status"] = "deprecated"
    return profile


def _modalities(model: ListedModel) -> JSONObject:
    architecture = model.get("architecture") or {}
    inputs = architecture.get("input_modalities") or ["text"]
    outputs = architecture.get("output_modalities") or ["text"]
    return {
        **{f"{modality}_inputs": modality in inputs for modality in MODALITIES},
        **{f"{modality}_outputs": modality in outputs for modality in MODALITIES},
        # OpenRouter parses PDFs to text for models that cannot read them.
        "pdf_inputs": True,
        "attachment": set(inputs) != {"text"},
    }


def _reasoning(model: ListedModel) -> JSONObject:
    reasoning = model.get("reasoning") or {}
    settings: JSONObject = {"reasoning_output": "reasoning" in (model.get("supported_parameters") or [])}
    if efforts := reasoning.get("supported_efforts"):
        settings["reasoning_effort_levels"] = efforts
        if default := reasoning.get("default_effort"):
            settings["reasoning_effort_default"] = default
    return settings


def _prices(model: ListedModel) -> PriceRow:
    """Return prices in US dollars per million tokens; the list has decimal strings per token."""
    pricing = model["pricing"]
    cached, written = pricing.get("input_cache_read"), pricing.get("input_cache_write")
    return {
        "prompt": _per_million(pricing["prompt"]),
        "completion": _per_million(pricing["completion"]),
        "cache_read": None if cached is None else _per_million(cached),
        "cache_write": None if written is None else _per_million(written),
    }


def _per_million(price: str) -> float:
    return float(Decimal(price) * 1_000_000)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
