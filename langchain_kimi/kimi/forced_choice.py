"""A forced tool call, for a Kimi that thinks.

Moonshot AI refuses the two together (`tool_choice 'specified' is incompatible with thinking enabled`, and the same for
`required`), except that K3 takes `required`. So thinking is switched off for such a request where it can be and nobody
asked for it; K3 is asked for any call; and those that always think are left the choice. Where one function was named,
the latter two are offered only that one. An answer without a call, where one was to be forced, is then an error.
"""

from collections.abc import Mapping
from typing import Any, cast

from langchain_kimi.kimi.families import family
from langchain_kimi.kimi.output_method import thinks
from langchain_kimi.openrouter.wire import JSONObject, WireBody

_TAKES_REQUIRED = (3, 0)


def without_forced_choice(body: WireBody) -> WireBody:
    """Give a body whose choice among tools all the models that it names can take; the same one if they can."""
    choice = body.get("tool_choice")
    if choice in (None, "auto", "none"):
        return body
    slugs = [slug for slug in (body.get("model"), *(body.get("models") or ())) if slug]
    thinking = [known for slug in slugs if thinks(slug, body) and (known := family(slug))]
    if not thinking:
        return body
    is_free = body.get("reasoning") is None and cast("JSONObject", body).get("reasoning_effort") is None
    if is_free and all(known.thinks == "switchable" for known in thinking):
        return cast("WireBody", {**body, "reasoning": {"enabled": False}})
    takes_required = all(known.generation >= _TAKES_REQUIRED for known in thinking)
    if choice == "required" and takes_required:
        return body
    changed: JSONObject = {"tool_choice": "required" if takes_required else "auto"}
    if named := [tool for tool in body.get("tools") or () if _is_named(tool, choice)]:
        changed["tools"] = named
    return cast("WireBody", {**body, **changed})


def changes_of_choice(asked: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Tell what became of a forced choice, in the words of `Mending`, from the body before and after."""
    was, is_now = asked.get("tool_choice"), sent.get("tool_choice")
    changed = was != is_now or asked.get("reasoning") != sent.get("reasoning")
    return {"changed_choice": changed, "hopes_for_call": changed and is_now == "auto"}


def _is_named(tool: JSONObject, choice: Any) -> bool:
    name = (choice.get("function") or {}).get("name") if isinstance(choice, dict) else None
    return name is not None and (tool.get("function") or {}).get("name") == name
