"""A tool call that was found as markup: which tool it means, with what arguments, and whether it surely is a call."""

import json
import re
from dataclasses import dataclass

from langchain_kimi._kimi.markup.grammar import BARE, parsed
from langchain_kimi._kimi.tools import OfferedTools

NOT_WHOLE = "The reply ended before the call did."
NAMELESS = "The call names no tool."
WITHOUT_ARGUMENTS = "The call has no arguments, and the tool needs some."

# Ids that other hosts hand out: no function's name is in them.
_OPAQUE = re.compile(r"(?:call|toolu|chatcmpl-tool)[_-]?[\w-]*|[0-9a-f-]{16,}|\d*")
# What texts about the markup write where arguments stand.
_PLACEHOLDER = re.compile(r"\{{0,2}(?:\.{2,}|…)\}{0,2}|\{{1,2}\w+\}{1,2}")


@dataclass(frozen=True, slots=True)
class LeakedCall:
    """A tool call that was found as markup.

    Attributes:
        id: As the model wrote it; empty if it wrote none.
        name: The offered tool that is meant, or what stands in its place.
        arguments: Their text, whole JSON or not.
        error: Why the call must not be run, beyond what the arguments themselves show.
        is_known: Whether this is certainly a call: it names an offered tool, or has an id of the kind that names none.
    """

    id: str
    name: str
    arguments: str
    error: str | None
    is_known: bool


def leaked_call(offered: OfferedTools, call_id: str, arguments: str, error: str | None) -> LeakedCall:
    """Make a call of its id and its arguments as they were written, which may be a JSON string that holds the object.

    Args:
        offered: The tools that may be meant.
        call_id: What stands where Kimi writes the id; the name is in it, or inside the arguments.
        arguments: Their text.
        error: What is already known against the call.
    """
    arguments = arguments.strip()
    value = parsed(arguments)
    if isinstance(value, str):
        arguments, value = value, parsed(value)
    name = offered.meant_by_id(call_id)
    if name is None and isinstance(value, dict):
        name, arguments = _named_inside(offered, value, arguments)
    if name is None:
        is_opaque = _OPAQUE.fullmatch(call_id) is not None
        unknown = "" if is_opaque else call_id.removeprefix(BARE).rpartition(":")[0] or call_id
        # Texts about the markup have placeholders in these places.
        is_known = is_opaque and (isinstance(value, dict) or (error is not None and call_id[-1:].isalnum()))
        return LeakedCall(call_id, unknown, arguments, error or (NAMELESS if is_opaque else None), is_known=is_known)
    if not arguments and offered.needs_arguments(name):
        error = error or WITHOUT_ARGUMENTS
    return LeakedCall(call_id, name, arguments, error, is_known=_PLACEHOLDER.fullmatch(arguments) is None)


def _named_inside(offered: OfferedTools, value: dict[str, object], arguments: str) -> tuple[str | None, str]:
    """Take the name from the arguments: where ids name no function, models put it there (vllm issue 32146)."""
    inside = value.get("name")
    name = offered.meant(inside) if isinstance(inside, str) else None
    if name is None:
        return None, arguments
    others = {key: other for key, other in value.items() if key != "name"}
    if len(others) == 1 and isinstance(only := next(iter(others.values())), dict | str):
        key = next(iter(others))
        wrapped = parsed(only) if isinstance(only, str) else only
        if key in {"arguments", "parameters", "args", "input"} and isinstance(wrapped, dict):
            others = wrapped
    return name, json.dumps(others, ensure_ascii=False)
