"""Build a tool call from markup: find its tool and its arguments, and decide whether it is certainly a call."""

import json
from typing import NamedTuple

from langchain_kimi._kimi.markup.grammar import BARE, parsed
from langchain_kimi._kimi.tools import OfferedTools
from langchain_kimi._patterns import lazy_pattern

INCOMPLETE = "The reply ended before the call was complete."
NAMELESS = "The call does not name a tool."
WITHOUT_ARGUMENTS = "The call has no arguments, but the tool requires some."

# Ids in the style of other providers do not contain a function name.
_OPAQUE = lazy_pattern(r"(?:call|toolu|chatcmpl-tool)[_-]?[\w-]*|[0-9a-f-]{16,}|\d*")
# Texts about the markup have placeholders as arguments.
_PLACEHOLDER = lazy_pattern(r"\{{0,2}(?:\.{2,}|…)\}{0,2}|\{{1,2}\w+\}{1,2}")


class LeakedCall(NamedTuple):
    """A tool call in markup.

    Attributes:
        id: The id in the markup, or an empty string.
        name: The name of an offered tool, or the unknown name in the markup.
        arguments: The text of the arguments, which may not be valid JSON.
        error: The reason why the call must not be run, other than errors in the arguments, or None.
        is_certain: Whether this is certainly a call: it names an offered tool or has another provider's kind of id.
        number: The number of the call in K3's markup, which has no ids; otherwise empty.
    """

    id: str
    name: str
    arguments: str
    error: str | None
    is_certain: bool
    number: str = ""


def leaked_call(offered: OfferedTools, call_id: str, arguments: str, error: str | None) -> LeakedCall:
    """Return the call with this id and these arguments.

    Args:
        offered: The tools of the request.
        call_id: The id in the markup. The tool's name is in it, or inside the arguments.
        arguments: The text of the arguments: a JSON object, or a JSON string that contains one.
        error: The reason why the call must not be run, or None.
    """
    arguments = arguments.strip()
    value = parsed(arguments)
    if isinstance(value, str):
        arguments, value = value, parsed(value)
    name = offered.find_by_id(call_id)
    if name is None and isinstance(value, dict):
        name, arguments = _named_inside(offered, value, arguments)
    if name is None:
        is_opaque = _OPAQUE.fullmatch(call_id) is not None
        unknown = "" if is_opaque else call_id.removeprefix(BARE).rpartition(":")[0] or call_id
        # Placeholders in texts about the markup are not calls.
        is_call = isinstance(value, dict) or (error is not None and call_id[-1:].isalnum())
        is_certain = is_opaque and is_call and bool(offered.schemas)
        return LeakedCall(
            call_id, unknown, arguments, error or (NAMELESS if is_opaque else None), is_certain=is_certain
        )
    if not arguments and offered.needs_arguments(name):
        error = error or WITHOUT_ARGUMENTS
    return LeakedCall(call_id, name, arguments, error, is_certain=_PLACEHOLDER.fullmatch(arguments) is None)


def tagged_call(offered: OfferedTools, name: str, arguments: str, error: str | None, index: str = "") -> LeakedCall:
    """Return the call in K3's markup, which has no ids.

    Args:
        offered: The tools of the request.
        name: The name in the markup.
        arguments: The arguments as JSON text.
        error: The reason why the call must not be run, or None.
        index: The number of the call in the markup.
    """
    offered_name = offered.find(name)
    value = parsed(arguments)
    values = list(value.values()) if isinstance(value, dict) else [arguments]
    is_placeholder = bool(values) and all(
        isinstance(each, str) and _PLACEHOLDER.fullmatch(each.strip()) is not None for each in values
    )
    return LeakedCall(
        "",
        offered_name or name,
        arguments,
        error,
        is_certain=offered_name is not None and not is_placeholder,
        number=index,
    )


def _named_inside(offered: OfferedTools, value: dict[str, object], arguments: str) -> tuple[str | None, str]:
    """Return the tool that the arguments name, and the arguments without the name; None if they name no offered tool.

    Models put the name there if ids have no names (vllm issue 32146).
    """
    spelling = value.get("name")
    name = offered.find(spelling) if isinstance(spelling, str) else None
    if name is None:
        return None, arguments
    others = {key: other for key, other in value.items() if key != "name"}
    if len(others) == 1 and isinstance(only := next(iter(others.values())), dict | str):
        key = next(iter(others))
        wrapped = parsed(only) if isinstance(only, str) else only
        if key in {"arguments", "parameters", "args", "input"} and isinstance(wrapped, dict):
            others = wrapped
    return name, json.dumps(others, ensure_ascii=False)
