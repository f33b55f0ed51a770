"""Replace tool names that hosts refuse by accepted ones, which are unique within a request."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, cast

from langchain_kimi._openrouter.conversation import non_text_messages, with_replaced
from langchain_kimi._openrouter.wire import JSONObject, WireBody, WireMessage
from langchain_kimi._patterns import lazy_pattern
from langchain_kimi.errors import KimiUsageError

# OpenRouter refuses other names. Moonshot AI also refuses a name that does not begin with a letter.
_ACCEPTED = lazy_pattern(r"[A-Za-z0-9_-]{1,64}")
_ACCEPTED_BY_MOONSHOT = lazy_pattern(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_OTHER = lazy_pattern(r"[^A-Za-z0-9_-]")
_PREFIX = "tool_"
_MAX_LENGTH, _DIGITS = 64, 8
"""The maximum length of a name, and the number of digits that distinguish names that would otherwise be equal."""


def with_accepted_names(body: WireBody, *, is_kimi: bool = True) -> WireBody:
    """Return a body in which all tools, the tool choice and the conversation use accepted names.

    It is the same body if all names are accepted already.

    Args:
        body: The body; changed parts are copies.
        is_kimi: Whether the request is for a Kimi model.
    """
    names = accepted_names(body, is_kimi=is_kimi)
    if not names:
        return body
    messages = [cast("WireMessage", _message(cast("JSONObject", message), names)) for message in body["messages"]]
    changed: JSONObject = {"messages": with_replaced(body["messages"], messages)}
    if body.get("tools"):
        changed["tools"] = [with_name(tool, names) for tool in body["tools"]]
    if isinstance(body.get("tool_choice"), dict):
        changed["tool_choice"] = with_name(cast("JSONObject", body["tool_choice"]), names)
    return cast("WireBody", {**body, **changed})


def accepted_names(body: Mapping[str, Any], *, is_kimi: bool = True) -> dict[str, str]:
    """Return the accepted name for each tool name of a request that is not accepted, by the original name.

    It depends only on the tool's name, unless another tool of the request already has that name.
    """
    accepted = _ACCEPTED_BY_MOONSHOT if is_kimi else _ACCEPTED
    names = dict.fromkeys(name for name in _names(body) if isinstance(name, str) and name)
    others = [name for name in names if not accepted.fullmatch(name)]
    if not others:
        return {}
    used = {name.casefold() for name in names if accepted.fullmatch(name)}
    renamed: dict[str, str] = {}
    for name in others:
        candidate = _OTHER.sub("_", name)
        candidate = candidate if accepted.fullmatch(candidate[:1]) else _PREFIX + candidate
        if len(candidate) > _MAX_LENGTH or candidate.casefold() in used:
            digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
            candidate = f"{candidate[: _MAX_LENGTH - _DIGITS - 1]}_{digest}"
        used.add(candidate.casefold())
        renamed[name] = candidate
    return renamed


def check_names(body: Mapping[str, Any], *, is_kimi: bool) -> None:
    """Check the names of a request's tools.

    Raises:
        KimiUsageError: A name is not accepted.
    """
    if names := accepted_names({"tools": body.get("tools")}, is_kimi=is_kimi):
        raise KimiUsageError(
            f"The tool name {next(iter(names))!r} cannot be sent.",
            advice='A name has 1 to 64 letters, digits, "_" and "-", and begins with a letter for Moonshot AI. The '
            'repair "tool_names" replaces other names.',
        )


def _names(body: Mapping[str, Any]) -> Iterator[Any]:
    for tool in body.get("tools") or ():
        if isinstance(tool, dict) and isinstance(function := tool.get("function"), dict):
            yield function.get("name")
    for message in non_text_messages(body.get("messages") or ()):
        for call in message.get("tool_calls") or ():
            yield (call.get("function") or {}).get("name")


def _message(message: JSONObject, names: Mapping[str, str]) -> JSONObject:
    if message.get("tool_calls"):
        return {**message, "tool_calls": [with_name(call, names) for call in message["tool_calls"]]}
    if message.get("role") == "tool" and message.get("name") in names:
        return {**message, "name": names[message["name"]]}
    return message


def with_name(holder: JSONObject, names: Mapping[str, str]) -> JSONObject:
    """Return a tool, a call or a tool choice with the new name of its function.

    Args:
        holder: The object with the field `function`.
        names: The new names by the old ones. A function that is not among them keeps its name.
    """
    function = holder.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str) or name not in names:
        return holder
    return {**holder, "function": {**function, "name": names[name]}}
