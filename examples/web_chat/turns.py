"""Turns of a chat: answers and tool calls as events, which a page can read again after a lost connection."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from langchain_kimi import KimiError

GRACE = 10.0
"""Seconds for which a turn goes on without a reader, so that a page can reconnect."""
MOST_ROUNDS = 8
"""The model's answers in a turn; each one but the last calls tools."""
Event = dict[str, Any]


class Turn:
    """One turn, as a list of events. Kinds: `text`, `reasoning`, `tool`, `cost`, `error`, `stopped` and `end`."""

    def __init__(self, grace: float = GRACE) -> None:
        self.events: list[Event] = []
        self.is_over = False
        self._changed = asyncio.Condition()
        self._grace = grace
        self._readers = 0
        self._task: asyncio.Task[None] | None = None

    def start(self, work: Callable[["Turn"], Any]) -> None:
        """Run the work of this turn. It adds events."""
        self._task = asyncio.create_task(self._run(work))

    async def _run(self, work: Callable[["Turn"], Any]) -> None:
        try:
            await work(self)
        except asyncio.CancelledError:
            await self.add("stopped")
        except KimiError as error:
            reply = error.partial.text if error.partial else ""
            await self.add("error", name=type(error).__name__, text=str(error), partial=reply)
        finally:
            self.is_over = True
            await self.add("end")

    async def add(self, kind: str, **values: Any) -> None:
        """Add an event and wake the readers."""
        async with self._changed:
            self.events.append({"kind": kind, **values})
            self._changed.notify_all()

    async def read(self, start: int = 0) -> AsyncIterator[tuple[int, Event]]:
        """Yield the events from a number on, each with its number, until the turn is over."""
        self._readers += 1
        try:
            while not self.is_over or start < len(self.events):
                async with self._changed:
                    while start >= len(self.events):
                        await self._changed.wait()
                yield start, self.events[start]
                start += 1
        finally:
            self._readers -= 1
            if not self.is_over:
                asyncio.get_running_loop().call_later(self._grace, self._stop_if_alone)

    def _stop_if_alone(self) -> None:
        if not self._readers:
            self.stop()

    def stop(self) -> None:
        """Cancel the turn. The connection to the host is closed, and the host stops to generate and to charge."""
        if self._task is not None:
            self._task.cancel()


async def answer(
    model: Runnable[Any, Any], tools: Mapping[str, BaseTool], history: list[BaseMessage], turn: Turn
) -> None:
    """Stream the model's answers and run its tool calls, and append the messages to the history."""
    for _ in range(MOST_ROUNDS):
        message = await _stream(model, history, turn)
        for call in message.tool_calls:
            result = await tools[call["name"]].ainvoke(call)
            history.append(result)
            await turn.add("tool", name=call["name"], arguments=call["args"], result=result.text)
        for broken in message.invalid_tool_calls:
            problem = f"This call is invalid: {broken['error']}"
            history.append(ToolMessage(problem, tool_call_id=broken["id"] or "", status="error"))
            await turn.add("tool", name=broken["name"], arguments=broken["args"], result=problem)
        if not (message.tool_calls or message.invalid_tool_calls):
            return


async def _stream(model: Runnable[Any, Any], history: list[BaseMessage], turn: Turn) -> AIMessage:
    whole, text = AIMessageChunk(content=""), ""
    try:
        async for chunk in model.astream(history):
            whole = whole + chunk
            for block in chunk.content_blocks:
                if block["type"] in {"text", "reasoning"} and (piece := block.get(block["type"])):
                    text += piece if block["type"] == "text" else ""
                    await turn.add(block["type"], text=piece)
    except BaseException:
        # The next turn knows what the user has read of this one.
        if text:
            history.append(AIMessage(text))
        raise
    history.append(AIMessage(**{**whole.model_dump(exclude={"type"}), "tool_calls": whole.tool_calls}))
    usage, metadata = whole.usage_metadata, whole.response_metadata
    tokens = [usage["input_tokens"], usage["output_tokens"]] if usage else None
    await turn.add("cost", dollars=metadata.get("cost"), tokens=tokens, provider=metadata.get("provider"))
    return whole
