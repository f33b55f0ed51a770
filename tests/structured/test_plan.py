import asyncio
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import BaseModel, Field, RootModel, field_validator, v1

from langchain_kimi._schemas.tools import bind_arguments
from langchain_kimi._structured.plan import structured_output
from langchain_kimi.errors import KimiReplyError, KimiStructuredOutputError, KimiUsageError
from tests.structured.cases import ADA, JSON, PERSON_SCHEMA, Case, Person

CALLED = Case("called", ADA, ADA, calls=(("Person", JSON),))
WRITTEN = Case("written", ADA, ADA, text=JSON)
WORDS = Case("words", "no_call", "bad_json", text="Who?")
METHODS = ["function_calling", "json_schema", "json_mode"]
CALL = {"type": "function", "function": {"name": "Person"}}


class OldPerson(v1.BaseModel):
    name: str
    age: int


class Scripted(BaseChatModel):
    """A model that always gives the same reply and records its parameters; without a reply it fails."""

    reply: Case | None = None
    requests: list[dict[str, Any]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self.bind(**bind_arguments(tools, tool_choice=tool_choice, **kwargs))

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(kwargs).message())])

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        yield from (ChatGenerationChunk(message=chunk) for chunk in self._next(kwargs).chunks(9))

    def _next(self, kwargs: dict[str, Any]) -> Case:
        self.requests.append(kwargs)
        if self.reply is None:
            raise KimiReplyError("The host failed.")
        return self.reply


class Options(BaseCallbackHandler):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.seen.append(kwargs["options"])


def four_ways(runnable: Runnable[Any, Any]) -> Iterator[Callable[[], Any]]:
    """Yield functions that call invoke, stream, ainvoke and astream; a stream gives its last value."""

    async def last() -> Any:
        return [value async for value in runnable.astream("?")][-1]

    yield lambda: runnable.invoke("?")
    yield lambda: asyncio.run(runnable.ainvoke("?"))
    yield lambda: list(runnable.stream("?"))[-1]
    yield lambda: asyncio.run(last())


@pytest.mark.parametrize("schema", [Person, PERSON_SCHEMA])
@pytest.mark.parametrize("method", METHODS)
def test_a_value_is_returned_in_all_four_ways(schema: Any, method: Any) -> None:
    reply = CALLED if method == "function_calling" else WRITTEN
    for way in four_ways(structured_output(Scripted(reply=reply), schema, method=method)):
        assert way() == (Person(**ADA) if schema is Person else ADA)


@pytest.mark.parametrize("schema", [Person, PERSON_SCHEMA])
@pytest.mark.parametrize("method", METHODS)
def test_an_error_is_raised_in_all_four_ways(schema: Any, method: Any) -> None:
    for way in four_ways(structured_output(Scripted(reply=WORDS), schema, method=method)):
        with pytest.raises(KimiStructuredOutputError) as raised:
            way()
        assert raised.value.cause == ("no_call" if method == "function_calling" else "bad_json")
        assert isinstance(raised.value, OutputParserException)
        assert isinstance(raised.value, ValueError)
        assert raised.value.llm_output == "Who?"


def test_a_call_is_forced_by_name() -> None:
    model = Scripted(reply=CALLED)
    structured_output(model, Person, method="function_calling", strict=True, temperature=0).invoke("?")
    [request] = model.requests
    assert set(request) == {"tools", "tool_choice", "parallel_tool_calls", "temperature"}
    assert (request["tool_choice"], request["parallel_tool_calls"], request["temperature"]) == (CALL, False, 0)
    assert [tool["function"]["name"] for tool in request["tools"]] == ["Person"]
    assert request["tools"][0]["function"]["strict"] is True


def test_bound_arguments_can_be_replaced() -> None:
    model = Scripted(reply=CALLED)
    structured_output(model, Person, tool_choice="auto", parallel_tool_calls=True).invoke("?")
    assert (model.requests[0]["tool_choice"], model.requests[0]["parallel_tool_calls"]) == ("auto", True)


@pytest.mark.parametrize("strict", [None, True, False])
def test_a_format_is_sent_with_the_schema(strict: Any) -> None:
    model = Scripted(reply=WRITTEN)
    structured_output(model, Person, method="json_schema", strict=strict).invoke("?")
    [request] = model.requests
    assert set(request) == {"response_format", "provider"}
    json_schema = request["response_format"]["json_schema"]
    assert (json_schema["name"], json_schema["description"]) == ("Person", "A person.")
    assert json_schema.get("strict") is strict
    assert set(json_schema["schema"]["properties"]) == {"name", "age"}


def test_json_mode_is_sent_as_json_object() -> None:
    model = Scripted(reply=WRITTEN)
    structured_output(model, Person, method="json_mode").invoke("?")
    assert model.requests == [
        {"response_format": {"type": "json_object"}, "provider": {"require_parameters": True}},
    ]


def test_json_mode_without_a_schema_gives_any_object() -> None:
    anything = Scripted(reply=Case("anything", None, None, text='{"what": ["ever"]}'))
    for way in four_ways(structured_output(anything, None, method="json_mode")):
        assert way() == {"what": ["ever"]}


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_other_tools_may_be_offered_with_a_format(method: Any) -> None:
    searched = Case("searched", None, None, calls=(("search", '{"query": "x"}'),))
    model = Scripted(reply=searched)
    search = {"title": "search", "type": "object", "properties": {"query": {"type": "string"}}}
    either = structured_output(model, Person, method=method, tools=[search], tool_choice="auto", include_raw=True)
    result = either.invoke("?")
    assert model.requests[0]["tools"][0]["function"]["name"] == "search"
    assert model.requests[0]["tool_choice"] == "auto"
    assert result["raw"].tool_calls[0]["name"] == "search"
    assert (result["parsed"], result["parsing_error"].cause) == (None, "empty")


@pytest.mark.parametrize(
    ("schema", "arguments", "words"),
    [
        (Person, {"method": "yaml"}, "function_calling, json_schema, json_mode"),
        (None, {"method": "function_calling"}, "needs a schema"),
        (None, {"method": "json_schema"}, "needs a schema"),
        (None, {}, "needs a schema"),
        (Person, {"tools": [PERSON_SCHEMA]}, "excludes other tools"),
        ({"a": 1}, {}, "not a schema"),
    ],
)
def test_a_schema_that_cannot_be_requested_is_refused_at_once(schema: Any, arguments: Any, words: str) -> None:
    with pytest.raises(KimiUsageError, match=words) as raised:
        structured_output(Scripted(), schema, **arguments)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(
    ("arguments", "method"),
    [
        ({}, "function_calling"),
        ({"method": "json_schema"}, "json_schema"),
        ({"method": "json_mode"}, "json_mode"),
    ],
)
@pytest.mark.parametrize("schema", [Person, PERSON_SCHEMA])
def test_traces_show_the_method_and_the_schema(schema: Any, arguments: Any, method: str) -> None:
    for number in range(4):
        model, options = Scripted(reply=CALLED), Options()
        runnable = structured_output(model, schema, strict=False, **arguments).with_config(callbacks=[options])
        list(four_ways(runnable))[number]()
        assert [seen["ls_structured_output_format"] for seen in options.seen] == [
            {"kwargs": {"method": method, "strict": False}, "schema": convert_to_json_schema(schema)}
        ]
        assert "ls_structured_output_format" not in model.requests[0]


@pytest.mark.parametrize("method", METHODS)
def test_the_raw_reply_and_its_value(method: Any) -> None:
    reply = CALLED if method == "function_calling" else WRITTEN
    runnable = structured_output(Scripted(reply=reply), Person, method=method, include_raw=True)
    for way in four_ways(runnable):
        result = way()
        assert set(result) == {"raw", "parsed", "parsing_error"}
        assert result["parsed"] == Person(**ADA)
        assert result["parsing_error"] is None
        assert isinstance(result["raw"], AIMessage)
        assert result["raw"].tool_calls or result["raw"].text == JSON


@pytest.mark.parametrize("method", METHODS)
def test_the_raw_reply_and_its_parsing_error(method: Any) -> None:
    for way in four_ways(structured_output(Scripted(reply=WORDS), Person, method=method, include_raw=True)):
        result = way()
        assert set(result) == {"raw", "parsed", "parsing_error"}
        assert result["raw"].text == "Who?"
        assert result["parsed"] is None
        assert isinstance(result["parsing_error"], KimiStructuredOutputError)


@pytest.mark.parametrize("include_raw", [True, False])
def test_an_error_of_the_model_is_raised_unchanged(*, include_raw: bool) -> None:
    for way in four_ways(structured_output(Scripted(), Person, include_raw=include_raw)):
        with pytest.raises(KimiReplyError, match="The host failed"):
            way()


def test_a_failed_parser_shows_in_traces() -> None:
    collector = RunCollectorCallbackHandler()
    structured_output(Scripted(reply=WORDS), Person, include_raw=True).invoke("?", {"callbacks": [collector]})
    runs, [root] = [], collector.traced_runs
    todo = [root]
    while todo:
        runs.append(todo.pop())
        todo += runs[-1].child_runs
    [parser] = [run for run in runs if run.run_type == "parser"]
    assert parser.name == "StructuredOutputParser"
    assert "instead of calling Person" in (parser.error or "")


def test_a_list_is_requested_inside_an_object_and_unwrapped() -> None:
    class People(RootModel[list[Person]]):
        pass

    called = Case("called", None, None, calls=(("People", f'{{"root": [{JSON}]}}'),))
    written = Case("written", None, None, text=f"[{JSON}]")
    for reply, method in ((called, "function_calling"), (written, "json_schema")):
        assert structured_output(Scripted(reply=reply), People, method=method).invoke("?") == People([Person(**ADA)])  # type: ignore[arg-type]  # a loop's variable is a str


def test_fallbacks_and_batches_work_as_with_any_runnable() -> None:
    good = structured_output(Scripted(reply=CALLED), Person)
    bad = structured_output(Scripted(reply=WORDS), Person)
    assert bad.with_fallbacks([good]).invoke("?") == Person(**ADA)
    assert good.batch(["?", "!"]) == [Person(**ADA)] * 2
    assert [type(error) for error in bad.batch(["?"], return_exceptions=True)] == [KimiStructuredOutputError]
    assert (good | (lambda person: person.age)).invoke("?") == 36


@pytest.mark.parametrize("include_raw", [True, False])
def test_the_runnable_pickles(*, include_raw: bool) -> None:
    runnable = structured_output(Scripted(reply=CALLED), Person, include_raw=include_raw)
    again = pickle.loads(pickle.dumps(runnable))  # noqa: S301 - bytes of its own
    result = again.invoke("?")
    assert (result["parsed"] if include_raw else result) == Person(**ADA)


def test_a_streamed_dict_grows_and_ends_like_the_invoked_one() -> None:
    for method, reply in (("function_calling", CALLED), ("json_schema", WRITTEN)):
        runnable = structured_output(Scripted(reply=reply), PERSON_SCHEMA, method=method)  # type: ignore[arg-type]  # a loop's variable is a str
        values = list(runnable.stream("?"))
        assert values == [{}, {"name": "Ada"}, ADA]
        assert values[-1] == runnable.invoke("?")


@pytest.mark.parametrize("schema", [Person, OldPerson])
def test_partial_streams_yield_growing_objects_of_the_class(schema: Any) -> None:
    for method, reply in (("function_calling", CALLED), ("json_schema", WRITTEN)):
        called = Case("called", None, None, reply.text, tuple((schema.__name__, args) for _, args in reply.calls))
        runnable = structured_output(Scripted(reply=called), schema, method=method, partial=True)  # type: ignore[arg-type]  # a loop's variable is a str
        values = list(runnable.stream("?"))
        assert [type(value) for value in values] == [schema] * len(values)
        assert [vars(value) for value in values[:2]] == [{}, {"name": "Ada"}]
        assert values[-1] == runnable.invoke("?") == schema(**ADA)


def test_growing_lists_of_a_class_are_lists() -> None:
    class People(RootModel[list[Person]]):
        pass

    written = Case("written", None, None, text=f"[{JSON}]")
    values = list(structured_output(Scripted(reply=written), People, method="json_schema", partial=True).stream("?"))
    assert values[0] == [{}]
    assert values[-1] == People([Person(**ADA)])


def test_an_error_of_a_validator_is_the_parsing_error() -> None:
    class Picky(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def check(cls, name: str) -> str:
            raise RuntimeError(name)

    reply = Case("written", None, None, text='{"name": "Ada"}')
    runnable = structured_output(Scripted(reply=reply), Picky, method="json_schema", include_raw=True)
    for way in four_ways(runnable):
        assert isinstance(way()["parsing_error"], RuntimeError)


def test_truncated_arguments_of_a_langchain_chunk_are_not_completed() -> None:
    half = AIMessageChunk(
        content="",
        tool_call_chunks=[{"name": "Person", "args": '{"name": "Ada", "age": 3', "id": "1", "index": 0}],
        chunk_position="last",
    )
    assert half.tool_calls[0]["args"] == {"name": "Ada", "age": 3}
    parser: Any = structured_output(Scripted(), Person).last  # type: ignore[attr-defined]  # of a sequence
    with pytest.raises(KimiStructuredOutputError) as raised:
        parser.invoke(half)
    assert (raised.value.cause, raised.value.text) == ("bad_json", '{"name": "Ada", "age": 3')
