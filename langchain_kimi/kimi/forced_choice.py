"""A forced tool call, for a Kimi that thinks.

Moonshot AI refuses the two together (`tool_choice 'specified' is incompatible with thinking enabled`, and the same for
`required`), except that K3 takes `required`. So K3 is asked for any call, the others are left the choice, and where one
function was named, only that one is offered: nothing else can be called, but a model that is not K3 may still answer
without a call.
"""

from typing import Any, cast

from langchain_kimi.kimi.families import family
from langchain_kimi.kimi.output_method import thinks
from langchain_kimi.openrouter.wire import JSONObject, WireBody

_TAKES_REQUIRED = (3, 0)


def without_forced_choice(body: WireBody) -> WireBody:
    """Give a body whose choice among tools all the models that it names can take; the same one if they can."""
    choice = body.get("tool_choice")
    slugs = [slug for slug in (body.get("model"), *(body.get("models") or ())) if slug]
    thinking = [known for slug in slugs if thinks(slug, body) and (known := family(slug))]
    if not thinking or choice in (None, "auto", "none"):
        return body
    takes_required = all(known.generation >= _TAKES_REQUIRED for known in thinking)
    if choice == "required" and takes_required:
        return body
    changed: JSONObject = {"tool_choice": "required" if takes_required else "auto"}
    if named := [tool for tool in body.get("tools") or () if _is_named(tool, choice)]:
        changed["tools"] = named
    return cast("WireBody", {**body, **changed})


def _is_named(tool: JSONObject, choice: Any) -> bool:
    name = (choice.get("function") or {}).get("name") if isinstance(choice, dict) else None
    return name is not None and (tool.get("function") or {}).get("name") == name
