"""Find the changes of tools and of the reasoning effort in the content of a message.

They are content blocks of other LangChain packages, either directly or inside a `non_standard` block:

- `additional_tools` with `tools` (langchain-openai), in system messages,
- `tool_addition` with a `tool_definition`, and `tool_removal` (langchain-anthropic), in system messages,
- `configuration_update` with the `reasoning` effort (langchain-openai), in system and user messages.

A `tool_addition` that names a tool of the request has no effect, because that tool is sent anyway.
"""

from collections.abc import Mapping
from typing import Any

from langchain_kimi import _schemas
from langchain_kimi._openrouter.later_tools import ADDED, REMOVED, UPDATE
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._request.blocks import type_of
from langchain_kimi.errors import KimiUsageError

_TOOL_CHANGES = frozenset({"additional_tools", "tool_addition", "tool_removal"})


def split_content(content: Any, *, is_system: bool) -> tuple[Any, list[JSONObject]]:
    """Return the content without the blocks that change tools or the effort, and the wire messages with the changes.

    Args:
        content: The content of a message. A text has no such blocks.
        is_system: Whether the message is a system message. Other messages can only change the effort.

    Raises:
        KimiUsageError: A tool cannot be converted, or a block does not have the documented form.
    """
    block_types = _TOOL_CHANGES | {UPDATE} if is_system else frozenset({UPDATE})
    if not isinstance(content, list) or not any(_type_of(block) in block_types for block in content):
        return content, []
    rest = [block for block in content if _type_of(block) not in block_types]
    changes = [_value(block) for block in content if _type_of(block) in block_types]
    messages: list[JSONObject] = []
    added, removed = _tools(changes)
    if added or removed:
        messages.append({"role": "system", "content": "", ADDED: added, REMOVED: removed})
    updates = [change for change in changes if change["type"] == UPDATE]
    # OpenRouter refuses two updates in a row. The last one is in effect.
    messages += [
        {"role": "system", "content": "", UPDATE: {"reasoning": _object(update, "reasoning") or None}}
        for update in updates[-1:]
    ]
    return rest, messages


def _tools(changes: list[Mapping[str, Any]]) -> tuple[list[JSONObject], list[str]]:
    """Return the added tools and the names of the removed tools."""
    added: dict[str, JSONObject] = {}
    removed: list[str] = []
    for change in changes:
        tool = _object(change, "tool")
        if change["type"] == "tool_removal":
            name = str(tool.get("name"))
            added.pop(name, None)
            removed.append(name)
        definitions = change.get("tools") or []
        if not isinstance(definitions, list):
            raise KimiUsageError(f"A block of type {change['type']!r} needs a list as 'tools'.")
        if tool.get("type") == "tool_definition":
            definitions = [tool.get("definition") or {}]
        for wire in _schemas.tools.tools_to_wire(definitions, strict=None):
            name = wire.get("function", wire).get("name", wire["type"])
            added[name] = wire
            # A new definition cancels an earlier removal.
            removed = [other for other in removed if other != name]
    return list(added.values()), removed


def _object(change: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the object under a key of a block; an empty one if it is missing.

    Raises:
        KimiUsageError: The value is not an object.
    """
    value = change.get(key) or {}
    if not isinstance(value, Mapping):
        raise KimiUsageError(f"A block of type {change['type']!r} needs an object as {key!r}.")
    return value


def _value(block: Any) -> Mapping[str, Any]:
    """Return a block, or the block inside a `non_standard` one."""
    if not isinstance(block, Mapping):
        return {}
    value = block.get("value")
    return value if block.get("type") == "non_standard" and isinstance(value, Mapping) else block


def _type_of(block: Any) -> str | None:
    return type_of(_value(block))
