"""Calls that leaked into the text or the reasoning of a structured output."""

from itertools import pairwise
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_kimi.errors import KimiEmptyReplyError, KimiStructuredOutputError
from langchain_kimi.testing import Reply
from tests.structured.cases import ADA, EVA, JSON, PERSON_SCHEMA, Person
from tests.structured.kinds import value_or_error
from tests.structured.loopback import METHODS, Wire


def markup(arguments: str, name: str = "Person") -> str:
    """Return a call in Kimi's markup, which some hosts leave in the text."""
    call = f"<|tool_call_begin|>functions.{name}:0<|tool_call_argument_begin|>{arguments}<|tool_call_end|>"
    return f"<|tool_calls_section_begin|>{call}<|tool_calls_section_end|>"


CUT = markup(JSON).partition("36")[0]
LEAKS = {
    "whole": (Reply(text=markup(JSON)), ADA),
    "after prose": (Reply(text=f"I will call. {markup(JSON)}"), ADA),
    "of something else": (Reply(text=markup(JSON, "search")), KimiStructuredOutputError),
    "not matching": (Reply(text=markup('{"name": "Ada"}')), KimiStructuredOutputError),
    "truncated": (Reply(text=CUT, finish_reason="stop"), KimiStructuredOutputError),
    "truncated by the limit": (Reply(text=CUT, finish_reason="length"), KimiStructuredOutputError),
    "truncated in a marker": (Reply(text=markup(JSON)[:-80], finish_reason="length"), KimiStructuredOutputError),
}


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_a_streamed_dict_grows_from_leaked_markup(method: Any, wire: Wire) -> None:
    runnable = wire.model.with_structured_output(PERSON_SCHEMA, method=method)
    wire.openrouter.script(Reply(text=markup(JSON)))
    values = list(runnable.stream("Who?"))
    assert values[-1] == ADA
    assert all(set(earlier) <= set(later) for earlier, later in pairwise(values))
    assert len(values) > 2


@pytest.mark.parametrize("method", [None, "function_calling"])
def test_a_forced_call_in_leaked_markup_is_yielded_whole(method: Any, wire: Wire) -> None:
    runnable = wire.model.with_structured_output(PERSON_SCHEMA, method=method)
    wire.openrouter.script(Reply(text=markup(JSON)))
    assert list(runnable.stream("Who?")) == [ADA]


@pytest.mark.parametrize(("finish_reason", "cause"), [("stop", "bad_json"), ("length", "length")])
def test_a_forced_call_in_leaked_markup_that_was_cut_is_an_error(finish_reason: str, cause: str, wire: Wire) -> None:
    wire.openrouter.script(Reply(text=CUT, finish_reason=finish_reason))
    stream = wire.model.with_structured_output(PERSON_SCHEMA).stream("Who?")
    with pytest.raises(KimiStructuredOutputError) as cut:
        list(stream)
    assert isinstance(cut.value.partial, AIMessage)
    assert (cut.value.partial.tool_calls, cut.value.cause) == ([], cause)


def test_a_leaked_call_of_an_agent_s_tool_is_yielded_whole(wire: Wire) -> None:
    wire.openrouter.script(Reply(text=markup(JSON)))
    chunks = list(wire.model.bind_tools([Person]).stream("Who?"))
    pieces = [piece for chunk in chunks if isinstance(chunk, AIMessageChunk) for piece in chunk.tool_call_chunks]
    assert [piece["args"] for piece in pieces] == [JSON]


def test_markup_of_another_call_yields_nothing(wire: Wire) -> None:
    wire.openrouter.script(Reply(text=markup(JSON, "search")))
    with pytest.raises(KimiStructuredOutputError) as raised_error:
        assert next(wire.model.with_structured_output(PERSON_SCHEMA, method="json_schema").stream("Who?")) is None
    assert raised_error.value.cause == "empty"


OTHERS = {
    "another call in the reasoning": (Reply(reasoning=markup(JSON, "search")), KimiEmptyReplyError),
    "a value in the reasoning only": (Reply(reasoning=JSON), KimiEmptyReplyError),
    "another value in the reasoning": (Reply(reasoning=EVA, text=JSON), ADA),
    "a value in the reasoning, prose in the text": (Reply(reasoning=JSON, text="Done."), KimiStructuredOutputError),
}


@pytest.mark.uncovered
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", [*LEAKS, *OTHERS])
def test_a_leaked_call_is_read_and_reasoning_is_not(name: str, method: Any, wire: Wire) -> None:
    reply, expected = {**LEAKS, **OTHERS}[name]
    for schema in (Person, PERSON_SCHEMA):
        for way in wire.ways(wire.model.with_structured_output(schema, method=method)):
            wire.openrouter.script(reply)
            value = value_or_error(way)
            assert (value.model_dump() if isinstance(value, Person) else value) == expected


@pytest.mark.parametrize(("method", "expected"), [(None, ADA), ("json_schema", KimiEmptyReplyError)])
def test_a_call_in_the_reasoning_is_read_if_a_call_was_requested(method: Any, expected: Any, wire: Wire) -> None:
    for way in wire.ways(wire.model.with_structured_output(PERSON_SCHEMA, method=method)):
        wire.openrouter.script(Reply(reasoning=f"I will call. {markup(JSON)}"))
        assert value_or_error(way) == expected
