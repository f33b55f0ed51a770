"""Convert tools and reasoning efforts that change in the middle of a conversation.

A system message may add tools, remove tools, or change the effort for the rest of the conversation. Most models accept
tools and efforts only for the whole request. For Kimi K3, Moonshot's own API also accepts tools in a system message
without content, which leaves the cached prompt before it unchanged
(https://platform.kimi.ai/docs/guide/use-dynamic-tool-loading). OpenRouter accepts a new effort in a system message with
`configuration_update`.

Until the request is sent, all tools are in `tools`, so that repairs, counts and the reader of the reply treat them
alike. Each tool that a message adds has the number of that message.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from langchain_kimi._openrouter.conversation import Conversation, non_text_messages, unusual_messages
from langchain_kimi._openrouter.wire import JSONObject, WireBody, WireMessage

ADDED, REMOVED, UPDATE = "tools", "removed_tools", "configuration_update"
"""Keys of messages with changes: added tools, names of removed tools, and OpenRouter's update of the effort."""
_NUMBER = "adds_tools"
"""The key of a message, and of the tools that it adds, until the request is sent."""


def with_all_tools(body: WireBody) -> WireBody:
    """Return a body whose `tools` are those at the end of the conversation; the same body if no message changes them.

    An added tool replaces an earlier, different one of the same name.
    """
    messages = _dicts(unusual_messages(body["messages"]))
    changes = [message for message in messages if ADDED in message or REMOVED in message]
    if not changes:
        return body
    tools = list(cast("JSONObject", body).get("tools") or ())
    for number, message in enumerate(changes):
        added = [tool for tool in message.get(ADDED) or () if tool not in map(_unnumbered, tools)]
        replaced = set(map(_identity, added))
        removed = set(message.get(REMOVED) or ())
        tools = [tool for tool in tools if _identity(tool) not in replaced and _name_or_type(tool) not in removed]
        tools += [{**tool, _NUMBER: number} for tool in added]
    if any(message.get(REMOVED) for message in changes):
        # No message can remove a tool, so the request has the remaining ones.
        tools = [_unnumbered(tool) for tool in tools]
    numbers = {id(message): number for number, message in enumerate(changes)}
    changed = _with_tools(body, tools, lambda message: _numbered(message, numbers))
    if not tools:
        # Hosts refuse a choice of tools without tools.
        for name in ("tool_choice", "parallel_tool_calls"):
            cast("JSONObject", changed).pop(name, None)
    return changed


def with_tools_in_place(body: WireBody, *, in_messages: bool) -> WireBody:
    """Return the body to send, without the numbers.

    Args:
        body: The body.
        in_messages: Whether the model accepts tools in the messages that add them.
    """
    if not any(_NUMBER in message for message in unusual_messages(body["messages"])):
        return body
    tools: list[JSONObject] = cast("JSONObject", body).get("tools") or []
    placed: dict[int, list[JSONObject]] = {}
    for tool in tools if in_messages else ():
        if _NUMBER in tool:
            placed.setdefault(tool[_NUMBER], []).append(_unnumbered(tool))
    first_tools = [_unnumbered(tool) for tool in tools if not (in_messages and _NUMBER in tool)]

    def sent(message: JSONObject) -> JSONObject | None:
        if _NUMBER not in message:
            return message
        added = placed.get(message[_NUMBER])
        return {"role": "system", ADDED: added} if added else None

    return _with_tools(body, first_tools, sent)


def with_last_effort(body: WireBody) -> WireBody:
    """Return a body with the newest effort of its messages for the whole request, and without these messages."""
    updates = [message for message in _dicts(unusual_messages(body["messages"])) if UPDATE in message]
    if not updates:
        return body
    reasoning = (updates[-1][UPDATE] or {}).get("reasoning")
    changed = _changed(body, lambda message: None if UPDATE in message else message)
    if effort := reasoning.get("effort") if isinstance(reasoning, Mapping) else None:
        changed.pop("reasoning_effort", None)
        earlier_reasoning = changed.get("reasoning") or {}
        # OpenRouter accepts either an effort or a number of tokens.
        others = {name: value for name, value in earlier_reasoning.items() if name not in {"enabled", "max_tokens"}}
        changed["reasoning"] = {**others, "effort": effort}
    return cast("WireBody", changed)


def name_of(tool: JSONObject) -> str | None:
    """Return the name of a function; None for a server tool."""
    function = tool.get("function")
    return function.get("name") if isinstance(function, dict) else None


def _name_or_type(tool: JSONObject) -> str | None:
    return name_of(tool) or tool.get("type")


def _identity(tool: JSONObject) -> tuple[str | None, Any]:
    """Return a key that all versions of a tool share: its name or type, and the distinct name of a server tool."""
    parameters = tool.get("parameters")
    return _name_or_type(tool), parameters.get("name") if isinstance(parameters, dict) else None


def _numbered(message: JSONObject, numbers: dict[int, int]) -> JSONObject:
    number = numbers.get(id(message))
    return message if number is None else {"role": "system", "content": "", _NUMBER: number}


def _unnumbered(tool: JSONObject) -> JSONObject:
    return {key: value for key, value in tool.items() if key != _NUMBER} if _NUMBER in tool else tool


def _with_tools(body: WireBody, tools: list[JSONObject], change: Any) -> WireBody:
    changed = _changed(body, change)
    changed.pop("tools", None)
    if tools:
        changed["tools"] = tools
    return cast("WireBody", changed)


def _changed(body: WireBody, change: Any) -> JSONObject:
    """Return a copy of a body with changed messages; those that become None are removed."""
    messages = body["messages"]
    changed: dict[int, JSONObject | None] = {id(message): change(message) for message in unusual_messages(messages)}

    def remaining(originals: Sequence[WireMessage]) -> list[WireMessage]:
        new = (changed.get(id(message), message) for message in originals)
        return [cast("WireMessage", message) for message in new if message is not None]

    selections = remaining(non_text_messages(messages)), remaining(unusual_messages(messages))
    return {**body, "messages": Conversation(remaining(messages), *selections)}


def _dicts(messages: Sequence[WireMessage]) -> Iterable[JSONObject]:
    return cast("Iterable[JSONObject]", messages)
