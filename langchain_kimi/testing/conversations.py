"""Checks a request's messages: their parts, their order, and the pairing of tool calls and results."""

import json
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.catalog import Model
from langchain_kimi.testing.rejections import RejectedRequestError, invalid, rejected_upstream

_PARTS = {
    "text": "text",
    "image_url": "image_url",
    "input_audio": "input_audio",
    "video_url": "video_url",
    "input_video": "video_url",
    "file": "file",
}
"""The types of content parts, each with the key of its content."""
_MODALITIES = {"image_url": "image", "input_audio": "audio", "video_url": "video", "input_video": "video"}
_UNSUPPORTED = {
    "image": "No endpoints found that support image input",
    "audio": "No endpoints found that support input audio",
    "video": "No endpoints found that support video input",
}


def check_messages(messages: list[JSONObject]) -> None:
    """Check each message and their order.

    Raises:
        RejectedRequestError: A message is invalid.
    """
    for position, message in enumerate(messages):
        if "tools" in message and message["role"] == "system":
            _later_tools(message, position)
            continue
        _content(message, position)
        if message["role"] == "assistant":
            _assistant(message, position)
    _pairing(messages)


def check_modalities(messages: list[JSONObject], model: Model) -> None:
    """Check that the model supports the types of all content parts.

    Raises:
        RejectedRequestError: A type is not supported (status 404).
    """
    for message in messages:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            modality = _MODALITIES.get(part["type"], "text")
            if modality not in model.inputs:
                raise RejectedRequestError(404, _UNSUPPORTED[modality])


def check_reasoning_replayed(messages: list[JSONObject]) -> None:
    """Check that assistant turns with tool calls include their reasoning, as Moonshot AI demands of reasoning models.

    Raises:
        RejectedRequestError: The reasoning of a turn is missing.
    """
    for position, message in enumerate(messages):
        fields = ("reasoning", "reasoning_content", "reasoning_details")
        if message.get("tool_calls") and all(message.get(key) is None for key in fields):
            raise rejected_upstream(
                "thinking is enabled but reasoning_content is missing in assistant tool call message "
                f"at index {position}"
            )


def _content(message: JSONObject, position: int) -> None:
    content, role = message.get("content"), message["role"]
    if content is None and role == "assistant":
        return
    if not isinstance(content, str | list):
        raise invalid(f"messages.{position}.content: expected a string or a list of parts")
    for part in content if isinstance(content, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in _PARTS or (kind != "text" and role in ("system", "developer")):
            raise invalid(f"messages.{position}.content: invalid part type {kind!r} in a {role} message")
        if not isinstance(part.get(_PARTS[kind]), str if kind == "text" else dict):
            raise invalid(f"messages.{position}.content: the {kind} part has no {_PARTS[kind]}")


def _later_tools(message: JSONObject, position: int) -> None:
    """Check a system message with tools, which Moonshot AI takes without content."""
    if "content" in message:
        raise invalid(f"messages.{position}: a system message with tools must not have content")
    if not (isinstance(message["tools"], list) and message["tools"]):
        raise invalid(f"messages.{position}.tools: expected a list of tools")


def check_later_tools(messages: list[JSONObject], *, is_taken: bool) -> None:
    """Check that the model takes system messages with tools.

    Raises:
        RejectedRequestError: It does not.
    """
    if not is_taken and any("tools" in message for message in messages):
        raise rejected_upstream("tokenization failed")


def _assistant(message: JSONObject, position: int) -> None:
    calls = message.get("tool_calls")
    if not calls and not message.get("content"):
        raise rejected_upstream(f"the message at position {position} with role 'assistant' must not be empty")
    if calls is not None and not isinstance(calls, list):
        raise invalid(f"messages.{position}.tool_calls: expected a list")
    for call in calls or ():
        _tool_call(call, position)
    details = message.get("reasoning_details")
    is_valid = details is None or (isinstance(details, list) and all(isinstance(one, dict) for one in details))
    if not is_valid or not isinstance(message.get("reasoning"), str | None):
        raise invalid(f"messages.{position}: reasoning must be a string, reasoning_details a list of objects")


def _tool_call(call: Any, position: int) -> None:
    where = f"messages.{position}.tool_calls"
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or call.get("type") != "function":
        raise invalid(f"{where}: expected function calls")
    if not isinstance(call.get("id"), str) or not isinstance(function.get("name"), str) or not function["name"]:
        raise invalid(f"{where}: a call needs an id and a name")
    if not isinstance(function.get("arguments"), str):
        raise invalid(f"{where}: expected the arguments to be a string")
    try:
        arguments = json.loads(function["arguments"])
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise rejected_upstream(f"the arguments of function {function['name']} are not a JSON object")


def _pairing(messages: list[JSONObject]) -> None:
    """Check that tool messages follow the assistant message with their calls, one for each call."""
    open_ids: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            _close(message, open_ids)
            continue
        _check_no_open_calls(open_ids)
        open_ids = [call["id"] for call in message.get("tool_calls") or ()]
        if len(set(open_ids)) < len(open_ids):
            raise rejected_upstream("tool_call_id is duplicated")
        if "" in open_ids:
            raise rejected_upstream("tool_call_id  is not found")
    _check_no_open_calls(open_ids)


def _close(message: JSONObject, open_ids: list[str]) -> None:
    call_id = message.get("tool_call_id")
    if not isinstance(call_id, str):
        raise invalid("a tool message needs a tool_call_id")
    if call_id not in open_ids:
        raise rejected_upstream(f"tool_call_id {call_id} is not found")
    open_ids.remove(call_id)


def _check_no_open_calls(open_ids: list[str]) -> None:
    if open_ids:
        raise rejected_upstream(
            "an assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_ids)}"
        )
