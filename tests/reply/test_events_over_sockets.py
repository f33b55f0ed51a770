"""Streams of protocol events over a socket: events, messages, errors and callbacks are those of langchain-core."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import LLMResult
from langchain_core.tools import tool

from langchain_kimi import ChatKimi
from langchain_kimi._reply.events import is_same_as_core
from langchain_kimi.errors import KimiError, KimiIncompleteStreamError
from langchain_kimi.testing import Behavior, Emulator, Reply, ToolCall, faults
from tests.conftest import KEY
from tests.faults import replies, streams
from tests.faults.cases import CALLS, RETRIES, WEATHER, Case
from tests.faults.ways import QuickKimi
from tests.reply.test_events import NOT_THE_SAME
from tests.rows import each_row

pytestmark = [
    pytest.mark.filterwarnings("ignore:The method .* is in beta"),
    pytest.mark.filterwarnings("ignore:The v3 streaming protocol .* is experimental"),
]
RUN = UUID(int=7)
_GENERATION = re.compile(r"gen-[\w-]+")
CASES = [case for case in (*replies.CASES, *streams.CASES) if not case.is_slow]
ANSWERS = (
    Reply(text="one two three four"),
    Reply(text="one two", reasoning="Let me think about it."),
    Reply(reasoning="Look.", tool_calls=[ToolCall("get_weather", {"city": "Paris"}), ToolCall("get_weather", {})]),
    Reply(text="Wait.", tool_calls=[ToolCall("get_weather", '{"city": "Par')]),
    Reply(text="one", citations=["https://a.example"]),
    Reply(refusal="I cannot."),
    Reply(text="one", finish_reason="length"),
)


class Bridged(QuickKimi):
    """A model whose events langchain-core makes from its chunks, because it has streams of its own."""

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        return super()._stream(*args, **kwargs)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async for chunk in super()._astream(*args, **kwargs):
            yield chunk


class Notes(BaseCallbackHandler):
    """Notes what langchain-core reports of a stream."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.ends: list[Any] = []

    def on_stream_event(self, event: Any, **_: Any) -> None:
        self.events.append(event)

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        self.ends.append(("end", response))

    def on_llm_error(self, error: BaseException, **_: Any) -> None:
        self.ends.append(("error", text_of(error)))


def text_of(error: BaseException) -> str:
    """Return the text of an error without the id of the generation."""
    return _GENERATION.sub("gen", str(error))


def stable(value: Any) -> Any:
    """Return a value without the ids and times that differ between two calls."""
    if isinstance(value, dict):
        changing = {"id", "created", "tool_call_id"}
        return {key: stable(one) for key, one in value.items() if key not in changing}
    return [stable(one) for one in value] if isinstance(value, list) else value


def dumped(ends: list[Any]) -> list[Any]:
    return [[stable(one.model_dump()) if hasattr(one, "model_dump") else one for one in end] for end in ends]


async def outcome(model: ChatKimi, way: str, **kwargs: Any) -> dict[str, Any]:
    """Return all that a stream of events gives: events, message, error and callbacks."""
    notes, written = Notes(), list[Any]()
    error, message = None, None
    config: Any = {"callbacks": [notes], "run_id": RUN}
    try:
        if way == "sync":
            stream = model.stream_events("hi", config, version="v3", **kwargs)
            written.extend(stream)
            message = stream.output
        else:
            astream = await model.astream_events("hi", config, version="v3", **kwargs)
            async for event in astream:
                written.append(event)
            message = await astream.output
    except KimiError as problem:
        error = problem
    # The run of an async stream ends in a task of langchain-core.
    while not notes.ends:  # noqa: ASYNC110 - langchain-core has no event for it
        await asyncio.sleep(0)
    assert written == notes.events
    return {
        "events": stable(written),
        "message": message and (message.id, stable(message.model_dump())),
        "error": error
        and (type(error), text_of(error), stable(error.partial and error.partial.model_dump()), error.usage),
        "ends": dumped(notes.ends),
    }


def played(server: Emulator, case: Case, kind: type[ChatKimi], way: str) -> dict[str, Any]:
    more: dict[str, Any] = {"tools": [WEATHER]} if case.tools else {}
    server.clear()
    server.behavior = Behavior()
    with kind(api_key=KEY, base_url=server.base_url) as model:
        # The emulator's cache has the prompt of every call that is compared.
        model.invoke("hi", **more)
    server.clear()
    server.behave(**case.behavior)
    *first, last = case.script
    server.script(*first)
    server.script(last, times=None)
    settings = {"max_retries": RETRIES, "retry_empty": RETRIES, **case.settings}
    with kind(api_key=KEY, base_url=server.base_url, **settings) as model:
        result = asyncio.run(outcome(model, way, **more))
    return {**result, "requests": len(server.requests)}


@pytest.mark.uncovered
@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_answers_have_the_events_of_core(server: Emulator, answer: Reply, way: str) -> None:
    case: Any = Case(what="an answer", script=[answer], plain=streams.WHOLE, tools=bool(answer.tool_calls))
    native = played(server, case, QuickKimi, way)
    assert native == played(server, case, Bridged, way)
    assert native["message"]


@each_row("case", CASES[::3], ids=lambda case: case.what)
def test_some_failures_have_the_events_of_core(server: Emulator, case: Case) -> None:
    check_failure(server, case, "sync")


@pytest.mark.long
@pytest.mark.uncovered
@pytest.mark.parametrize("way", ["sync", "async"])
@each_row("case", CASES, ids=lambda case: case.what)
def test_failures_have_the_events_of_core(server: Emulator, case: Case, way: str) -> None:
    check_failure(server, case, way)


def check_failure(server: Emulator, case: Case, way: str) -> None:
    assert played(server, case, QuickKimi, way) == played(server, case, Bridged, way)


def test_a_partial_answer_is_on_the_error_and_its_events_came_before(openrouter: Emulator) -> None:
    openrouter.script(faults.stream_ends().on(CALLS), times=None)
    model = QuickKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    stream = model.stream_events("hi", version="v3", tools=[WEATHER])
    texts: list[str] = []
    with pytest.raises(KimiIncompleteStreamError) as caught:
        texts.extend(stream.text)
    assert caught.value.partial
    assert "".join(texts) == caught.value.partial.text


@pytest.mark.skipif(not is_same_as_core(), reason=NOT_THE_SAME)
def test_native_events_are_used_unless_a_subclass_or_a_setting_changes_the_chunks() -> None:
    for kind, settings, is_native in (
        (ChatKimi, {}, True),
        (Bridged, {}, False),
        (ChatKimi, {"coalesce": True}, False),
    ):
        model: Any = kind(api_key=KEY, **settings)
        assert (model._stream_chat_model_events is not None) is is_native
        assert (model._astream_chat_model_events is not None) is is_native


def test_events_of_joined_deltas(openrouter: Emulator) -> None:
    openrouter.script(Reply(text="one two three"))
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, coalesce=True)
    assert str(model.stream_events("hi", version="v3").text) == "one two three"


@tool
def get_weather(city: str) -> str:
    """Return the weather."""
    return f"Sunny in {city}."


async def test_an_agent_streams_events(openrouter: Emulator) -> None:
    """langchain-core takes events instead of chunks for a run whose handler asks for them, as LangGraph's v3 does."""
    openrouter.script(Reply(tool_calls=[ToolCall("get_weather", {"city": "Paris"})]), Reply(text="It is sunny."))
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url)
    agent: Any = create_agent(model, [get_weather])
    run = await agent.astream_events({"messages": [("user", "hi")]}, version="v3")
    texts = [[text async for text in message.text] async for message in run.messages]
    assert ["".join(parts) for parts in texts][-1] == "It is sunny."
    assert max(map(len, texts)) > 1


INVALID_CALLS = {
    "NaN": "The arguments are not valid JSON: NaN is not JSON.",
    "[1]": "The arguments are not a JSON object but list.",
    '{"city": "Paris"}}': "The arguments are not valid JSON: Extra data.",
}


@pytest.mark.uncovered
@pytest.mark.parametrize("settings", [{}, {"coalesce": True}, {"output_version": "v1"}], ids=str)
@pytest.mark.parametrize("kind", [QuickKimi, Bridged])
async def test_an_invalid_call_keeps_its_arguments_and_has_our_error(
    server: Emulator, kind: type[ChatKimi], settings: dict[str, Any]
) -> None:
    """The chunk that breaks the call in the sum of chunks adds no delta, and no error of langchain-core."""
    model = kind(api_key=KEY, base_url=server.base_url, repairs=False, **settings)
    for arguments, error in INVALID_CALLS.items():
        server.clear()
        calls = [ToolCall("get_weather", arguments), ToolCall("get_weather", {"city": "Rome"})]
        server.script(Reply(tool_calls=calls), times=None)
        for way in ("sync", "async"):
            result = await outcome(model, way, tools=[WEATHER])
            deltas = [one["delta"]["args"] for one in result["events"] if one["event"] == "content-block-delta"]
            assert "".join(deltas).startswith(arguments + '{"city')
            finished = [one["content"] for one in result["events"] if one["event"] == "content-block-finish"]
            assert [block["type"] for block in finished] == ["invalid_tool_call", "tool_call"]
            _, message = result["message"]
            [invalid] = message["invalid_tool_calls"]
            assert invalid["args"] == finished[0]["args"] == arguments
            assert invalid["error"] == finished[0]["error"]
            assert error.rstrip(".") in invalid["error"]
            assert [call["args"] for call in message["tool_calls"]] == [{"city": "Rome"}]
