"""The four ways to ask a model, as one: what was handed out, and what was raised."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, cast

from langchain_core.messages import AIMessage

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.retries import Retries
from langchain_kimi.testing import Emulator
from tests.conftest import KEY

PROMPT = "Hello."


class QuickKimi(ChatKimi):
    """A ChatKimi whose dice always say: at once. What a server asks to wait is waited all the same."""

    def _retries(self, *limits: Any, **named: Any) -> Retries:
        """Say how often a failed call is made again."""
        return replace(super()._retries(*limits, **named), chance=lambda: 0.0)


@dataclass
class Outcome:
    """What came of one call.

    Attributes:
        shown: The parts in the order they came: chunks, or the one message of a plain call.
        error: What was raised.
    """

    shown: list[AIMessage] = field(default_factory=list)
    error: Exception | None = None

    @property
    def message(self) -> AIMessage | None:
        """The sum of what was handed out."""
        total: AIMessage | None = None
        for part in self.shown:
            total = part if total is None else cast("AIMessage", total + part)
        return total


def _invoke(model: Any, outcome: Outcome, prompt: Any, kwargs: dict[str, Any]) -> None:
    outcome.shown.append(model.invoke(prompt, **kwargs))


def _stream(model: Any, outcome: Outcome, prompt: Any, kwargs: dict[str, Any]) -> None:
    # One by one: what came before an error is kept.
    outcome.shown.extend(model.stream(prompt, **kwargs))


async def _ainvoke(model: Any, outcome: Outcome, prompt: Any, kwargs: dict[str, Any]) -> None:
    outcome.shown.append(await model.ainvoke(prompt, **kwargs))


async def _astream(model: Any, outcome: Outcome, prompt: Any, kwargs: dict[str, Any]) -> None:
    async for chunk in model.astream(prompt, **kwargs):
        outcome.shown.append(chunk)


Way = Callable[[Any, Outcome, Any, dict[str, Any]], Coroutine[Any, Any, None] | None]
WAYS: dict[str, Way] = {"invoke": _invoke, "stream": _stream, "ainvoke": _ainvoke, "astream": _astream}


def streams(way: str) -> bool:
    """Whether a way hands out chunks."""
    return way.endswith("stream")


def ask(model: Any, way: str, prompt: Any = PROMPT, **kwargs: Any) -> Outcome:
    """Ask a model, or anything that is called like one, in one of the four ways; an async one gets a loop of its own.

    Errors are kept, not raised: each is a result like any other.
    """
    outcome = Outcome()
    try:
        if (running := WAYS[way](model, outcome, prompt, kwargs)) is not None:
            asyncio.run(running)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the result
        outcome.error = error
    return outcome


def model_of(openrouter: Emulator, **settings: Any) -> QuickKimi:
    """Make a model that speaks to the emulator."""
    return QuickKimi(**{"api_key": KEY, "base_url": openrouter.base_url, **settings})
