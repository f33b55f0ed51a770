"""The kinds of schemas for a person, and checks of values and errors."""

from collections.abc import Callable
from typing import Any, TypedDict

from langchain_core.exceptions import ModelError, OutputParserException
from langchain_core.messages import AIMessage
from pydantic import BaseModel, v1

from langchain_kimi.errors import KimiEmptyReplyError, KimiStructuredOutputError
from tests.structured.cases import PERSON_SCHEMA, Case, Person


class OldPerson(v1.BaseModel):
    class Config:
        title = "Person"

    name: str
    age: int


OldPerson.__name__ = "Person"
PersonDict = TypedDict("PersonDict", {"name": str, "age": int})  # noqa: UP013 - its name is replaced below
PersonDict.__name__ = "Person"
FUNCTION = {"name": "Person", "description": "A person.", "parameters": Person.model_json_schema()}
RETRYABLE = {"empty", "no_call", "bad_json", "invalid"}
KINDS: dict[str, Any] = {
    "pydantic": Person,
    "old": OldPerson,
    "typed dict": PersonDict,
    "schema": PERSON_SCHEMA,
    "function": FUNCTION,
}


def expected(case: Case, kind: str, *, by_call: bool) -> Any:
    """Return the expected result of a reply for a kind of schema."""
    if kind == "old" and case.old is not None:
        return case.old
    return case.expected(by_call=by_call, pydantic=kind in ("pydantic", "old"))


def as_dict(value: Any, kind: str) -> Any:
    """Return a value as a dict, after checking that it has the requested kind."""
    if kind not in ("pydantic", "old"):
        return value
    assert type(value) is KINDS[kind]
    return value.model_dump() if isinstance(value, BaseModel) else value.dict()


def checked_cause(error: KimiStructuredOutputError) -> str:
    """Return the cause of an error, after checking its attributes."""
    assert isinstance(error, OutputParserException)
    assert isinstance(error, ModelError)
    assert isinstance(error.partial, AIMessage)
    assert error.llm_output == error.text
    assert error.cause != "bad_json" or error.position is not None
    assert bool(error.validation_errors) <= (error.cause in ("invalid", "no_call"))
    assert error.cause != "invalid" or error.validation_errors
    assert error.advice
    assert error.is_retryable == (error.cause in RETRYABLE)
    return error.cause


def outcome(take: Callable[[], Any], kind: str) -> Any:
    """Return the value as a dict, or the cause of the error."""
    try:
        value = take()
    except KimiStructuredOutputError as error:
        return checked_cause(error)
    return as_dict(value, kind)


def value_or_error(take: Callable[[], Any]) -> Any:
    """Return the value, or the class of the error."""
    try:
        return take()
    except KimiStructuredOutputError as error:
        checked_cause(error)
        return KimiStructuredOutputError
    except KimiEmptyReplyError:
        return KimiEmptyReplyError
