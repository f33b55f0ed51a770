"""Turn models and hosts of the catalog into rows of profiles and prices."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from langchain_kimi._kimi.facts import Facts
from langchain_kimi._kimi.families import KimiFamily, base_slug, family
from langchain_kimi._kimi.price_rows import HostRow, ModelRow, PriceRow
from langchain_kimi._kimi.profiles import profile
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.catalog.results import Endpoint, ListedModel

MODALITIES = ("text", "image", "audio", "video")
REMEMBERED = ("release_date", "last_updated", "max_output_tokens")
"""The keys that a row keeps: OpenRouter lists only the day of its own listing, and sometimes omits limits."""


def facts_of(
    models: Sequence[ListedModel], hosts: Mapping[str, Sequence[Endpoint]], *, source: str, date: str
) -> Facts:
    """Return the facts of the Kimi models in a list, and of the other models whose hosts were fetched.

    Args:
        models: The list.
        hosts: The hosts of some models by base slug.
        source: The URL of the list.
        date: The day of the list, `YYYY-MM-DD`.
    """
    rows: dict[str, ModelRow] = {}
    aliases: dict[str, str] = {}
    for model in models:
        slug = model.id
        if base_slug(slug) != slug or not (family(slug) or slug in hosts):
            continue
        if slug.startswith("~"):
            if isinstance(target := _target(model.alias_target), str):
                aliases[slug] = base_slug(target)
            continue
        if (row := _row(model, hosts.get(slug, ()))) is not None:
            rows[slug] = row
    for model in models:
        slug, _, variant = model.id.partition(":")
        if variant == "batch" and slug in rows and None not in {model.pricing.prompt, model.pricing.completion}:
            rows[slug]["batch"] = prices_of(_as_json(model))
    return {"source": source, "date": date, "aliases": aliases, "models": rows}


def _row(model: ListedModel, hosts: Sequence[Endpoint]) -> ModelRow | None:
    """Return the row of a model; None if its list lacks what every row needs.

    Routers have the price -1, because each of their models has its own.
    """
    listed = _as_json(model)
    needed = model.pricing.prompt, model.pricing.completion, model.context_length
    if any(value is None or value < 0 for value in needed):
        return None
    row: ModelRow = {
        "profile": profile_of({"created": 0, "name": model.id, **listed}, family(model.id), profile(model.id) or {}),
        "prices": prices_of(listed),
    }
    if priced := [host_row(host) for host in hosts if host.pricing.prompt is not None]:
        row["hosts"] = priced
    return row


def _as_json(model: ListedModel) -> JSONObject:
    return model.model_dump(mode="json", exclude_unset=True, exclude_none=True)


def _target(value: object) -> object:
    """Return the slug that an alias stands for, which OpenRouter has listed as a text and as an object."""
    return value.get("id") or value.get("slug") if isinstance(value, dict) else value


def host_row(host: Endpoint) -> HostRow:
    """Return the prices of a host, in US dollars per million tokens."""
    return {
        "tag": host.tag,
        "quantization": host.quantization,
        "prompt": host.pricing.per_million("prompt") or 0.0,
        "completion": host.pricing.per_million("completion") or 0.0,
        "cache_write": host.pricing.per_million("input_cache_write"),
    }


def profile_of(model: JSONObject, kimi: KimiFamily | None, earlier: JSONObject) -> JSONObject:
    """Return the profile of a listed model.

    Args:
        model: The entry of the list.
        kimi: The family of the model; None if it is not a Kimi.
        earlier: The profile so far, see `REMEMBERED`.
    """
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
        "tool_choice": "tool_choice" in parameters
        and (kimi is None or kimi.thinking == "never" or kimi.requires_calls_while_thinking),
        **_reasoning(model),
    }
    if max_output := (model.get("top_provider") or {}).get("max_completion_tokens"):
        profile["max_output_tokens"] = max_output
    if model.get("expiration_date"):
        profile["status"] = "deprecated"
    return profile


def _modalities(model: JSONObject) -> JSONObject:
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


def _reasoning(model: JSONObject) -> JSONObject:
    reasoning = model.get("reasoning") or {}
    settings: JSONObject = {"reasoning_output": "reasoning" in (model.get("supported_parameters") or [])}
    if efforts := reasoning.get("supported_efforts"):
        settings["reasoning_effort_levels"] = efforts
        if default := reasoning.get("default_effort"):
            settings["reasoning_effort_default"] = default
    return settings


def prices_of(model: JSONObject) -> PriceRow:
    """Return prices in US dollars per million tokens; the list has decimal strings per token."""
    pricing = model["pricing"]
    cached, written = pricing.get("input_cache_read"), pricing.get("input_cache_write")
    return {
        "prompt": per_million(pricing["prompt"]),
        "completion": per_million(pricing["completion"]),
        "cache_read": None if cached is None else per_million(cached),
        "cache_write": None if written is None else per_million(written),
    }


def per_million(price: str | float) -> float:
    """Return a price per token as a price per million tokens."""
    return float(Decimal(str(price)) * 1_000_000)
