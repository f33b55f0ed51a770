import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from langchain_core.runnables import Runnable

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiEmptyReplyError, KimiStructuredOutputError
from langchain_kimi.testing import Emulator, RawReply, Reply, ToolCall
from tests.conftest import KEY
from tests.messages.structured_cases import ADA, CASES, JSON, PERSON_SCHEMA, TYPED, Case, Person

METHODS = ["function_calling", "json_schema", "json_mode"]


@dataclass
class Wire:
    """A loopback OpenRouter, a model of it, and one event loop for all that is awaited."""

    openrouter: Emulator
    model: ChatKimi
    runner: asyncio.Runner

    def ways(self, runnable: Runnable[Any, Any]) -> Iterator[Callable[[], Any]]:
        """Invoke, ainvoke, and the last value of stream and of astream."""

        async def last() -> Any:
            return [value async for value in runnable.astream("Who?")][-1]

        yield lambda: runnable.invoke("Who?")
        yield lambda: self.runner.run(runnable.ainvoke("Who?"))
        yield lambda: list(runnable.stream("Who?"))[-1]
        yield lambda: self.runner.run(last())


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with Emulator() as openrouter, asyncio.Runner() as runner:
        model = ChatKimi(openrouter_api_key=KEY, openrouter_api_base=openrouter.base_url, max_retries=0)
        yield Wire(openrouter, model, runner)
        model.close()
        runner.run(model.aclose())


def reply_of(case: Case) -> Reply:
    calls = [ToolCall(name, arguments) for name, arguments in case.calls]
    finish_reason = None if calls and case.finish_reason == "stop" else case.finish_reason
    return Reply(text=case.text or None, tool_calls=calls, finish_reason=finish_reason)


def outcome(way: Callable[[], Any]) -> Any:
    try:
        value = way()
    except KimiStructuredOutputError as error:
        failed = error
    else:
        return value.model_dump() if isinstance(value, Person) else value
    assert failed.provider == "Moonshot AI"
    assert failed.generation_id is not None
    assert failed.usage is not None
    assert failed.usage["total_tokens"] > 0
    return failed.cause


@pytest.mark.parametrize(
    ("method", "schema"),
    [
        ("function_calling", Person),
        ("function_calling", PERSON_SCHEMA),
        ("json_schema", Person),
        ("json_mode", PERSON_SCHEMA),
    ],
)
@pytest.mark.parametrize("case", [*CASES, *TYPED], ids=lambda case: case.name)
def test_replies_over_the_wire(case: Case, method: Any, schema: Any, wire: Wire) -> None:
    by_call = method == "function_calling"
    expected = case.expected(by_call=by_call, pydantic=schema is Person)
    for way in wire.ways(wire.model.with_structured_output(schema, method=method)):
        wire.openrouter.script(reply_of(case))
        assert outcome(way) == expected


REFUSAL = {"role": "assistant", "content": None, "refusal": "I would rather not."}
HEAD = {"id": "gen-1", "model": "moonshotai/kimi-k2-0905", "provider": "Moonshot AI", "object": "chat.completion"}
REFUSED = [
    {**HEAD, "choices": [{"index": 0, "finish_reason": "stop", "message": REFUSAL}]},
    {**HEAD, "choices": [{"index": 0, "finish_reason": None, "delta": REFUSAL}]},
    {**HEAD, "choices": [{"index": 0, "finish_reason": "stop", "delta": {"content": ""}}]},
]


@pytest.mark.parametrize("method", METHODS)
def test_a_refusal_over_the_wire(method: Any, wire: Wire) -> None:
    plain = RawReply(headers={"content-type": "application/json"}, body=json.dumps(REFUSED[0]).encode())
    events = [f"data: {json.dumps(event)}\n\n".encode() for event in REFUSED[1:]]
    stream = RawReply(headers={"content-type": "text/event-stream"}, body=b"".join([*events, b"data: [DONE]\n\n"]))
    wire.openrouter.script(plain, plain, stream, stream)
    for way in wire.ways(wire.model.with_structured_output(Person, method=method)):
        with pytest.raises(KimiStructuredOutputError, match="I would rather not") as raised:
            way()
        assert (raised.value.cause, raised.value.generation_id) == ("refusal", "gen-1")


def test_thoughts_alone_are_empty(wire: Wire) -> None:
    for way in wire.ways(wire.model.with_structured_output(Person)):
        wire.openrouter.script(Reply(reasoning="Hm."))
        assert outcome(way) == "empty"


def test_an_empty_reply_is_the_model_s_own_error(wire: Wire) -> None:
    for way in wire.ways(wire.model.with_structured_output(Person)):
        wire.openrouter.script(Reply(text=""))
        with pytest.raises(KimiEmptyReplyError):
            way()


@pytest.mark.parametrize("method", METHODS)
def test_what_is_sent(method: Any, wire: Wire) -> None:
    wire.openrouter.clear()
    for way in wire.ways(wire.model.with_structured_output(Person, method=method)):
        wire.openrouter.script(Reply(text=JSON))
        way()
    bodies = wire.openrouter.bodies
    asked = {json.dumps({key: value for key, value in body.items() if key != "stream"}) for body in bodies}
    keys = {"function_calling": {"tools", "tool_choice", "parallel_tool_calls"}}.get(
        method, {"response_format", "provider"}
    )
    assert len(bodies) == 4
    assert len({body.replace(', "stream_options": {"include_usage": true}', "") for body in asked}) == 1
    assert set(bodies[0]) == {"model", "messages"} | keys


def test_the_limit_is_told_with_what_came(wire: Wire) -> None:
    limited = wire.model.model_copy(update={"max_tokens": 3})
    for way in wire.ways(limited.with_structured_output(Person, method="json_schema")):
        wire.openrouter.script(Reply(text=JSON))
        with pytest.raises(KimiStructuredOutputError, match="max_tokens") as raised:
            way()
        assert raised.value.cause == "length"
        assert raised.value.text
        assert JSON.startswith(raised.value.text)
        assert raised.value.partial is not None
        assert raised.value.partial.usage_metadata is not None


@pytest.mark.parametrize("method", METHODS[:2])
def test_a_dict_grows_over_the_wire(method: Any, wire: Wire) -> None:
    calls = [ToolCall("Person", ADA)] if method == "function_calling" else []
    wire.openrouter.script(Reply(text=None if calls else JSON, tool_calls=calls))
    values = list(wire.model.with_structured_output(PERSON_SCHEMA, method=method).stream("Who?"))
    assert len(values) > 2
    assert values[-1] == ADA
    assert all(set(earlier) <= set(later) for earlier, later in pairwise(values))


@pytest.mark.parametrize("method", METHODS)
def test_the_raw_reply_over_the_wire(method: Any, wire: Wire) -> None:
    for way in wire.ways(wire.model.with_structured_output(Person, method=method, include_raw=True)):
        wire.openrouter.script(Reply(text="Who?"))
        result = way()
        assert (result["raw"].text, result["parsed"]) == ("Who?", None)
        assert isinstance(result["parsing_error"], KimiStructuredOutputError)
        assert result["raw"].usage_metadata["total_tokens"] > 0
