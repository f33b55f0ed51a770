"""Structured output over a loopback OpenRouter: one reply per outcome by every method, in all four ways.

Every reply is read in `test_kinds`, without HTTP.
"""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_kimi.errors import KimiEmptyReplyError, KimiStructuredOutputError
from langchain_kimi.testing import RawReply, Reply, ToolCall
from tests.structured.cases import ADA, JSON, ONE_PER_OUTCOME, PERSON_SCHEMA, Case, Person
from tests.structured.kinds import KINDS, expected, outcome
from tests.structured.loopback import METHODS, Wire


def check_metadata_and_usage(error: KimiStructuredOutputError) -> None:
    assert error.provider == "Moonshot AI"
    assert error.generation_id is not None
    assert error.usage is not None
    assert error.usage["total_tokens"] > 0


def checked(way: Callable[[], Any]) -> Any:
    """Return the value; the error, if any, must have the reply's metadata and usage."""
    try:
        return way()
    except KimiStructuredOutputError as failed:
        check_metadata_and_usage(failed)
        raise


def from_raw(way: Callable[[], Any]) -> Any:
    """Return the parsed value of a call with `include_raw`, or raise its parsing error."""
    result = way()
    assert set(result) == {"raw", "parsed", "parsing_error"}
    assert isinstance(result["raw"], AIMessage)
    assert (result["parsed"] is None) != (result["parsing_error"] is None)
    if result["parsing_error"] is not None:
        assert result["parsing_error"].partial.usage_metadata == result["raw"].usage_metadata
        raise result["parsing_error"]
    return result["parsed"]


@pytest.mark.uncovered
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", ONE_PER_OUTCOME, ids=lambda case: case.name)
def test_a_reply_gives_its_value_or_its_error_over_http(case: Case, method: Any, wire: Wire) -> None:
    by_call = method in (None, "function_calling")
    # The kinds are used in turn, so that each case is tested with several kinds.
    position = ONE_PER_OUTCOME.index(case) + METHODS.index(method)
    kind, include_raw = list(KINDS)[position % len(KINDS)], position % 2 == 0
    result = expected(case, kind, by_call=by_call)
    for way in wire.ways(wire.model.with_structured_output(KINDS[kind], method=method, include_raw=include_raw)):
        wire.script(case)
        assert outcome(lambda: checked(lambda: from_raw(way) if include_raw else way()), kind) == result  # noqa: B023 - called at once


REFUSAL = {"role": "assistant", "content": None, "refusal": "I would rather not."}
HEAD = {"id": "gen-1", "model": "moonshotai/kimi-k2-0905", "provider": "Moonshot AI", "object": "chat.completion"}
REFUSED = [
    {**HEAD, "choices": [{"index": 0, "finish_reason": "stop", "message": REFUSAL}]},
    {**HEAD, "choices": [{"index": 0, "finish_reason": None, "delta": REFUSAL}]},
    {**HEAD, "choices": [{"index": 0, "finish_reason": "stop", "delta": {"content": ""}}]},
]


@pytest.mark.parametrize("method", METHODS)
def test_a_refusal_is_an_error_over_http(method: Any, wire: Wire) -> None:
    plain = RawReply(headers={"content-type": "application/json"}, body=json.dumps(REFUSED[0]).encode())
    events = [f"data: {json.dumps(event)}\n\n".encode() for event in REFUSED[1:]]
    stream = RawReply(headers={"content-type": "text/event-stream"}, body=b"".join([*events, b"data: [DONE]\n\n"]))
    wire.openrouter.script(plain, plain, stream, stream)
    for way in wire.ways(wire.model.with_structured_output(Person, method=method)):
        with pytest.raises(KimiStructuredOutputError, match="I would rather not") as raised:
            way()
        assert (raised.value.cause, raised.value.generation_id) == ("refusal", "gen-1")


def test_a_reply_of_reasoning_alone_is_empty(wire: Wire) -> None:
    for way in wire.ways(wire.model.with_structured_output(Person)):
        wire.openrouter.script(Reply(reasoning="Hm."))
        with pytest.raises(KimiEmptyReplyError, match="only reasoning"):
            way()


def test_an_empty_reply_raises_the_error_of_the_model(wire: Wire) -> None:
    for way in wire.ways(wire.model.with_structured_output(Person)):
        wire.openrouter.script(Reply(text=""))
        with pytest.raises(KimiEmptyReplyError):
            way()


@pytest.mark.parametrize("method", METHODS)
def test_every_way_sends_the_same_request(method: Any, wire: Wire) -> None:
    wire.openrouter.clear()
    for way in wire.ways(wire.model.with_structured_output(Person, method=method)):
        wire.openrouter.script(Reply(text=JSON))
        way()
    bodies = wire.openrouter.bodies
    requests = {json.dumps({key: value for key, value in body.items() if key != "stream"}) for body in bodies}
    by_call = method in (None, "function_calling")
    keys = {"tools", "tool_choice", "parallel_tool_calls"} if by_call else {"response_format", "provider"}
    assert len(bodies) == 4
    assert len({body.replace(', "stream_options": {"include_usage": true}', "") for body in requests}) == 1
    assert set(bodies[0]) == {"model", "messages"} | keys


def test_the_error_of_a_truncated_reply_has_the_partial_text(wire: Wire) -> None:
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


@pytest.mark.parametrize("method", METHODS)
def test_a_streamed_dict_grows_over_http(method: Any, wire: Wire) -> None:
    calls = [ToolCall("Person", ADA)] if method in (None, "function_calling") else []
    wire.openrouter.script(Reply(text=None if calls else JSON, tool_calls=calls))
    values = list(wire.model.with_structured_output(PERSON_SCHEMA, method=method).stream("Who?"))
    assert len(values) > 2
    assert values[-1] == ADA
    assert all(set(earlier) <= set(later) for earlier, later in pairwise(values))


@pytest.mark.parametrize("method", METHODS)
def test_the_raw_reply_comes_with_its_parsing_error_over_http(method: Any, wire: Wire) -> None:
    for way in wire.ways(wire.model.with_structured_output(Person, method=method, include_raw=True)):
        wire.openrouter.script(Reply(text="Who?"))
        result = way()
        assert (result["raw"].text, result["parsed"]) == ("Who?", None)
        assert isinstance(result["parsing_error"], KimiStructuredOutputError)
        assert result["raw"].usage_metadata["total_tokens"] > 0


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_a_schema_with_nulls_is_read_in_every_way(wire: Wire, method: Any) -> None:
    schema = {"title": "Ada", "type": "object", "required": None, "enum": None, "anyOf": None, "$defs": None}
    output = wire.model.with_structured_output(schema, method=method)
    replies = {"function_calling": Reply(tool_calls=[ToolCall("Ada", ADA)]), "json_schema": Reply(text=JSON)}
    wire.openrouter.script(replies[method], times=4)
    assert [way() for way in wire.ways(output)] == [ADA] * 4
