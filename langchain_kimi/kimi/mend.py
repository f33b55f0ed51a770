"""Kimi's habits, mended on the way in: wire chunks in, wire chunks out."""

from collections.abc import Iterator
from typing import cast

from langchain_kimi.kimi.tool_calls import ToolCallTracker
from langchain_kimi.openrouter.wire import WireBody, WireChoice, WireMessage, WireReply


class Mender:
    """Mends one choice of one reply, chunk by chunk; a plain reply is a stream of one chunk.

    Args:
        body: The request, for what was offered and what went before.
    """

    def __init__(self, body: WireBody) -> None:
        self._calls = ToolCallTracker()
        self._calls_before = sum(len(message.get("tool_calls") or ()) for message in body.get("messages", ()))

    def feed(self, choice: WireChoice) -> WireChoice:
        """Take the choice of the next chunk; gives it back as it should have been."""
        delta = choice.get("delta")
        if not delta or not delta.get("tool_calls"):
            return choice
        calls = list(self._calls.pieces(delta["tool_calls"]))
        return cast("WireChoice", {**choice, "delta": {**delta, "tool_calls": calls}})

    def close(self) -> Iterator[WireReply]:
        """Take the end of the reply; yields the chunks that are still owed."""
        calls = list(self._calls.missing_ids(self._calls_before))
        if calls:
            delta: WireMessage = {"tool_calls": calls}
            yield {"choices": [{"index": 0, "delta": delta}]}
