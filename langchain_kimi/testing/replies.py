"""The replies of the emulator, as a test scripts them or as `responder` makes them up."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject


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
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, sent as a plain body or as a stream, as the request demands.

    Attributes:
        text: The content of the message, or None for null.
        tool_calls: `ToolCall` objects, or mappings with their fields: `{"name": "add", "arguments": {"a": 1}}`.
        reasoning: The reasoning of the message. None: generated when the model reasons.
        finish_reason: None: derived from the reply.
        native_finish_reason: The provider's own finish reason. None: the same as `finish_reason`.
    """

    text: str | None = None
    tool_calls: Sequence[ToolCall | JSONObject] = ()
    reasoning: str | None = None
    finish_reason: str | None = None
    native_finish_reason: str | None = None

    @property
    def calls(self) -> list[ToolCall]:
        """The tool calls, each as a `ToolCall`."""
        return [call if isinstance(call, ToolCall) else ToolCall(**call) for call in self.tool_calls]


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
