"""Which way of asking for structured output a Kimi can follow: a forced call, a schema for the host, or plain JSON."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from langchain_kimi.kimi.families import family
from langchain_kimi.kimi.profiles import profile
from langchain_kimi.openrouter.wire import JSONObject

Method = Literal["function_calling", "json_schema", "json_mode"]


def output_method(
    slugs: Sequence[str], parameters: Mapping[str, Any], known_profile: Mapping[str, Any] | None = None
) -> Method:
    """Choose the method that all the models of a request can follow.

    A call is forced on models that do not think in this request, because thinking and a forced call exclude each
    other. The others are given the schema, or where that is not supported asked for JSON. Of a model that is not
    listed nothing is denied.

    Args:
        slugs: The model, and those that stand in for it (`models`).
        parameters: The request's parameters, of which `reasoning` and `reasoning_effort` count.
        known_profile: The first model's profile, where the user knows better than the list.
    """
    profiles = [profile(slug) for slug in slugs]
    if known_profile:
        profiles[:1] = [dict(known_profile)]
    listed = list(zip(slugs, profiles, strict=True))
    if all(not thinks(slug, parameters) and _takes_a_forced_call(slug, known) for slug, known in listed):
        return "function_calling"
    return "json_schema" if all(_knows(known, "structured_output") for known in profiles) else "json_mode"


def thinks(slug: str, parameters: Mapping[str, Any]) -> bool:
    """Tell whether a model thinks in a request with these parameters (in the wire's form)."""
    known = family(slug)
    if known is None or known.thinks == "never":
        return False
    reasoning = parameters.get("reasoning") or {}
    efforts = (reasoning.get("effort"), parameters.get("reasoning_effort"))
    is_switched_off = reasoning.get("enabled") is False or "none" in efforts
    return known.thinks == "always" or not is_switched_off


def _takes_a_forced_call(slug: str, known: JSONObject | None) -> bool:
    if not _knows(known, "tool_calling"):
        return False
    # Profiles deny a forced call to all that may think; those with a switch take it once that is off.
    own = family(slug)
    return _knows(known, "tool_choice") or (own is not None and own.thinks == "switchable")


def _knows(known: JSONObject | None, ability: str) -> bool:
    return known is None or bool(known.get(ability, True))
