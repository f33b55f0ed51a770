"""The kinds of schemas by which a person can be asked for, and what a value or an error is worth."""

from collections.abc import Callable
from typing import Any, TypedDict

from langchain_core.exceptions import ModelError, OutputParserException
from langchain_core.messages import AIMessage
from pydantic import BaseModel, v1

from langchain_kimi.errors import KimiStructuredOutputError
from tests.structured.cases import PERSON_SCHEMA, Case, Person


class OldPerson(v1.BaseModel):
    class Config:
        title = "Person"

    name: str
    age: int


OldPerson.__name__ = "Person"
PersonDict = TypedDict("PersonDict", {"name": str, "age": int})  # noqa: UP013 - its name is another's
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
    """What a reply is worth for a kind of schema."""
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
    assert error.is_retryable == (error.cause in RETRYABLE)
    return error.cause


def outcome(take: Callable[[], Any], kind: str) -> Any:
    """What a value of a kind is worth, or the cause of the error."""
    try:
        value = take()
    except KimiStructuredOutputError as error:
        return seen(error)
    return worth(value, kind)


def value_or_error(take: Callable[[], Any]) -> Any:
    """The value, or the class of the error."""
    try:
        return take()
    except KimiStructuredOutputError as error:
        seen(error)
        return KimiStructuredOutputError
