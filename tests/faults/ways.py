"""Runs a call in one of the four ways and returns its chunks and its exception."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.messages import AIMessage

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.retries import Retries
from langchain_kimi.testing import Emulator
from tests.conftest import KEY

PROMPT = "Hello."


class QuickKimi(ChatKimi):
    """A ChatKimi without random waits. It still waits for the server's Retry-After."""

    def _retries(self, *limits: Any, **named: Any) -> Retries:
        """Return the retry policy."""
        return super()._retries(*limits, **named)._replace(chance=lambda: 0.0)


@dataclass
class Outcome:
    """The outcome of a call.

    Attributes:
        shown: The parts in the order they came: chunks, or the one message of a plain call.
        error: What was raised.
    """

    shown: list[AIMessage] = field(default_factory=list)
    error: Exception | None = None

    @property
    def message(self) -> AIMessage | None:
        """The sum of the chunks."""
        total: AIMessage | None = None
        for part in self.shown:
            total = part if total is None else cast("AIMessage", total + part)
        return total


def _invoke(model: Any, outcome: Outcome, prompt: Any, kwargs: dict[str, Any]) -> None:
    outcome.shown.append(model.invoke(prompt, **kwargs))


def _stream(model: Any, outcome: Outcome, prompt: Any, kwargs: dict[str, Any]) -> None:
    # One by one, so that the chunks before an error are available.
    outcome.shown.extend(model.stream(prompt, **kwargs))


async def _ainvoke(model: Any, outcome: Outcome, prompt: Any, kwargs: dict[str, Any]) -> None:
    outcome.shown.append(await model.ainvoke(prompt, **kwargs))


async def _astream(model: Any, outcome: Outcome, prompt: Any, kwargs: dict[str, Any]) -> None:
    async for chunk in model.astream(prompt, **kwargs):
        outcome.shown.append(chunk)


Way = Callable[[Any, Outcome, Any, dict[str, Any]], Coroutine[Any, Any, None] | None]
WAYS: dict[str, Way] = {"invoke": _invoke, "stream": _stream, "ainvoke": _ainvoke, "astream": _astream}


def streams(way: str) -> bool:
    """Return whether a way yields chunks."""
    return way.endswith("stream")


def ask(
    model: Any, way: str, prompt: Any = PROMPT, *, run: Callable[[Any], object] = asyncio.run, **kwargs: Any
) -> Outcome:
    """Call a model or another runnable in one of the four ways; async ways run in their own loop, or as `run` does.

    Errors are returned in the outcome, not raised.
    """
    outcome = Outcome()
    try:
        if (running := WAYS[way](model, outcome, prompt, kwargs)) is not None:
            run(running)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the result
        outcome.error = error
    return outcome


def model_of(openrouter: Emulator, **settings: Any) -> QuickKimi:
    """Return a model that uses the emulator."""
    return QuickKimi(**{"api_key": KEY, "base_url": openrouter.base_url, **settings})
