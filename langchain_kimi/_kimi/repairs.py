"""The repairs by name, so that each can be switched on and off."""

from collections.abc import Iterable
from typing import TypeAlias

REPAIRS = {
    "markup": "Tool calls that a host left in the text or the reasoning, in Kimi's own markup, become tool calls.",
    "call_ids": "Ids go out as Kimi was trained on them; ids that come in are unique in the conversation.",
    "call_names": "A call's name loses `functions.` and `:0`, and an empty one is taken from the call's id.",
    "arguments": "Arguments, or values in them, that were encoded twice are decoded; what surrounds them is left out, "
    "and repeated ones count once.",
    "history": "A call without a result, or a result without a call, is refused before anything is sent; white space "
    "beside calls is left out.",
    "tool_choice": "A forced call, which a Kimi that thinks refuses, is asked for in the way that it takes.",
    "schemas": "Tool schemas in shapes that Moonshot AI refuses are rewritten to equal ones that it takes.",
}
"""What `"all"` stands for."""

ON_REQUEST = {
    "orphans": "Results without a call are left out, and calls without a result are given one that says so.",
}
"""What changes the conversation, and is done only where it is named."""

Repairs: TypeAlias = frozenset[str]
ALL: Repairs = frozenset(REPAIRS)
Chosen: TypeAlias = str | bool | Iterable[str] | None
"""How repairs are chosen: `"all"`, `"none"`, True, False, or names, of which `"all"` may be one."""


def chosen_repairs(chosen: Chosen) -> Repairs:
    """Give the names that a choice stands for.

    Raises:
        ValueError: a name is not known.
    """
    if chosen is None or isinstance(chosen, bool):
        return frozenset() if chosen is False else ALL
    names = {chosen} if isinstance(chosen, str) else set(chosen)
    known = {*REPAIRS, *ON_REQUEST, "all", "none"}
    if unknown := sorted(map(str, names - known)):
        raise ValueError(f"repairs: {', '.join(unknown)} is none of {', '.join(sorted(known))}.")
    if "none" in names and len(names) > 1:
        raise ValueError("repairs: none goes with no other name.")
    return frozenset(names - {"all", "none"}) | (ALL if "all" in names else frozenset())
