import re
from typing import Any

import pytest

from langchain_kimi._openrouter.parameters.merging import RequestParameters, checked, wire_parameters
from langchain_kimi.errors import KimiUsageError

REFUSED: list[tuple[str, Any, str]] = [
    ("stop", ["a"] * 5, "must be a string, or a list of at most 4 strings, got a list of 5"),
    ("stop", [1], "must be a string, or a list of at most 4 strings, got 1 in it"),
    ("stop", 1, "must be a string, or a list of at most 4 strings, got 1"),
    ("logit_bias", [1], "to numbers from -100 to 100, got a list of 1"),
    ("logit_bias", {"cat": 1}, "to numbers from -100 to 100, got 'cat' in it"),
    ("logit_bias", {True: 1}, "to numbers from -100 to 100, got True in it"),
    ("logit_bias", {-1: 1}, "to numbers from -100 to 100, got -1 in it"),
    ("logit_bias", {1: 101}, "to numbers from -100 to 100, got 101"),
    ("request_metadata", "x", "must be a dict of at most 16 pairs of strings"),
    ("request_metadata", {str(i): "" for i in range(17)}, "at most 512, got a dict of 17"),
    ("request_metadata", {"k" * 65: ""}, "got a string of 65 characters in it"),
    ("request_metadata", {"k": "v" * 513}, "got a string of 513 characters in it"),
    ("request_metadata", {"k": None}, "got None in it"),
    ("response_format", "json", "is one of text, json_object, json_schema, grammar, python, got"),
    ("response_format", {}, "type must be one of text, json_object, json_schema"),
    ("response_format", {"type": "json_scheme"}, "did you mean 'json_schema'?"),
    ("response_format", {"type": "json_schema"}, "json_schema must be a dict"),
    ("response_format", {"type": "grammar"}, "grammar must be a string, got None"),
    (
        "tool_choice",
        True,
        "must be none, auto, required, or a dict with a string under 'type', got True",
    ),
    ("tool_choice", {}, "or a dict with a string under 'type', got a dict of 0"),
]


@pytest.mark.parametrize(("name", "value", "message"), REFUSED)
def test_an_undocumented_shape_is_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(KimiUsageError, match=rf"{name}: .*{re.escape(message)}"):
        checked({name: value})
    with pytest.raises(ValueError, match=re.escape(message)):
        RequestParameters.model_validate({name: value})


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({}, "json_schema.name must be 1 to 64 of the characters A-Z a-z 0-9 _ -, got None"),
        ({"name": "a b"}, "json_schema.name must be 1 to 64 of the characters"),
        ({"name": "n" * 65}, "json_schema.name must be 1 to 64 of the characters"),
        ({"name": "n", "schema": []}, "json_schema.schema must be a dict, got a list of 0"),
        ({"name": "n", "strict": 1}, "json_schema.strict must be true or false, got 1"),
    ],
)
def test_a_json_schema_needs_a_name_and_the_right_types(schema: dict[str, Any], message: str) -> None:
    with pytest.raises(KimiUsageError, match=re.escape(message)):
        checked({"response_format": {"type": "json_schema", "json_schema": schema}})


@pytest.mark.parametrize(
    "response_format",
    [
        {"type": "text"},
        {"type": "json_object"},
        {"type": "python"},
        {"type": "grammar", "grammar": 'root ::= "yes" | "no"'},
        {"type": "json_schema", "json_schema": {"name": "n", "strict": None}},
        {"type": "regex", "regex": "a+"},
    ],
)
def test_response_formats_are_sent_unchanged(response_format: dict[str, Any]) -> None:
    assert checked({"response_format": response_format}) == {"response_format": response_format}


def test_one_error_lists_all_problems_of_a_call() -> None:
    with pytest.raises(KimiUsageError) as caught:
        checked({"temperature": 3, "plugins": [{"id": "web"}, {"id": "web", "max_uses": 0}], "top_p": 2, "seed": 1})
    assert str(caught.value) == (
        "Nothing was sent. plugins[1].max_uses: must be an integer of at least 1, got 0; "
        "temperature: must be a number from 0 to 2, got 3; top_p: must be a number above 0 and up to 1, got 2"
    )


def test_token_ids_become_strings() -> None:
    assert checked({"logit_bias": {17: 1, "18": -1}}) == {"logit_bias": {"17": 1, "18": -1}}


@pytest.mark.parametrize("stop", ["END", ["END"], ["a", "b", "c", "d"]])
def test_stops_are_sent_unchanged(stop: object) -> None:
    assert checked({"stop": stop}) == {"stop": stop}


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "openrouter:web_search"}])
def test_tool_choices_are_sent_unchanged(choice: object) -> None:
    assert checked({"tool_choice": choice}) == {"tool_choice": choice}


def test_the_callers_dicts_are_copied() -> None:
    tags = {"team": "a"}
    settings = RequestParameters(request_metadata=tags)
    tags["team"] = "b"
    assert wire_parameters(settings) == {"metadata": {"team": "a"}}


def test_empty_values_are_not_sent() -> None:
    assert checked({"stop": "", "tool_choice": ""}) == {"tool_choice": None, "stop": None}
    assert checked({"stop": []}) == {"stop": None}
    bare = RequestParameters(stop=None, logit_bias=None, request_metadata=None, tool_choice=None, response_format=None)
    assert wire_parameters(bare) == {}
