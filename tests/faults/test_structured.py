"""Tests structured output with faulty answers: a value or a typed error in all four ways, never None."""

from typing import Any

import pytest
from pydantic import BaseModel

from langchain_kimi.errors import KimiError, KimiStructuredOutputError
from langchain_kimi.testing import Emulator, Fault, Reply, ToolCall, faults
from tests.faults.ways import WAYS, ask, model_of
from tests.rows import each_row

JSON = '{"name": "Ada", "age": 36}'
CALL = Reply(tool_calls=[ToolCall("Person", JSON)])
LEAKED = {
    "in the text": faults.leaked_markup(),
    "in the text, without a section": faults.leaked_markup(section=False),
    "in the text, the other spelling": faults.leaked_markup(singular=True),
    "in the text, never closed": faults.leaked_markup(ended=False),
}
NONE: dict[str, Reply | Fault] = {
    "text": Reply(text="I do not know."),
    "refusal": Reply(text="I can't help with that.", finish_reason="content_filter"),
    "nothing": faults.empty_answer(),
    "bad JSON": Reply(text='{"name": "Ada", "age": }'),
    "half of it": Reply(text=JSON[:15], finish_reason="length"),
    "half a call": faults.tool_arguments_cut().on(CALL),
    "markup of another call": faults.leaked_markup().on(Reply(tool_calls=[ToolCall("search", {"q": "Ada"})])),
}
METHODS = (None, "function_calling", "json_schema", "json_mode")


class Person(BaseModel):
    """A person."""

    name: str
    age: int


def value_of(shown: list[Any]) -> Any:
    """Return the last value, because a stream yields growing values."""
    return shown[-1] if shown else None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
@each_row("leak", LEAKED)
def test_leaked_markup_becomes_a_call(openrouter: Emulator, leak: str, method: Any, way: str) -> None:
    openrouter.clear()
    openrouter.script(LEAKED[leak].on(CALL))
    with model_of(openrouter, max_retries=0) as model:
        outcome = ask(model.with_structured_output(Person, method=method), way)
    assert outcome.error is None
    assert value_of(outcome.shown) == Person(name="Ada", age=36)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
@each_row("what", NONE)
def test_a_reply_without_a_value_is_a_typed_error(openrouter: Emulator, what: str, method: Any, way: str) -> None:
    openrouter.clear()
    openrouter.script(NONE[what])
    with model_of(openrouter, max_retries=0) as model:
        error = ask(model.with_structured_output(Person, method=method), way).error
    assert isinstance(error, KimiError)
    assert isinstance(error, KimiStructuredOutputError) or what == "nothing"
    assert error.advice


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_json_in_a_code_block_is_read(openrouter: Emulator, method: Any, way: str) -> None:
    openrouter.script(Reply(text=f"Here:\n```json\n{JSON}\n```\n"))
    with model_of(openrouter, max_retries=0) as model:
        outcome = ask(model.with_structured_output(Person, method=method), way)
    assert outcome.error is None
    assert value_of(outcome.shown) == Person(name="Ada", age=36)
