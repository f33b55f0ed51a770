"""The replies of the emulator, as a test scripts them or as `responder` makes them up."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject

_SEARCH = "openrouter:web_search"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call of a reply.

    Attributes:
        name: The function's name.
        arguments: An object, or a string that is sent unchanged.
        id: The call's id, or None to generate one in the style of `Behavior.call_ids`.
    """

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    id: str | None = None

    @property
    def json(self) -> str:
        """The arguments as JSON text."""
        return _json(self.arguments)


@dataclass(frozen=True, slots=True)
class ServerToolCall:
    """A call that OpenRouter answered itself within a reply, with one of its server tools.

    Attributes:
        name: The tool's type, such as `openrouter:web_fetch`.
        arguments: An object, or a string that is sent unchanged.
        result: The tool's result, sent as JSON unless it is a string.
        id: The call's id, or None to number the calls of the reply.
        is_reported: Whether the reply has the call. None: as was observed, all but web searches, which OpenRouter
            only counts in the usage.
    """

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    result: Any = ""
    id: str | None = None
    is_reported: bool | None = None

    def detail(self, position: int) -> JSONObject | None:
        """Return the entry of the reply's `reasoning_details`, or None if the call is only counted."""
        if not (self.name != _SEARCH if self.is_reported is None else self.is_reported):
            return None
        return {
            "type": "reasoning.server_tool_call",
            "tool_name": self.name,
            "arguments": _json(self.arguments),
            "result": _json(self.result),
            "tool_call_id": self.id or f"server_tool_call_{position}",
            "index": position,
        }


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, sent as a plain body or as a stream, as the request demands.

    Attributes:
        text: The content of the message, or None for null.
        tool_calls: `ToolCall` objects, or mappings with their fields: `{"name": "add", "arguments": {"a": 1}}`.
        reasoning: The reasoning of the message. None: generated when the model reasons.
        finish_reason: None: derived from the reply.
        native_finish_reason: The provider's own finish reason. None: the same as `finish_reason`.
        refusal: The refusal of the message, or None.
        citations: URLs, or complete annotations, that the message cites.
        provider: The provider's display name. None: derived from the request and `Behavior.provider`.
        usage: Fields of the usage that replace the computed ones. Totals are not adjusted.
        cost: The cost in dollars. None: computed from the model's prices.
        server_tools: The calls that OpenRouter's server tools answered before the reply, as `ServerToolCall` objects
            or mappings with their fields.
        images: URLs, or complete images, that the message contains.
        reasoning_details: The details of the reasoning, such as those of another provider. None: those of `reasoning`.
    """

    text: str | None = None
    tool_calls: Sequence[ToolCall | JSONObject] = ()
    reasoning: str | None = None
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    refusal: str | None = None
    citations: Sequence[str | JSONObject] = ()
    provider: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    cost: float | None = None
    server_tools: Sequence[ServerToolCall | JSONObject] = ()
    images: Sequence[str | JSONObject] = ()
    reasoning_details: Sequence[JSONObject] | None = None

    @property
    def image_entries(self) -> list[JSONObject]:
        """The images as the message contains them."""
        return [
            {"type": "image_url", "image_url": {"url": one}} if isinstance(one, str) else one for one in self.images
        ]

    @property
    def annotations(self) -> list[JSONObject]:
        """The citations as annotations of the message."""
        return [
            {"type": "url_citation", "url_citation": {"url": one, "title": one, "start_index": 0, "end_index": 0}}
            if isinstance(one, str)
            else one
            for one in self.citations
        ]

    @property
    def calls(self) -> list[ToolCall]:
        """The tool calls, each as a `ToolCall`."""
        return [call if isinstance(call, ToolCall) else ToolCall(**call) for call in self.tool_calls]

    @property
    def server_tool_details(self) -> list[JSONObject]:
        """The calls of server tools as entries of the message's `reasoning_details`. The reasoning is the entry 0."""
        details = [call.detail(position) for position, call in enumerate(self._server_calls(), start=1)]
        return [detail for detail in details if detail is not None]

    @property
    def server_tool_usage(self) -> JSONObject:
        """The fields of the usage that count the calls of server tools."""
        calls = self._server_calls()
        if not calls:
            return {}
        counts = {"tool_calls_requested": len(calls), "tool_calls_executed": len(calls)}
        searches = sum(call.name == _SEARCH for call in calls)
        return {"server_tool_use_details": {**counts, **({"web_search_requests": searches} if searches else {})}}

    def _server_calls(self) -> list[ServerToolCall]:
        return [call if isinstance(call, ServerToolCall) else ServerToolCall(**call) for call in self.server_tools]


@dataclass(frozen=True, slots=True)
class RawReply:
    """A reply of exactly these bytes, for instance a recorded one.

    Attributes:
        status: The HTTP status.
        headers: The response headers. Those that describe the framing of the body are replaced.
        body: The bytes of the body.
        pieces: The lengths of the chunks in which `body` is sent. The rest of the body is the last chunk.
        pause: Seconds before each chunk.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces: Sequence[int] = ()
    pause: float = 0.0
