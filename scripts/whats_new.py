"""Print additions of OpenRouter's newest SDK and price tables that this package lacks: `make whats-new`.

    python -m scripts.whats_new

The newest `openrouter`, `genai-prices` and `litellm` are installed into a temporary directory, from the package index,
and compared with this package: parameters, options and plugins of a request, Kimi models, and their prices. The exit
code is 1 if there is something new. Names that only this package has are listed, but are not news.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

from langchain_kimi._kimi.families import base_slug, is_kimi
from langchain_kimi._openrouter.parameters import options
from langchain_kimi._openrouter.parameters.merging import PARAMETERS
from langchain_kimi._openrouter.parameters.plugins import BY_ID
from scripts.refresh_profiles import AUTHOR, DATA, litellm_table, with_package_prices

PACKAGES = ("openrouter", "genai-prices", "litellm")
# The classes of the SDK that this package types, too.
OPTIONS: Mapping[str, type[options.Options]] = {
    "ProviderPreferences": options.ProviderPreferences,
    "ChatRequestReasoning": options.Reasoning,
    "AnthropicCacheControlDirective": options.CacheControl,
    "Prediction": options.Prediction,
    "ProviderSortConfig": options.ProviderSort,
    "PercentileLatencyCutoffs": options.Percentiles,
    "PercentileThroughputCutoffs": options.Percentiles,
    "MaxPrice": options.MaxPrice,
}
OWN_ARGUMENTS = frozenset({"model", "messages", "stream"})
"""The model, the messages and the streaming flag are arguments of their own."""
_PRICES = ("prompt", "completion", "cache_read", "cache_write")


def install(directory: Path) -> None:
    """Install the newest packages into a directory, without their dependencies.

    Raises:
        CalledProcessError: The installation failed.
    """
    uv = shutil.which("uv")
    pip = [uv, "pip", "install"] if uv else [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    command = [*pip, "--quiet", "--no-deps", "--upgrade", "--target", str(directory), *PACKAGES]
    subprocess.run(command, check=True)


def keys_of(kind: Any) -> set[str]:
    """Return the names of the fields of a pydantic class on the wire."""
    return {field.alias or name for name, field in kind.model_fields.items()}


def new_in_schema(components: Any) -> Iterator[str]:
    """Yield the parameters, options and plugins of the SDK that are not typed here.

    Args:
        components: `openrouter.components`.
    """
    request = components.ChatRequest
    for name in sorted(keys_of(request) - OWN_ARGUMENTS - set(PARAMETERS)):
        yield f"parameter {name}"
    for name, ours in OPTIONS.items():
        kind = getattr(components, name, None)
        if kind is None:
            yield f"the SDK has no {name} any more"
            continue
        for key in sorted(keys_of(kind) - set(ours.model_fields)):
            yield f"option {key} of {ours.__name__}"
    for plugin_id, kind in sorted(plugins_in(request.model_fields["plugins"].annotation)):
        if plugin_id not in BY_ID:
            yield f"plugin {plugin_id}"
            continue
        for key in sorted(keys_of(kind) - set(BY_ID[plugin_id].model_fields)):
            yield f"option {key} of the plugin {plugin_id}"


def plugins_in(annotation: Any) -> set[tuple[str, Any]]:
    """Return the ids and classes of the plugins in an annotation."""
    if (field := getattr(annotation, "model_fields", {}).get("id")) is not None:
        return {(get_args(field.annotation)[0], annotation)}
    return {pair for argument in get_args(annotation) for pair in plugins_in(argument)}


def only_here(components: Any) -> list[str]:
    """Return the parameters of this package that the SDK does not have."""
    return sorted(set(PARAMETERS) - keys_of(components.ChatRequest))


def new_models(slugs: Sequence[str], ours: Mapping[str, Any]) -> Iterator[str]:
    """Yield the Kimi models among slugs that the packaged profiles lack.

    Args:
        slugs: Slugs of OpenRouter.
        ours: The models of `profiles.json`.
    """
    for slug in sorted({base_slug(slug) for slug in slugs if is_kimi(slug)} - set(ours)):
        yield f"model {slug}"


def listed_slugs() -> list[str]:
    """Return the slugs of Moonshot's models at OpenRouter in both tables of prices."""
    providers = import_module("genai_prices.data").providers
    slugs = [model.id for provider in providers if provider.id == "openrouter" for model in provider.models]
    slugs += [name.removeprefix("openrouter/") for name in litellm_table() if name.startswith("openrouter/")]
    return [slug for slug in slugs if slug.startswith(AUTHOR)]


def new_prices(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield the prices that differ, in US dollars per million tokens.

    Args:
        before: The models of `profiles.json`.
        after: The same models with the prices of the packages.
    """
    for slug, row in after.items():
        for key in _PRICES:
            old, new = before[slug]["prices"].get(key), row["prices"].get(key)
            if old != new:
                yield f"{slug}: {key} costs {new}, not {old}"


def report(today: date) -> tuple[list[str], list[str]]:
    """Compare the installed packages with this one; return the news and further remarks."""
    components = import_module("openrouter").components
    data = json.loads(DATA.read_text(encoding="utf-8"))
    remarks = [f"{name} {version(name)}" for name in PACKAGES]
    remarks.append(f"only here: {', '.join(only_here(components)) or 'nothing'}")
    refreshed = with_package_prices(data, today)["models"]
    news = [
        *new_in_schema(components),
        *new_models(listed_slugs(), data["models"]),
        *new_prices(data["models"], refreshed),
    ]
    return news, remarks


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the news and return the exit code."""
    parser = argparse.ArgumentParser(
        description="Print what OpenRouter's SDK and the tables of prices have that is new."
    )
    parser.add_argument("--installed", action="store_true", help="compare the packages that are installed")
    if not parser.parse_args(arguments).installed:
        with tempfile.TemporaryDirectory() as directory:
            install(Path(directory))
            environment = {**os.environ, "PYTHONPATH": directory}
            command = [sys.executable, "-m", "scripts.whats_new", "--installed"]
            return subprocess.run(command, env=environment, check=False).returncode
    news, remarks = report(datetime.now(tz=UTC).date())
    for line in remarks:
        print(line)
    for line in news:
        print(f"new: {line}")
    print(f"{len(news)} news")
    return int(bool(news))


if __name__ == "__main__":
    sys.exit(main())
