"""Replace a forced tool call by the nearest `tool_choice` that a reasoning model accepts."""

from typing import Any, cast

from langchain_kimi._kimi.families import family, thinks
from langchain_kimi._openrouter.wire import JSONObject, WireBody


def without_forced_choice(body: WireBody) -> WireBody:
    """Return a body whose `tool_choice` all of its models accept; the same body if they accept it already.

    A model that reasons refuses a forced call. If its reasoning can be switched off, and the request does not set it,
    it is switched off. Otherwise the choice becomes `required` if the models accept that, else `auto`, and only the
    named tool is offered.
    """
    choice = body.get("tool_choice")
    if choice in (None, "auto", "none"):
        return body
    slugs = [slug for slug in (body.get("model"), *(body.get("models") or ())) if slug]
    thinking = [kimi for slug in slugs if thinks(slug, body) and (kimi := family(slug))]
    if not thinking:
        return body
    is_unset = body.get("reasoning") is None and cast("JSONObject", body).get("reasoning_effort") is None
    if is_unset and all(kimi.thinking == "switchable" for kimi in thinking):
        return {**body, "reasoning": {"enabled": False}}
    accepts_required = all(kimi.requires_calls_while_thinking for kimi in thinking)
    if choice == "required" and accepts_required:
        return body
    changed: JSONObject = {"tool_choice": "required" if accepts_required else "auto"}
    if named := [tool for tool in body.get("tools") or () if _is_named(tool, choice)]:
        changed["tools"] = named
    return cast("WireBody", {**body, **changed})


def _is_named(tool: JSONObject, choice: Any) -> bool:
    name = (choice.get("function") or {}).get("name") if isinstance(choice, dict) else None
    return name is not None and (tool.get("function") or {}).get("name") == name
