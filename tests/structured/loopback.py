"""A `ChatKimi` with a loopback OpenRouter that is called in all four ways."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.structured.cases import Case

METHODS = (None, "function_calling", "json_schema", "json_mode")
# Long replies are streamed in about this many deltas.
_DELTAS = 2000


@dataclass
class Wire:
    """A loopback OpenRouter, a model that uses it, and an event loop for async calls."""

    openrouter: Emulator
    model: BaseChatModel
    runner: asyncio.Runner

    def ways(self, runnable: Runnable[Any, Any]) -> Iterator[Callable[[], Any]]:
        """Yield functions that call invoke, stream, ainvoke and astream; a stream gives its last value."""

        async def streamed() -> Any:
            return [value async for value in runnable.astream("Who?")][-1]

        yield lambda: runnable.invoke("Who?")
        yield lambda: last(runnable.stream("Who?"))
        yield lambda: self.runner.run(runnable.ainvoke("Who?"))
        yield lambda: self.runner.run(streamed())

    def script(self, case: Case) -> None:
        """Script the reply of a case as the next one."""
        calls = [ToolCall(name, arguments) for name, arguments in case.calls]
        finish_reason = None if calls and case.finish_reason == "stop" else case.finish_reason
        self.openrouter.behave(delta_tokens=1 + len(case.text) // _DELTAS)
        self.openrouter.script(Reply(text=case.text or None, tool_calls=calls, finish_reason=finish_reason))


def last(values: Iterator[Any]) -> Any:
    """Return the last value of a stream."""
    return [*values][-1]
