"""What the emulator answers: scripted by a test, or thought up by the brain."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool; `arguments` is an object, or a string that is sent as it is."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    id: str | None = None
    """None: made by the emulator in the style of the host."""

    @property
    def json(self) -> str:
        """The arguments as a string of JSON."""
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply to be sent as a plain body or a stream, whichever was asked for."""

    text: str | None = None
    tool_calls: Sequence[ToolCall | JSONObject] = ()
    """As `ToolCall`, or as a mapping with its fields: `{"name": "add", "arguments": {"a": 1}}`."""
    reasoning: str | None = None
    finish_reason: str | None = None
    """None: what fits."""
    native_finish_reason: str | None = None
    """The host's own word; none: the same as `finish_reason`."""

    @property
    def calls(self) -> list[ToolCall]:
        """The tool calls, each as a `ToolCall`."""
        return [call if isinstance(call, ToolCall) else ToolCall(**call) for call in self.tool_calls]


@dataclass(frozen=True, slots=True)
class RawReply:
    """A reply of exactly these bytes, for instance a recorded one.

    `pieces` are the lengths in which `body` is sent, each as a chunk of its own; what is left over is the last piece.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces: Sequence[int] = ()
    pause: float = 0.0
    """Seconds before each piece."""
