"""Kimi answers: plain, streamed, with a tool, with a structured object, and with what it cost.

With OPENROUTER_API_KEY in the environment this speaks to OpenRouter, and the calls cost a fraction of a cent. Without
it, it speaks to the package's own emulator of OpenRouter on this machine, whose answers are made by rules.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel, Field

from langchain_kimi import ChatKimi


class Trip(BaseModel):
    """A trip to a city."""

    city: str = Field(description="Where it goes")
    days: int = Field(description="How many days it takes")


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is 21 degrees and sunny in {city}."


@contextmanager
def kimi() -> Iterator[ChatKimi]:
    """Give a model that speaks to OpenRouter, or to the emulator when there is no key; says which."""
    if os.environ.get("OPENROUTER_API_KEY"):
        print("Speaking to OpenRouter, with the key from OPENROUTER_API_KEY.\n")
        with ChatKimi() as model:
            yield model
        return
    from langchain_kimi.testing import Emulator  # noqa: PLC0415 - only those without a key need it

    print("Speaking to the emulator: OPENROUTER_API_KEY is not set, so what follows is made by rules, not by Kimi.\n")
    with Emulator() as openrouter, ChatKimi(api_key="no-key-needed", base_url=openrouter.base_url) as model:
        yield model


def show(title: str, message: AIMessage) -> None:
    """Print an answer with its provider, its tokens and its price."""
    usage, facts = message.usage_metadata, message.response_metadata
    print(f"{title}: {message.text}")
    if usage:
        tokens = f"{usage['input_tokens']} tokens in, {usage['output_tokens']} out"
        print(f"   [{facts['model_name']} at {facts.get('provider')}, {tokens}, ${facts.get('cost', 0):.6f}]\n")


def plain(model: ChatKimi) -> AIMessage:
    """Ask and wait for the whole answer."""
    answer = model.invoke("Say hello in one sentence.")
    show("Plain", answer)
    return answer


def streamed(model: ChatKimi) -> AIMessage:
    """Ask and print the answer while it comes; the sum of the chunks is the message."""
    print("Streamed: ", end="")
    chunks = model.stream("Count from one to five in words.")
    answer = next(chunks)
    print(answer.text, end="", flush=True)
    for chunk in chunks:
        print(chunk.text, end="", flush=True)
        answer += chunk
    print()
    show("   and its sum", answer)
    return answer


def with_a_tool(model: ChatKimi) -> list[AIMessage]:
    """Let Kimi call a tool, run it, and let Kimi answer with what it returned."""
    with_tools = model.bind_tools([get_weather])
    messages: list[BaseMessage] = [HumanMessage("What is the weather in Oslo?")]
    asked = with_tools.invoke(messages)
    messages.append(asked)
    for call in asked.tool_calls:
        print(f"Tool: Kimi calls {call['name']}({call['args']})")
        messages.append(get_weather.invoke(call))
    answer = with_tools.invoke(messages)
    show("   and then says", answer)
    return [asked, answer]


def structured(model: ChatKimi) -> AIMessage:
    """Ask for an object of a class instead of text."""
    reply: Any = model.with_structured_output(Trip, include_raw=True).invoke("Plan a trip to Lisbon of 4 days.")
    print(f"Structured: {reply['parsed']!r}")
    raw: AIMessage = reply["raw"]
    show("   and its raw message", raw)
    return raw


def main() -> None:
    """Run the tour and add up what it cost."""
    with kimi() as model:
        answers = [plain(model), streamed(model), *with_a_tool(model), structured(model)]
    tokens = sum(answer.usage_metadata["total_tokens"] for answer in answers if answer.usage_metadata)
    cost = sum(answer.response_metadata.get("cost") or 0 for answer in answers)
    print(f"All in all: {len(answers)} calls, {tokens} tokens, ${cost:.6f}")


if __name__ == "__main__":
    main()
