"""The strange replies of `structured_odd_cases`: each a value or a typed error, for every kind of schema and method."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Generic, TypedDict, TypeVar

import pytest
from langchain_core.exceptions import ModelError, OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import Runnable
from pydantic import BaseModel, RootModel, v1

from langchain_kimi import ChatKimi
from langchain_kimi._messages.structured_parsing import StructuredOutputParser
from langchain_kimi._messages.structured_schema import output_schema
from langchain_kimi.errors import KimiStructuredOutputError
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.conftest import KEY
from tests.messages.structured_cases import ADA, JSON, PERSON_SCHEMA, Case, Colour, Person
from tests.messages.structured_odd_cases import EVA, ODD, ODD_TYPED

T = TypeVar("T")
CASES = [*ODD, *ODD_TYPED]
METHODS = (None, "function_calling", "json_schema", "json_mode")


class OldPerson(v1.BaseModel):
    class Config:
        title = "Person"

    name: str
    age: int


OldPerson.__name__ = "Person"
PersonDict = TypedDict("PersonDict", {"name": str, "age": int})  # noqa: UP013 - its name is another's
PersonDict.__name__ = "Person"
FUNCTION = {"name": "Person", "description": "A person.", "parameters": Person.model_json_schema()}
KINDS: dict[str, Any] = {
    "pydantic": Person,
    "old": OldPerson,
    "typed dict": PersonDict,
    "schema": PERSON_SCHEMA,
    "function": FUNCTION,
}


def expected(case: Case, kind: str, *, by_call: bool) -> Any:
    if kind == "old" and case.old is not None:
        return case.old
    return case.expected(by_call=by_call, pydantic=kind in ("pydantic", "old"))


def worth(value: Any, kind: str) -> Any:
    """What a value is worth, once it is seen to be of the kind that was asked for."""
    if kind not in ("pydantic", "old"):
        return value
    assert type(value) is KINDS[kind]
    return value.model_dump() if isinstance(value, BaseModel) else value.dict()


def seen(error: KimiStructuredOutputError) -> str:
    """The cause of an error, once it is seen to tell all that it has to."""
    assert isinstance(error, OutputParserException)
    assert isinstance(error, ModelError)
    assert isinstance(error.partial, AIMessage)
    assert error.llm_output == error.text
    assert error.cause != "bad_json" or error.position is not None
    assert bool(error.validation_errors) <= (error.cause in ("invalid", "no_call"))
    assert error.cause != "invalid" or error.validation_errors
    assert error.advice
    return error.cause


def outcome(take: Callable[[], Any], kind: str) -> Any:
    try:
        value = take()
    except KimiStructuredOutputError as error:
        return seen(error)
    return worth(value, kind)


def last(values: Iterator[Any]) -> Any:
    return [*values][-1]


@pytest.mark.parametrize("by_call", [True, False], ids=["call", "text"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_reply_for_every_kind_of_schema(case: Case, kind: str, *, by_call: bool) -> None:
    target = output_schema(KINDS[kind])
    parser = StructuredOutputParser(target=target, by_call=by_call, grows=target.model is None)
    due = expected(case, kind, by_call=by_call)
    assert outcome(lambda: parser.invoke(case.message()), kind) == due
    for size in (1 + len(case.text) // 100, 1000):
        assert outcome(lambda: last(parser.transform(iter(case.chunks(size)))), kind) == due  # noqa: B023 - called at once


@dataclass
class Wire:
    """A loopback OpenRouter, a model of it, and one event loop for all that is awaited."""

    openrouter: Emulator
    model: ChatKimi
    runner: asyncio.Runner

    def ways(self, runnable: Runnable[Any, Any]) -> Iterator[Callable[[], Any]]:
        """Invoke, ainvoke, and the last value of stream and of astream."""

        async def streamed() -> Any:
            return [value async for value in runnable.astream("Who?")][-1]

        yield lambda: runnable.invoke("Who?")
        yield lambda: last(runnable.stream("Who?"))
        yield lambda: self.runner.run(runnable.ainvoke("Who?"))
        yield lambda: self.runner.run(streamed())


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with Emulator() as openrouter, asyncio.Runner() as runner:
        model = ChatKimi(openrouter_api_key=KEY, openrouter_api_base=openrouter.base_url, max_retries=0)
        yield Wire(openrouter, model, runner)
        model.close()
        runner.run(model.aclose())


def reply_of(case: Case) -> Reply:
    return Reply(text=case.text or None, tool_calls=[ToolCall(name, arguments) for name, arguments in case.calls])


def raised(result: dict[str, Any]) -> Any:
    """What `include_raw` gives, as if it were not there."""
    assert set(result) == {"raw", "parsed", "parsing_error"}
    assert isinstance(result["raw"], AIMessage)
    assert (result["parsed"] is None) != (result["parsing_error"] is None)
    if result["parsing_error"] is not None:
        assert result["parsing_error"].partial.usage_metadata == result["raw"].usage_metadata
        raise result["parsing_error"]
    return result["parsed"]


# Cut at some places they have all been read above.
ON_THE_WIRE = [case for case in CASES if "cut after" not in case.name]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", ON_THE_WIRE, ids=lambda case: case.name)
def test_every_reply_over_the_wire_by_every_method(case: Case, method: Any, wire: Wire) -> None:
    by_call = method in (None, "function_calling")
    # All kinds come by in turn; each case meets several, and each kind many cases.
    position = CASES.index(case) + METHODS.index(method)
    kind, include_raw = list(KINDS)[position % len(KINDS)], position % 2 == 0
    due = expected(case, kind, by_call=by_call)
    for way in wire.ways(wire.model.with_structured_output(KINDS[kind], method=method, include_raw=include_raw)):
        wire.openrouter.script(reply_of(case))
        assert outcome(lambda: raised(way()) if include_raw else way(), kind) == due  # noqa: B023 - called at once


def markup(arguments: str, name: str = "Person") -> str:
    """A call as Kimi writes it, which some hosts let through."""
    call = f"<|tool_call_begin|>functions.{name}:0<|tool_call_argument_begin|>{arguments}<|tool_call_end|>"
    return f"<|tool_calls_section_begin|>{call}<|tool_calls_section_end|>"


CUT = markup(JSON).partition("36")[0]
LEAKS = {
    "whole": (Reply(text=markup(JSON)), ADA),
    "after words": (Reply(text=f"I will call. {markup(JSON)}"), ADA),
    "of something else": (Reply(text=markup(JSON, "search")), KimiStructuredOutputError),
    "unfit": (Reply(text=markup('{"name": "Ada"}')), KimiStructuredOutputError),
    "cut": (Reply(text=CUT, finish_reason="stop"), KimiStructuredOutputError),
    "cut by the limit": (Reply(text=CUT, finish_reason="length"), KimiStructuredOutputError),
    "cut in a marker": (Reply(text=markup(JSON)[:-80], finish_reason="length"), KimiStructuredOutputError),
}


@pytest.mark.parametrize("method", METHODS)
def test_a_dict_grows_over_leaked_markup(method: Any, wire: Wire) -> None:
    runnable = wire.model.with_structured_output(PERSON_SCHEMA, method=method)
    wire.openrouter.script(Reply(text=markup(JSON)))
    values = list(runnable.stream("Who?"))
    assert values[-1] == ADA
    assert all(set(earlier) <= set(later) for earlier, later in pairwise(values))
    assert len(values) > 2


@pytest.mark.parametrize(("finish_reason", "cause"), [("stop", "bad_json"), ("length", "length")])
def test_what_grew_over_markup_that_was_cut_is_no_value(finish_reason: str, cause: str, wire: Wire) -> None:
    wire.openrouter.script(Reply(text=CUT, finish_reason=finish_reason))
    values: list[Any] = []
    stream = wire.model.with_structured_output(PERSON_SCHEMA).stream("Who?")
    with pytest.raises(KimiStructuredOutputError) as cut:
        values.extend(stream)
    assert values[-1].items() <= ADA.items()
    assert isinstance(cut.value.partial, AIMessage)
    assert (cut.value.partial.tool_calls, cut.value.cause) == ([], cause)


def test_a_leaked_call_of_an_agent_s_tool_comes_whole(wire: Wire) -> None:
    wire.openrouter.script(Reply(text=markup(JSON)))
    chunks = list(wire.model.bind_tools([Person]).stream("Who?"))
    pieces = [piece for chunk in chunks if isinstance(chunk, AIMessageChunk) for piece in chunk.tool_call_chunks]
    assert [piece["args"] for piece in pieces] == [JSON]


def test_nothing_grows_over_the_markup_of_another_s_call(wire: Wire) -> None:
    wire.openrouter.script(Reply(text=markup(JSON, "search")))
    with pytest.raises(KimiStructuredOutputError) as raised_error:
        assert next(wire.model.with_structured_output(PERSON_SCHEMA, method="json_schema").stream("Who?")) is None
    assert raised_error.value.cause == "empty"


OTHERS = {
    "another call in the thoughts": (Reply(reasoning=markup(JSON, "search")), KimiStructuredOutputError),
    "a value in the thoughts only": (Reply(reasoning=JSON), KimiStructuredOutputError),
    "another value in the thoughts": (Reply(reasoning=EVA, text=JSON), ADA),
    "a value in the thoughts, words in the text": (Reply(reasoning=JSON, text="Done."), KimiStructuredOutputError),
}


def value_or_error(take: Callable[[], Any]) -> Any:
    try:
        return take()
    except KimiStructuredOutputError as error:
        seen(error)
        return KimiStructuredOutputError


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", [*LEAKS, *OTHERS])
def test_what_leaks_and_what_is_thought(name: str, method: Any, wire: Wire) -> None:
    reply, due = {**LEAKS, **OTHERS}[name]
    for schema in (Person, PERSON_SCHEMA):
        for way in wire.ways(wire.model.with_structured_output(schema, method=method)):
            wire.openrouter.script(reply)
            value = value_or_error(way)
            assert (value.model_dump() if isinstance(value, Person) else value) == due


@pytest.mark.parametrize(("method", "due"), [(None, ADA), ("json_schema", KimiStructuredOutputError)])
def test_a_call_in_the_thoughts_counts_where_one_was_asked_for(method: Any, due: Any, wire: Wire) -> None:
    for way in wire.ways(wire.model.with_structured_output(PERSON_SCHEMA, method=method)):
        wire.openrouter.script(Reply(reasoning=f"I will call. {markup(JSON)}"))
        assert value_or_error(way) == due


class People(RootModel[list[Person]]):
    pass


class Wish(RootModel[Person | None]):
    pass


class Box(BaseModel, Generic[T]):
    content: T


Adas = Box[list[Person]]
ERROR = KimiStructuredOutputError
ARRAY = {"title": "Array", "type": "array", "items": {"type": "string"}}
WORD = {"title": "Word", "enum": ["red", "blue"]}
OTHER_KINDS: list[tuple[Any, str, Any]] = [
    (People, f"[{JSON}]", [ADA]),
    (People, f'{{"root": [{JSON}]}}', [ADA]),
    (People, f"They are [{JSON}].", [ADA]),
    (People, "[]", []),
    *[(People, text, ERROR) for text in ("null", "{}", '""', "none", JSON)],
    *[(People, text, ERROR) for text in (f"[{JSON}", f"[{JSON}] [{EVA}]", f"[[{JSON}]]")],
    (Wish, JSON, ADA),
    (Wish, '{"root": null}', None),
    *[(Wish, text, ERROR) for text in ("[]", "{}", "nobody", '{"name": "Ada", "age"')],
    (RootModel[Colour], '"red"', "red"),
    (RootModel[Colour], '{"root": "red"}', "red"),
    *[(RootModel[Colour], text, ERROR) for text in ('"green"', "red", "null", "[]", '"red" or "blue"', '"re')],
    (Adas, f'{{"content": [{JSON}]}}', {"content": [ADA]}),
    *[(Adas, text, ERROR) for text in (JSON, f"[{JSON}]", '{"content": null}', f'{{"content": [{JSON}')],
    (ARRAY, '["a"]', ["a"]),
    (ARRAY, '{"root": ["a"]}', ["a"]),
    *[(ARRAY, text, ERROR) for text in ("null", "{}", '"a"', '["a"', "a", '["a"] ["b"]')],
    (WORD, '"red"', "red"),
    *[(WORD, text, ERROR) for text in ("null", '"green"', "red", '["red"]', "{}")],
]  # fmt: skip


@pytest.mark.parametrize("by_call", [True, False], ids=["call", "text"])
@pytest.mark.parametrize(("schema", "text", "due"), OTHER_KINDS)
def test_values_that_are_no_persons(schema: Any, text: str, due: Any, *, by_call: bool) -> None:
    target = output_schema(schema)
    parser = StructuredOutputParser(target=target, by_call=by_call, grows=target.model is None)
    case = Case("other", due, due, "" if by_call else text, ((target.name, text),) if by_call else ())
    ways: list[Callable[[], Any]] = [
        lambda: parser.invoke(case.message()),
        lambda: last(parser.transform(iter(case.chunks(3)))),
    ]
    for way in ways:
        value = value_or_error(way)
        assert (value.model_dump(mode="json") if isinstance(value, BaseModel) else value) == due


def test_a_refusal_beside_the_value_is_a_refusal() -> None:
    message = AIMessage(JSON, additional_kwargs={"refusal": "I would rather not."})
    for schema in KINDS.values():
        parser = StructuredOutputParser(target=output_schema(schema), by_call=False, grows=False)
        with pytest.raises(KimiStructuredOutputError) as refused:
            parser.invoke(message)
        assert (refused.value.cause, refused.value.text) == ("refusal", "I would rather not.")
