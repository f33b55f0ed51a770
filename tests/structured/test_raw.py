import sys
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_kimi._schemas.output import output_schema
from langchain_kimi._structured.parser import RawAndParsed, StructuredOutputParser
from tests.structured.cases import ADA, CASES, ONE_PER_OUTCOME, Case, Person

PARSER = StructuredOutputParser(target=output_schema(Person), by_call=True, grows=False)
READER = RawAndParsed(parser=PARSER)


def steps(chunks: list[AIMessageChunk]) -> int:
    """Count the calls of Python functions that reading a stream takes."""
    count = 0

    def counted(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    messages: Iterator[AIMessage] = iter(chunks)
    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        list(READER.transform(messages))
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("case", ONE_PER_OUTCOME, ids=lambda case: case.name)
def test_a_streamed_reply_gives_the_same_result_as_a_whole_one(case: Case) -> None:
    plain = READER.invoke(case.message())
    [streamed] = READER.transform(iter(case.chunks(5)))
    assert streamed["parsed"] == plain["parsed"]
    assert type(streamed["parsing_error"]) is type(plain["parsing_error"])
    assert (streamed["raw"].text, streamed["raw"].tool_calls) == (case.text, case.message().tool_calls)


async def test_an_async_stream_gives_the_same_result() -> None:
    async def chunks() -> Any:
        for chunk in case.chunks(5):
            yield chunk

    [case] = [case for case in CASES if case.name == "a call"]
    [result] = [result async for result in READER.atransform(chunks())]
    assert (result["parsed"], result["parsing_error"]) == (Person(**ADA), None)


@pytest.mark.uncovered
def test_the_work_grows_with_the_length_of_the_reply() -> None:
    long = Case("long", None, None, calls=(("Person", '{"name": "' + "x" * 4000 + '", "age": 1}'),))
    longer = Case("longer", None, None, calls=(("Person", '{"name": "' + "x" * 16000 + '", "age": 1}'),))
    assert steps(longer.chunks(10)) < 5 * steps(long.chunks(10))
