"""A plain answer, a streamed answer, a tool call and a structured object, each with its cost.

With OPENROUTER_API_KEY in the environment this calls OpenRouter, for a fraction of a cent. Without the key it calls the
package's emulator of OpenRouter on this machine, which answers by rules.
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

    city: str = Field(description="The destination")
    days: int = Field(description="The number of days")


@tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"It is 21 degrees and sunny in {city}."


@contextmanager
def kimi() -> Iterator[ChatKimi]:
    """Yield a model that calls OpenRouter, or the emulator if there is no key."""
    if os.environ.get("OPENROUTER_API_KEY"):
        print("Calling OpenRouter, with the key from OPENROUTER_API_KEY.\n")
        with ChatKimi() as model:
            yield model
        return
    from langchain_kimi.testing import Emulator  # noqa: PLC0415 - needed only without a key

    print("Calling the emulator, which answers by rules, because OPENROUTER_API_KEY is not set.\n")
    with Emulator() as openrouter, ChatKimi(api_key="no-key-needed", base_url=openrouter.base_url) as model:
        yield model


def show(title: str, message: AIMessage) -> None:
    """Print an answer with its provider, tokens and cost."""
    usage, metadata = message.usage_metadata, message.response_metadata
    print(f"{title}: {message.text}")
    if usage:
        tokens = f"{usage['input_tokens']} tokens in, {usage['output_tokens']} out"
        print(f"   [{metadata['model_name']}, {metadata.get('provider')}, {tokens}, ${metadata.get('cost', 0):.6f}]\n")


def plain(model: ChatKimi) -> AIMessage:
    """Wait for the whole answer."""
    answer = model.invoke("Say hello in one sentence.")
    show("Plain", answer)
    return answer


def streamed(model: ChatKimi) -> AIMessage:
    """Print the answer while it arrives. The sum of the chunks is the message."""
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
    """Let Kimi call a tool, run the tool, and let Kimi answer with its result."""
    with_tools = model.bind_tools([get_weather])
    messages: list[BaseMessage] = [HumanMessage("What is the weather in Oslo?")]
    calling = with_tools.invoke(messages)
    messages.append(calling)
    for call in calling.tool_calls:
        print(f"Tool: Kimi calls {call['name']}({call['args']})")
        messages.append(get_weather.invoke(call))
    answer = with_tools.invoke(messages)
    show("   and then answers", answer)
    return [calling, answer]


def structured(model: ChatKimi) -> AIMessage:
    """Request an object of a class instead of text."""
    reply: Any = model.with_structured_output(Trip, include_raw=True).invoke("Plan a trip to Lisbon of 4 days.")
    print(f"Structured: {reply['parsed']!r}")
    raw: AIMessage = reply["raw"]
    show("   and its raw message", raw)
    return raw


def main() -> None:
    """Run all examples and print the sum of their costs."""
    with kimi() as model:
        answers = [plain(model), streamed(model), *with_a_tool(model), structured(model)]
    tokens = sum(answer.usage_metadata["total_tokens"] for answer in answers if answer.usage_metadata)
    cost = sum(answer.response_metadata.get("cost") or 0 for answer in answers)
    print(f"Total: {len(answers)} calls, {tokens} tokens, ${cost:.6f}")


if __name__ == "__main__":
    main()
