"""The model of the applications in this folder, and the functions that print its steps.

With OPENROUTER_API_KEY in the environment the model is Kimi on OpenRouter. Without the key, the package's emulator of
OpenRouter plays a script on this machine: its provider is called "Emulator", and its texts begin with "[emulated]".
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from examples.agents.scripts import Script
from langchain_kimi import ChatKimi
from langchain_kimi.callbacks import KimiCostCallback
from langchain_kimi.testing import Behavior, Emulator

SHOWN = 160
"""Characters of a tool result that are printed."""


@contextmanager
def connection(script: Script) -> Iterator[dict[str, Any]]:
    """Yield the arguments of `ChatKimi` for OpenRouter, or those for an emulator that plays a script."""
    if os.environ.get("OPENROUTER_API_KEY"):
        print("Calling OpenRouter, with the key from OPENROUTER_API_KEY.\n", flush=True)
        yield {}
        return
    print("Calling the emulator, which plays a script, because OPENROUTER_API_KEY is not set. No reply is Kimi's;")
    print("the prices are list prices of the scripted tokens.\n", flush=True)
    with Emulator(behavior=Behavior(provider="Emulator", delta_tokens=8)) as openrouter:
        for text, replies in script.items():
            openrouter.script(*replies, when=partial(contains, text))
        yield {"api_key": "no-key-needed", "base_url": openrouter.base_url}


def contains(text: str, body: dict[str, Any]) -> bool:
    """Return whether the messages of a request contain a text."""
    return text in str(body["messages"])


@contextmanager
def kimi(script: Script, **settings: Any) -> Iterator[ChatKimi]:
    """Yield the model. Without a key, the emulator plays the script."""
    with connection(script) as arguments, ChatKimi(**arguments, **settings) as model:
        yield model


def show(message: BaseMessage, agent: str = "") -> None:
    """Print a reply with its calls, or a tool result."""
    name = f"{agent}: " if agent else ""
    if isinstance(message, AIMessage):
        provider = message.response_metadata.get("provider") or "Kimi"
        for call in message.tool_calls:
            print(f"{name}{provider} calls {call['name']}({shortened(call['args'])})")
        if message.text:
            print(f"{name}{provider} says: {message.text}")
    elif isinstance(message, ToolMessage):
        print(f"{name}{message.name} returns {shortened(message.text)}")


def shortened(value: Any) -> str:
    """Return the beginning of a value's text, in one line."""
    if isinstance(value, dict):
        value = ", ".join(f"{key}={item!r}" for key, item in value.items())
    line = " ".join(str(value).split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"


def show_price(costs: KimiCostCallback) -> None:
    """Print the calls, tokens and price of a run."""
    total = costs.total
    print(f"\nPrice: {total.calls} model calls, {total.input_tokens} tokens in", end="")
    print(f" ({total.cached_tokens} cached), {total.output_tokens} out, ${total.cost:.6f}")
