import asyncio
import json
import pickle
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler

from langchain_kimi._schemas.output import ANY_OBJECT, output_schema
from langchain_kimi._structured.parser import StreamedOutput, StructuredOutputParser
from langchain_kimi.errors import KimiStructuredOutputError
from tests.structured.cases import ADA, JSON, PERSON_SCHEMA, Person, call_piece, pieces

FIELDS = {"title": "Fields", "type": "object", "properties": {}}
LIST = {"title": "Numbers", "type": "array", "items": {"type": "integer"}}


def parser(schema: Any, *, by_call: bool = False) -> StructuredOutputParser:
    return StructuredOutputParser(target=(target := output_schema(schema)), by_call=by_call, grows=target.model is None)


def of_text(*texts: str) -> list[AIMessageChunk]:
    return [AIMessageChunk(content=text) for text in texts]


def of_call(*texts: str, name: str = "Person") -> list[AIMessageChunk]:
    return [call_piece(0, name, ""), *(call_piece(0, None, text) for text in texts)]


async def later(chunks: list[Any]) -> AsyncIterator[Any]:
    for chunk in chunks:
        yield chunk


def streamed(parser: StructuredOutputParser, chunks: list[Any]) -> list[Any]:
    """Return the values of a stream; the async stream must yield the same."""

    async def run() -> list[Any]:
        return [value async for value in parser.atransform(later(chunks))]

    values = list(parser.transform(iter(chunks)))
    assert asyncio.run(run()) == values
    return values


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (['{"na', 'me": "A', 'da", "age', '": 3', "6}"], [{}, {"name": "A"}, {"name": "Ada"}, ADA]),
        (["```json\n", '{"name": "Ada"', ', "age": 36', "}\n``", "`"], [{"name": "Ada"}, ADA]),
        (["Here: ", '{"name": "A', 'da", "age": 36}'], [ADA]),
        ([JSON, "\n", "I hope that helps."], [ADA]),
        (["", JSON, ""], [ADA]),
    ],
)
def test_a_dict_grows(texts: list[str], values: list[Any]) -> None:
    assert streamed(parser(PERSON_SCHEMA), of_text(*texts)) == values


def test_only_markup_of_the_schema_s_call_grows() -> None:
    def markup(name: str) -> list[AIMessageChunk]:
        return of_text(f"<|tool_call_begin|>functions.{name}:0<|tool_call_argument_begin|>", JSON[:9], JSON[9:])

    assert streamed(parser(PERSON_SCHEMA), markup("Person")) == [{}, ADA]
    with pytest.raises(KimiStructuredOutputError, match="the model called search"):
        next(parser(PERSON_SCHEMA).transform(iter(markup("search"))))


def test_a_call_s_arguments_grow() -> None:
    chunks = of_call('{"name": "A', 'da", ', '"age": 3', "6}")
    assert streamed(parser(PERSON_SCHEMA, by_call=True), chunks) == [{"name": "A"}, {"name": "Ada"}, ADA]


def test_the_first_call_of_the_name_grows() -> None:
    chunks = [
        call_piece(0, "search", '{"q": "x"}'),
        call_piece(1, "Person", '{"name": '),
        call_piece(2, "Person", '{"name": "Eva", "age": 1}'),
        call_piece(1, None, '"Ada", "age": 36}'),
        call_piece(1, None, None),
    ]
    assert streamed(parser(PERSON_SCHEMA, by_call=True), chunks) == [{}, ADA]


def test_a_list_is_unwrapped_while_it_grows() -> None:
    numbers = [[1], [1, 2]]
    assert streamed(parser(LIST), of_text("[1, ", "2]")) == numbers
    assert streamed(parser(LIST, by_call=True), of_call('{"ro', 'ot": [1, ', "2]}", name="Numbers")) == numbers


@pytest.mark.parametrize("by_call", [True, False])
def test_a_pydantic_object_is_yielded_once(*, by_call: bool) -> None:
    texts = pieces(JSON, 4)
    chunks = of_call(*texts) if by_call else of_text(*texts)
    assert streamed(parser(Person, by_call=by_call), chunks) == [Person(**ADA)]


@pytest.mark.parametrize("by_call", [True, False])
def test_a_message_that_was_not_streamed_is_read_too(*, by_call: bool) -> None:
    call = {"name": "Person", "args": ADA, "id": "1"}
    message = AIMessage("", tool_calls=[call]) if by_call else AIMessage(JSON)
    assert streamed(parser(PERSON_SCHEMA, by_call=by_call), [message]) == [ADA]


def test_strings_are_read_as_replies() -> None:
    assert streamed(parser(PERSON_SCHEMA), [JSON[:9], JSON[9:]]) == [{}, ADA]
    assert parser(Person).invoke(JSON) == parser(Person).parse(JSON) == Person(**ADA)
    assert parser(Person).invoke(HumanMessage(JSON)) == Person(**ADA)


def test_a_stream_that_fails_at_its_end_raises_there() -> None:
    values: Iterator[Any] = parser(PERSON_SCHEMA).transform(iter(of_text('{"name": "Ad')))
    assert next(values) == {"name": "Ad"}
    with pytest.raises(KimiStructuredOutputError) as raised:
        next(values)
    assert raised.value.cause == "bad_json"
    assert raised.value.text == '{"name": "Ad'
    assert raised.value.partial is not None
    assert raised.value.partial.text == '{"name": "Ad'


def test_a_stream_of_nothing_is_empty() -> None:
    with pytest.raises(KimiStructuredOutputError) as raised:
        list(StreamedOutput(ANY_OBJECT, by_call=False, grows=True).close())
    assert raised.value.cause == "empty"


def test_values_do_not_change_after_they_were_yielded() -> None:
    values = streamed(parser(FIELDS), of_text('{"a": ["x', 'y"', ', "z"]}'))
    assert values == [{"a": ["x"]}, {"a": ["xy"]}, {"a": ["xy", "z"]}]


@pytest.mark.uncovered
@pytest.mark.parametrize("by_call", [True, False])
def test_the_work_grows_with_the_length_of_the_reply(*, by_call: bool) -> None:
    def work(count: int) -> float:
        expected = {f"field {number}": f"value {number}" for number in range(count)}
        texts = pieces(json.dumps(expected), 30)
        output = StreamedOutput(output_schema(FIELDS), by_call=by_call, grows=True)
        values = [value for chunk in (of_call if by_call else of_text)(*texts) for value in output.feed(named(chunk))]
        assert [*values, *output.close()][-1] == expected
        return sum(map(len, values)) / count

    assert work(2000) < 2 * work(500)
    assert work(20) > 5


def named(chunk: AIMessageChunk) -> AIMessageChunk:
    for piece in chunk.tool_call_chunks:
        piece["name"] = piece["name"] and "Fields"
    return chunk


def test_every_piece_of_a_short_reply_yields_a_value() -> None:
    text = json.dumps({"story": "word " * 500})
    values = streamed(parser(FIELDS), of_text(*pieces(text, 5)))
    assert len(values) == 502


def test_the_input_of_the_parser_is_traced_as_text() -> None:
    collector = RunCollectorCallbackHandler()
    list(parser(PERSON_SCHEMA, by_call=True).transform(iter(of_call(*pieces(JSON, 5))), {"callbacks": [collector]}))
    [run] = collector.traced_runs
    assert (run.run_type, run.name) == ("parser", "StructuredOutputParser")
    assert run.inputs == {"input": JSON}
    assert run.outputs == ADA


def test_a_partial_result_is_a_value_or_none() -> None:
    def partial(schema: Any, text: str) -> Any:
        return parser(schema).parse_result([Generation(text=text)], partial=True)

    assert partial(PERSON_SCHEMA, '{"name": "A') == {"name": "A"}
    assert partial(PERSON_SCHEMA, "Here: ") is None
    assert partial(Person, JSON) is None


async def test_the_async_parser_reads_in_the_same_thread() -> None:
    assert await parser(Person).ainvoke(AIMessage(JSON)) == Person(**ADA)
    assert await parser(Person).aparse_result([ChatGeneration(message=AIMessage(JSON))]) == Person(**ADA)


def test_the_parser_declares_its_output_type() -> None:
    assert parser(Person).OutputType is Person
    assert parser(PERSON_SCHEMA).OutputType == dict[str, Any]
    assert parser(Person).get_output_jsonschema()["title"] == "Person"
    assert parser(Person)._type == "kimi_structured_output"


def test_the_parser_pickles() -> None:
    again = pickle.loads(pickle.dumps(parser(Person)))  # noqa: S301 - bytes of its own
    assert again.invoke(JSON) == Person(**ADA)


async def test_closing_the_stream_closes_the_model_s_stream() -> None:
    closed: list[str] = []
    hung_up = asyncio.Event()

    async def chunks() -> AsyncIterator[AIMessageChunk]:
        try:
            for chunk in of_text(*pieces(JSON, 5)):
                yield chunk
        finally:
            closed.append("async")
            hung_up.set()

    def sync_chunks() -> Iterator[AIMessageChunk]:
        try:
            yield from of_text(*pieces(JSON, 5))
        finally:
            closed.append("sync")

    values = parser(PERSON_SCHEMA).atransform(chunks())
    assert await anext(values) == {}
    await values.aclose()  # type: ignore[attr-defined]  # it is a generator, though declared as an iterator
    await hung_up.wait()
    sync_values = parser(PERSON_SCHEMA).transform(sync_chunks())
    assert next(sync_values) == {}
    sync_values.close()  # type: ignore[attr-defined]  # the same
    assert closed == ["async", "sync"]
