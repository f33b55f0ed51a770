"""Convert LangChain messages to wire messages.

Equal messages give equal bytes, because prompt caches depend on it. The result shares lists and objects with the
messages (such as `reasoning_details`), so later steps copy whatever they change. Tool calls and results are paired in
`langchain_kimi._kimi.history`, not here.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, cast, get_args

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from langchain_kimi import _request
from langchain_kimi._openrouter.conversation import Conversation
from langchain_kimi._openrouter.wire import JSONObject, Role, WireMessage
from langchain_kimi._request.changes import split_content
from langchain_kimi._request.results import Result, result_of
from langchain_kimi._request.tool_calls import usual_calls
from langchain_kimi.errors import KimiUsageError


class _Conversion:
    """The state of a conversion: the messages, the position of the current one, and the wire messages before it."""

    __slots__ = ("_answered", "_calls", "_read", "messages", "position", "wire")

    def __init__(self, messages: Sequence[BaseMessage], wire: list[WireMessage]) -> None:
        self.messages = messages
        self.position = 0
        self.wire = wire
        # The number of wire messages that `open_call` has read.
        self._read = 0
        # The ids of the calls of each function, one queue per turn.
        self._calls: dict[str | None, list[deque[str]]] = {}
        self._answered: set[str] = set()

    @property
    def place(self) -> str:
        """The current position, for error texts."""
        return f"messages[{self.position}]"

    def open_call(self, name: str | None) -> str | None:
        """Return the id of the first open call of a function in the last turn that has one, or None.

        Each wire message is read once, so that a conversation takes linear time.
        """
        for message in self.wire[self._read :]:
            if answered := message.get("tool_call_id"):
                self._answered.add(answered)
            ids: dict[str | None, deque[str]] = {}
            for call in message.get("tool_calls", ()):
                if call_id := call.get("id"):
                    ids.setdefault(call["function"].get("name"), deque()).append(call_id)
            for function, of_turn in ids.items():
                self._calls.setdefault(function, []).append(of_turn)
        self._read = len(self.wire)
        turns = self._calls.get(name, [])
        while turns:
            while turns[-1] and turns[-1][0] in self._answered:
                turns[-1].popleft()
            if turns[-1]:
                return turns[-1][0]
            turns.pop()
        return None


def messages_to_wire(messages: Sequence[BaseMessage]) -> Conversation:
    """Return the wire messages of a conversation. The messages are not modified.

    Each message becomes one wire message, with two exceptions: an empty assistant message is left out, and a user
    message with Anthropic's `tool_result` blocks becomes one tool message per block, then one for the rest.

    Raises:
        KimiUsageError: A message or one of its blocks cannot be sent. The text names its position.
    """
    wire: list[WireMessage] = []
    others: list[WireMessage] = []
    unusual: list[WireMessage] = []
    conversation = _Conversion(messages, wire)
    for position, message in enumerate(messages):
        # Most messages of a long conversation are plain text, so they are converted inline, without a function call,
        # and with a test per class instead of a table: 250 µs per 1,000 messages, of which 80 create the dicts.
        # `vars(message)` takes three times as long as `__dict__`.
        kind = type(message)
        usual: WireMessage | None = None
        if kind is HumanMessage:
            fields = message.__dict__
            text = fields["content"]
            if type(text) is str and text and not (fields["additional_kwargs"] or fields["name"] or text.isspace()):
                wire.append({"role": "user", "content": text})
                continue
        elif kind is AIMessage or kind is AIMessageChunk:
            fields = message.__dict__
            text = fields["content"]
            if type(text) is str and not (
                fields["additional_kwargs"] or fields["name"] or fields["invalid_tool_calls"]
            ):
                if fields["tool_calls"]:
                    usual = _turn_with_calls(text, fields["tool_calls"])
                elif text and not text.isspace():
                    wire.append({"role": "assistant", "content": text})
                    continue
        elif kind is ToolMessage:
            usual = _text_result(message.__dict__)
        if usual is not None:
            wire.append(usual)
            others.append(usual)
            continue
        conversation.position = position
        convert = _CONVERTERS.get(kind) or _converter_of(message, position)
        converted = convert(message, conversation)
        wire += converted
        others += converted
        unusual += converted
    return Conversation(wire, others, unusual)


# Calls and results are most of an agent's messages. The general converters give the same, in twice the time.


def _turn_with_calls(text: str, tool_calls: list[ToolCall]) -> WireMessage | None:
    """Return the wire message for a text and usual calls, or None."""
    calls = usual_calls(tool_calls)
    return None if calls is None else {"role": "assistant", "content": text or None, "tool_calls": calls}


def _text_result(fields: Mapping[str, Any]) -> WireMessage | None:
    """Return the wire message for the fields of a result that is a text, or None."""
    text, call_id = fields["content"], fields["tool_call_id"]
    is_usual = type(text) is str and type(call_id) is str and text
    return {"role": "tool", "tool_call_id": call_id, "content": text} if is_usual else None


def _content(
    role: Role, message: BaseMessage, conversation: _Conversion, content: Any = None
) -> str | list[JSONObject]:
    content = message.content if content is None else content
    return content if isinstance(content, str) else _request.content.content_to_wire(content, role, conversation.place)


def _named(role: Role, content: str | list[JSONObject], name: str | None) -> WireMessage:
    # OpenRouter writes the name into the text for most models, so it is sent only if the user set one.
    return {"role": role, "content": content, "name": name} if name else {"role": role, "content": content}


def _system(message: BaseMessage, conversation: _Conversion) -> list[WireMessage]:
    # langchain-core has no class for developer messages and marks them with this key.
    is_developer = message.additional_kwargs.get("__openai_role__") == "developer"
    return _instructions("developer" if is_developer else "system", message, conversation)


def _developer(message: BaseMessage, conversation: _Conversion) -> list[WireMessage]:
    return _instructions("developer", message, conversation)


def _instructions(role: Role, message: BaseMessage, conversation: _Conversion) -> list[WireMessage]:
    """Convert a system or developer message, with the changes of tools and effort in it."""
    content, changes = split_content(message.content, is_system=True)
    wire = cast("list[WireMessage]", changes)
    if not content and message.content:
        # The message consists of changes.
        return wire
    instruction = _named(role, _content(role, message, conversation, content), message.name)
    # It changes settings for the rest of the conversation, such as the reasoning.
    if isinstance(update := message.additional_kwargs.get("configuration_update"), Mapping):
        instruction["configuration_update"] = dict(update)
    return [instruction, *wire]


def _user(message: BaseMessage, conversation: _Conversion) -> list[WireMessage]:
    """Convert a user message, with the changes of the effort in it."""
    content, changes = split_content(message.content, is_system=False)
    if changes and not content:
        return cast("list[WireMessage]", changes)
    if changes:
        # An update applies from the message after it on.
        wire = cast("list[WireMessage]", changes)
        return [*wire, *_user(message.model_copy(update={"content": content}), conversation)]
    if isinstance(content, list) and any(map(result_of, content)):
        return _user_with_results(content, message.name, conversation)
    converted = _content("user", message, conversation)
    if content and not converted and conversation.position < len(conversation.messages) - 1:
        # It consists of blocks that are left out, and hosts refuse empty messages.
        return []
    return [_named("user", converted, message.name)]


def _user_with_results(content: list[Any], name: str | None, conversation: _Conversion) -> list[WireMessage]:
    """Split a message in a format that has tool results inside user messages, such as Anthropic's."""
    results = [*map(result_of, content)]
    wire = [
        _tool_result(result, f"{conversation.place}.content[{index}]")
        for index, result in enumerate(results)
        if result is not None
    ]
    # An empty text replaces each result, so that errors name the right positions.
    rest = ["" if result else block for block, result in zip(content, results, strict=True)]
    rest_content = _request.content.content_to_wire(rest, "user", conversation.place)
    return [*wire, _named("user", rest_content, name)] if rest_content else wire


def _tool_result(result: Result, place: str) -> WireMessage:
    if not result.call_id:
        raise KimiUsageError(f"{place}: a block of type 'tool_result' needs 'tool_use_id'.")
    content = _request.content.content_to_wire(result.content or "", "tool", place)
    return {"role": "tool", "tool_call_id": result.call_id, "content": content}


def _assistant(message: AIMessage, conversation: _Conversion) -> list[WireMessage]:
    wire = _request.assistant.assistant_to_wire(message, conversation.messages, conversation.position)
    return [] if wire is None else [wire]


def _tool(message: ToolMessage, conversation: _Conversion) -> list[WireMessage]:
    return [_result_message(message.tool_call_id, message, conversation)]


def _result_message(tool_call_id: str, message: BaseMessage, conversation: _Conversion) -> WireMessage:
    # The wire has no fields for a result's name, status or artifact.
    content = _content("tool", message, conversation) or _structured_result(message)
    return {"role": "tool", "tool_call_id": tool_call_id, "content": content}


def _structured_result(message: BaseMessage) -> str:
    """Return the structured result of an MCP tool as JSON, for a result without other content.

    The package langchain-mcp-adapters stores it as an artifact. MCP servers should also send it as text, but some do
    not. It is not sent in addition to other content, because Python servers also put images in base64 into it.
    """
    artifact = getattr(message, "artifact", None)
    if not isinstance(artifact, Mapping) or "structured_content" not in artifact:
        return ""
    return json.dumps(artifact["structured_content"], ensure_ascii=False, default=str)


def _function(message: FunctionMessage, conversation: _Conversion) -> list[WireMessage]:
    """Pair a function message with an open call of its name, because function messages have no call ids."""
    call_id = conversation.open_call(message.name)
    if call_id:
        return [_result_message(call_id, message, conversation)]
    raise KimiUsageError(
        f"{conversation.place}: no open call before it matches the function message {message.name!r}.",
        advice="Use a ToolMessage with the tool_call_id of the call.",
    )


def _chat(message: ChatMessage, conversation: _Conversion) -> list[WireMessage]:
    convert = _CHAT_ROLES.get(message.role)
    if convert is None:
        raise KimiUsageError(
            f"{conversation.place}: the role {message.role!r} is not supported. "
            f"Supported roles: {', '.join(map(repr, get_args(Role)))}."
        )
    return convert(message, conversation)


def _chat_assistant(message: ChatMessage, conversation: _Conversion) -> list[WireMessage]:
    kwargs = message.additional_kwargs
    return _assistant(AIMessage(message.content, name=message.name, additional_kwargs=kwargs), conversation)


def _chat_tool(message: ChatMessage, conversation: _Conversion) -> list[WireMessage]:
    tool_call_id = message.additional_kwargs.get("tool_call_id")
    if not tool_call_id:
        raise KimiUsageError(
            f"{conversation.place}: a chat message of role 'tool' needs 'tool_call_id' in additional_kwargs.",
            advice="Use a ToolMessage.",
        )
    return [_result_message(tool_call_id, message, conversation)]


def _chat_function(message: ChatMessage, conversation: _Conversion) -> list[WireMessage]:
    name = message.name or message.additional_kwargs.get("name") or ""
    return _function(FunctionMessage(content=message.content, name=name), conversation)


_CHAT_ROLES: dict[str, Callable[[ChatMessage, _Conversion], list[WireMessage]]] = {
    "system": _system,
    "developer": _developer,
    "user": _user,
    "assistant": _chat_assistant,
    "tool": _chat_tool,
    "function": _chat_function,
}


def _remove(message: RemoveMessage, conversation: _Conversion) -> NoReturn:
    raise KimiUsageError(
        f"{conversation.place} is a RemoveMessage (of {message.id!r}), which cannot be sent to a model.",
        advice="Let the graph's add_messages reducer apply it before calling the model.",
    )


_CONVERTERS: dict[type, Callable[[Any, _Conversion], list[WireMessage]]] = {
    HumanMessage: _user,
    AIMessage: _assistant,
    SystemMessage: _system,
    ToolMessage: _tool,
    ChatMessage: _chat,
    FunctionMessage: _function,
    RemoveMessage: _remove,
}


def _converter_of(message: object, position: int) -> Callable[[Any, _Conversion], list[WireMessage]]:
    """Return the converter for a subclass of a message class: a chunk, or a class of the user."""
    for kind in type(message).__mro__:
        if kind in _CONVERTERS:
            return _CONVERTERS[kind]
    accepted = ", ".join(kind.__name__ for kind in _CONVERTERS if kind is not RemoveMessage)
    raise KimiUsageError(
        f"messages[{position}] is of type {type(message).__name__}, which cannot be sent. "
        f"Accepted types: {accepted}, and their chunks."
    )
