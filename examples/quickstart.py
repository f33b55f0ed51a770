"""A plain answer, a streamed answer, a tool call and a structured object, each with its cost.

With OPENROUTER_API_KEY in the environment this calls OpenRouter, for a fraction of a cent. Without the key it calls the
package's emulator of OpenRouter on this machine, which answers by rules.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
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
    from langchain_kimi.testing import Behavior, Emulator  # noqa: PLC0415 - needed only without a key

    print("Calling the emulator on this machine, because OPENROUTER_API_KEY is not set.")
    print("Its answers follow simple rules. The costs are computed with Kimi's prices; nothing is paid.\n")
    # Without the pauses, a streamed answer would appear at once.
    emulator = Emulator(behavior=Behavior(pause=0.03))
    with emulator as openrouter, ChatKimi(api_key="no-key-needed", base_url=openrouter.base_url) as model:
        yield model


def show_cost(*answers: AIMessage) -> None:
    """Print the model, the provider, and the tokens and the cost of the answers together."""
    usages = [answer.usage_metadata for answer in answers if answer.usage_metadata]
    tokens = f"{sum(usage['input_tokens'] for usage in usages)} tokens in, "
    tokens += f"{sum(usage['output_tokens'] for usage in usages)} tokens out"
    metadata = answers[-1].response_metadata
    print(f"   [{metadata['model_name']} at {metadata.get('provider')}: {tokens}, ${cost(*answers):.6f}]\n")


def cost(*answers: AIMessage) -> float:
    """Return the cost of the answers in US dollars."""
    return sum(answer.response_metadata.get("cost") or 0 for answer in answers)


def plain(model: ChatKimi) -> AIMessage:
    """Wait for the whole answer."""
    question = "Say hello in one sentence."
    print(f"1. A plain answer to: {question}")
    answer = model.invoke(question)
    print(answer.text)
    show_cost(answer)
    return answer


def streamed(model: ChatKimi) -> AIMessage:
    """Print the answer while it arrives. The sum of the chunks is the message."""
    question = "Count from one to five in words."
    print(f"2. A streamed answer to: {question}")
    answer, count, start = AIMessageChunk(content=""), 0, time.perf_counter()
    for chunk in model.stream(question):
        print(chunk.text, end="", flush=True)
        answer, count = answer + chunk, count + 1
    print(f"\n   [{count} chunks in {time.perf_counter() - start:.2f} s]")
    show_cost(answer)
    return answer


def with_a_tool(model: ChatKimi) -> list[AIMessage]:
    """Let Kimi call a tool, run the tool, and let Kimi answer with its result."""
    question = "What is the weather in Oslo?"
    print(f"3. A tool call for: {question}")
    with_tools = model.bind_tools([get_weather])
    messages: list[BaseMessage] = [HumanMessage(question)]
    calling = with_tools.invoke(messages)
    messages.append(calling)
    for call in calling.tool_calls:
        print(f"Kimi calls {call['name']}({call['args']})")
        result = get_weather.invoke(call)
        print(f"The tool returns: {result.text}")
        messages.append(result)
    answer = with_tools.invoke(messages)
    print(f"Kimi answers: {answer.text}")
    show_cost(calling, answer)
    return [calling, answer]


def structured(model: ChatKimi) -> AIMessage:
    """Request an object of a class instead of text."""
    question = "Plan a trip to Lisbon of 4 days."
    print(f"4. An object of the class Trip(city: str, days: int) for: {question}")
    reply: Any = model.with_structured_output(Trip, include_raw=True).invoke(question)
    print(repr(reply["parsed"]))
    raw: AIMessage = reply["raw"]
    show_cost(raw)
    return raw


def main() -> None:
    """Run all examples and print the sum of their costs."""
    with kimi() as model:
        answers = [plain(model), streamed(model), *with_a_tool(model), structured(model)]
    tokens = sum(answer.usage_metadata["total_tokens"] for answer in answers if answer.usage_metadata)
    print(f"Total: {len(answers)} calls, {tokens} tokens, ${cost(*answers):.6f}")


if __name__ == "__main__":
    main()
