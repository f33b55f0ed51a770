"""Dumps of the parts of structured output. Whole chains are in the loading tests."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from langchain_kimi._schemas.output import output_schema
from langchain_kimi._structured.parser import RawAndParsed, StructuredOutputParser
from langchain_kimi._structured.prompting import InstructedModel, RepairingModel
from langchain_kimi._structured.serialization import NAMESPACE

PARTS = (StructuredOutputParser, RawAndParsed, RepairingModel, InstructedModel)


class Trip(BaseModel):
    """A trip."""

    city: str


def parser_of(schema: Any) -> StructuredOutputParser:
    return StructuredOutputParser(target=output_schema(schema), by_call=True, grows=False)


def test_dumps_do_not_name_private_modules() -> None:
    assert {tuple(part.lc_id()[:-1]) for part in PARTS} == {NAMESPACE}
    assert len({part.lc_id()[-1] for part in PARTS}) == len(PARTS)
    assert all(part.is_lc_serializable() for part in PARTS)


def test_a_schema_is_dumped_with_its_fields() -> None:
    parser = parser_of({"title": "trip", "type": "object", "properties": {"city": {"type": "string"}}})
    dumped: Any = parser.to_json()
    assert dumped["type"] == "constructor"
    assert dumped["kwargs"]["target"]["function"]["name"] == "trip"
    assert StructuredOutputParser(**dumped["kwargs"]) == parser


def test_a_class_is_not_dumped() -> None:
    assert parser_of(Trip).to_json()["type"] == "not_implemented"


def test_other_values_are_not_accepted_as_a_schema() -> None:
    with pytest.raises(ValidationError):
        StructuredOutputParser(target="trip", by_call=True, grows=False)
