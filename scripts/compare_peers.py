"""Compare ChatKimi and its peers on the same failures, and write `docs/peers.md`.

This needs an environment with the peers, which `make compare` creates. Every case is a real HTTP exchange with the
package's emulator.
"""

import asyncio
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from langchain_core.exceptions import ModelError
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages.block_translators import PROVIDER_TRANSLATORS
from langchain_openai import ChatOpenAI
from langchain_openrouter import ChatOpenRouter
from pydantic import BaseModel

from langchain_kimi import ChatKimi
from langchain_kimi._reply.messages import PROVIDER
from langchain_kimi.testing import Emulator, Reply, ToolCall, faults

KEY = "no-key-needed"
SLUG = "moonshotai/kimi-k2-0905"
REPORT = Path(__file__).parents[1] / "docs" / "peers.md"
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Trip(BaseModel):
    """A trip to a city."""

    city: str
    days: int


def kimi(base_url: str, **settings: Any) -> BaseChatModel:
    """Return a ChatKimi."""
    return ChatKimi(model=SLUG, api_key=KEY, base_url=base_url, **settings)


def openrouter(base_url: str, **settings: Any) -> BaseChatModel:
    """Return a ChatOpenRouter."""
    return cast("BaseChatModel", ChatOpenRouter(model=SLUG, api_key=KEY, base_url=base_url, **settings))


def openai(base_url: str, **settings: Any) -> BaseChatModel:
    """Return a ChatOpenAI with OpenRouter's base URL."""
    return cast("BaseChatModel", ChatOpenAI(model=SLUG, api_key=KEY, base_url=base_url, **settings))


MODELS: dict[str, Callable[..., BaseChatModel]] = {
    "ChatKimi": kimi,
    "ChatOpenRouter": openrouter,
    "ChatOpenAI": openai,
}
Case = Callable[[Callable[..., BaseChatModel], Emulator], str]


def streamed(model: Any, prompt: str = "What is the weather in Oslo?", **kwargs: Any) -> Any:
    """Return the sum of the chunks of a stream."""
    message = None
    for chunk in model.stream(prompt, **kwargs):
        message = chunk if message is None else message + chunk
    return message


def raised(error: BaseException) -> str:
    """Return the class of an error, and whether LangChain's middleware handles it."""
    kind = "" if isinstance(error, ModelError) else ", not a `ModelError`"
    return f"`{type(error).__name__}`{kind}"


def stream_error(make: Callable[..., BaseChatModel], emulator: Emulator) -> str:
    """An error event in the middle of a stream."""
    emulator.fail_next(faults.stream_error())
    return f"an answer: {streamed(make(emulator.base_url, max_retries=0), 'Hello.').text[:20]!r}"


def stream_just_ends(make: Callable[..., BaseChatModel], emulator: Emulator) -> str:
    """A stream that ends without a finish reason."""
    emulator.fail_next(faults.stream_ends())
    return f"an answer: {streamed(make(emulator.base_url, max_retries=0), 'Hello.').text[:20]!r}"


def error_in_a_200(make: Callable[..., BaseChatModel], emulator: Emulator) -> str:
    """A plain reply with status 200 that contains an error."""
    emulator.fail_next(faults.error_in_reply())
    return f"an answer: {make(emulator.base_url, max_retries=0).invoke('Hello.').text[:20]!r}"


def half_an_argument(make: Callable[..., BaseChatModel], emulator: Emulator) -> str:
    """Tool arguments cut off by `length`, streamed."""
    emulator.script(Reply(tool_calls=[ToolCall("get_weather", '{"city": "Os')], finish_reason="length"))
    message = streamed(make(emulator.base_url), tools=[TOOL])
    return f"a valid call: `{message.tool_calls[0]['args']}`" if message.tool_calls else "an invalid call"


def _v1_blocks(make: Callable[..., BaseChatModel], emulator: Emulator, **call_options: Any) -> str:
    calls = [ToolCall("get_weather", f'{{"city": "{city}"}}') for city in ("Oslo", "Rome")]
    emulator.script(Reply(tool_calls=calls, **call_options))
    message = streamed(make(emulator.base_url, output_version="v1"), tools=[TOOL])
    kinds = [block["type"] for block in message.content_blocks]
    return ("all: " if kinds.count("tool_call") == len(calls) else "lost, of two calls: ") + ", ".join(kinds)


def text_before_calls(make: Callable[..., BaseChatModel], emulator: Emulator) -> str:
    """Text, then two tool calls, streamed with `output_version="v1"`: the content blocks."""
    return _v1_blocks(make, emulator, text="Let me look.")


def reasoning_before_calls(make: Callable[..., BaseChatModel], emulator: Emulator) -> str:
    """Reasoning, then two tool calls, streamed with `output_version="v1"`: the content blocks."""
    return _v1_blocks(make, emulator, reasoning="I should look.")


def reasoning_and_text_before_calls(make: Callable[..., BaseChatModel], emulator: Emulator) -> str:
    """Reasoning, text, then two tool calls, streamed with `output_version="v1"`: the content blocks."""
    return _v1_blocks(make, emulator, reasoning="I should look.", text="Let me look.")


def all_index_zero(make: Callable[..., BaseChatModel], emulator: Emulator) -> str:
    """Two parallel calls, both with index 0, streamed."""
    emulator.behave(all_index_zero=True)
    emulator.script(Reply(tool_calls=[ToolCall("get_weather", f'{{"city": "{city}"}}') for city in ("Oslo", "Rome")]))
    calls = streamed(make(emulator.base_url), tools=[TOOL]).tool_calls
    arguments = [call["args"] for call in calls]
    return "both" if arguments == [{"city": "Oslo"}, {"city": "Rome"}] else f"`{arguments}`"


def second_loop(make: Callable[..., BaseChatModel], emulator: Emulator) -> str:
    """The same model in two `asyncio.run`s."""
    model = make(emulator.base_url, max_retries=0)
    for _ in range(2):
        asyncio.run(model.ainvoke("Hello."))
    return "both answer"


def facts_of_a_stream(make: Callable[..., BaseChatModel], emulator: Emulator) -> str:
    """Cost and provider of a streamed answer."""
    metadata = streamed(make(emulator.base_url), "Hello.").response_metadata
    return ", ".join(f"{name} {'there' if metadata.get(name) else 'missing'}" for name in ("cost", "provider"))


def text_instead_of_an_object(make: Callable[..., BaseChatModel], emulator: Emulator) -> str:
    """`with_structured_output(method="function_calling")` answered with text."""
    emulator.script(Reply(text="I would rather not."))
    result = make(emulator.base_url).with_structured_output(Trip, method="function_calling").invoke("Plan a trip.")
    return f"`{result!r}`"


def no_retries(make: Callable[..., BaseChatModel], emulator: Emulator) -> str:
    """`max_retries=0` and a host that is down."""
    emulator.fail_next(faults.bad_gateway(), times=3)
    try:
        make(emulator.base_url, max_retries=0).invoke("Hello.")
    except Exception as error:  # noqa: BLE001 - any exception is a result
        return f"{raised(error)} after {len(emulator.requests)} request(s)"
    return f"an answer after {len(emulator.requests)} requests"


def building(make: Callable[..., BaseChatModel], emulator: Emulator) -> str:
    """The CPU time to build the hundredth model."""
    for _ in range(99):
        make(emulator.base_url)
    began = time.process_time()
    make(emulator.base_url)
    return f"{(time.process_time() - began) * 1000:.1f} ms"


CASES: tuple[Case, ...] = (
    stream_error, stream_just_ends, error_in_a_200, half_an_argument, text_before_calls, reasoning_before_calls,
    reasoning_and_text_before_calls, all_index_zero, second_loop, facts_of_a_stream, text_instead_of_an_object,
    no_retries, building,
)  # fmt: skip


@contextmanager
def alone(make: Callable[..., BaseChatModel]) -> Iterator[None]:
    """Undo an effect of importing ChatKimi on the peers.

    The import registers a translator for the content blocks of OpenRouter messages, from which ChatOpenRouter benefits.
    """
    ours = None if make is kimi else PROVIDER_TRANSLATORS.pop(PROVIDER)
    try:
        yield
    finally:
        if ours:
            PROVIDER_TRANSLATORS[PROVIDER] = ours


def outcome(case: Case, make: Callable[..., BaseChatModel]) -> str:
    """Run one case with one model, and return its result, which may be an exception."""
    with Emulator() as emulator, alone(make), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return case(make, emulator)
        except Exception as error:  # noqa: BLE001 - any exception is a result
            return raised(error)


def main() -> None:
    """Run all cases and write the report."""
    packages = ("langchain-core", "langchain-openrouter", "openrouter", "langchain-openai", "openai", "httpx")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    lines = [
        "# ChatKimi and its peers on the same failures",
        "",
        "This page is written by `make compare`. Each cell is the result of a real HTTP exchange with the emulator.",
        f"Measured with {versions}, Python {sys.version.split()[0]}.",
        "",
        "| case | " + " | ".join(MODELS) + " |",
        "| --- |" + " --- |" * len(MODELS),
    ]
    for case in CASES:
        row = [outcome(case, make) for make in MODELS.values()]
        lines.append(f"| {(case.__doc__ or '').strip().rstrip('.')} | " + " | ".join(row) + " |")
        print(lines[-1])
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
