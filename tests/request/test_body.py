import json
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_kimi._request.body import body_bytes, request_body
from langchain_kimi.errors import KimiUsageError

HELLO = [HumanMessage("hi")]
MESSAGE = {"role": "user", "content": "hi"}


@tool
def forecast(city: str) -> str:
    """Tell the weather of tomorrow."""
    return city


class Answer(BaseModel):
    """An answer."""

    text: str


FUNCTION = {
    "type": "function",
    "function": {
        "name": "forecast",
        "description": "Tell the weather of tomorrow.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def body(arguments: Any = None, settings: Any = None, *, streamed: bool = False) -> dict[str, Any]:
    return dict(request_body(HELLO, model="m", settings=settings or {}, given=arguments or {}, streamed=streamed))


def test_a_body_contains_only_what_was_set() -> None:
    assert body() == {"model": "m", "messages": [MESSAGE]}
    assert body(streamed=True) == {"model": "m", "messages": [MESSAGE], "stream": True}


CASES: list[tuple[Any, Any, dict[str, Any]]] = [
    ({"temperature": 0.5}, {}, {"temperature": 0.5}),
    ({}, {"temperature": 0.5}, {"temperature": 0.5}),
    ({"temperature": 0.5}, {"temperature": 0}, {"temperature": 0}),
    ({"temperature": 0.5}, {"temperature": None}, {}),
    ({"stop": ["a"]}, {"stop": None}, {}),
    ({"stop": ["a"]}, {"stop": "b"}, {"stop": "b"}),
    ({}, {"brand_new": {"a": 1}}, {"brand_new": {"a": 1}}),
    ({"brand_new": 1}, {"brand_new": None}, {}),
    ({"max_tokens": 5}, {"max_completion_tokens": 6}, {"max_completion_tokens": 6}),
    ({}, {"parallel_tool_calls": None, "run_manager": object(), "stream": False}, {}),
    ({}, {"ls_structured_output_format": {"a": 1}, "structured_output_format": {}}, {}),
    ({}, {"tools": []}, {}),
    ({}, {"tools": None, "tool_choice": None}, {}),
    ({}, {"tools": [forecast]}, {"tools": [FUNCTION]}),
    ({}, {"tools": [FUNCTION], "tool_choice": "any"}, {"tools": [FUNCTION], "tool_choice": "required"}),
    ({}, {"tools": [FUNCTION], "tool_choice": None}, {"tools": [FUNCTION]}),
    ({}, {"tools": [FUNCTION], "tool_choice": False}, {"tools": [FUNCTION]}),
    (
        {},
        {"tools": [FUNCTION], "tool_choice": "forecast"},
        {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "forecast"}}},
    ),
    (
        {},
        {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "of another request"}}},
        {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "of another request"}}},
    ),
    ({"tools": [FUNCTION]}, {"tool_choice": "none"}, {"tools": [FUNCTION], "tool_choice": "none"}),
    ({}, {"response_format": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}),
]


@pytest.mark.parametrize(("settings", "arguments", "sent"), CASES)
def test_parameters_go_into_the_body(settings: Any, arguments: Any, sent: dict[str, Any]) -> None:
    assert body(arguments, settings) == {"model": "m", "messages": [MESSAGE], **sent}


def test_a_schema_is_a_response_format() -> None:
    sent = body({"response_format": Answer})["response_format"]
    assert sent["type"] == "json_schema"
    assert sent["json_schema"]["name"] == "Answer"


@pytest.mark.parametrize(
    ("arguments", "model"),
    [
        ({"model": "other"}, "other"),
        ({"model_name": "other"}, "other"),
        ({"model": None}, "m"),
        ({"model": "other", "model_name": "another"}, "other"),
    ],
)
def test_the_model_of_the_call_overrides_the_default(arguments: Any, model: str) -> None:
    assert body(arguments) == {"model": model, "messages": [MESSAGE]}


def test_several_answers_cannot_be_streamed() -> None:
    assert body({"n": 2})["n"] == 2
    assert "n" not in body({"n": 1}, {"n": 3}, streamed=True)
    with pytest.raises(KimiUsageError, match="n must be 1"):
        body({}, {"n": 2}, streamed=True)


def test_a_value_outside_its_range_is_refused() -> None:
    with pytest.raises(KimiUsageError, match="temperature: must be a number from 0 to 2, got 3"):
        body({"temperature": 3})


def test_the_same_call_gives_the_same_bytes() -> None:
    one = body_bytes(request_body(HELLO, model="m", settings={"seed": 1, "top_p": 0.5}, given={}, streamed=True))
    other = body_bytes(request_body(HELLO, model="m", settings={"top_p": 0.5}, given={"seed": 1}, streamed=True))
    assert one == other
    assert one == (b'{"model":"m","messages":[{"role":"user","content":"hi"}],"top_p":0.5,"seed":1,"stream":true}')


def test_text_is_sent_as_utf_8() -> None:
    sent = body_bytes(request_body([HumanMessage("é😀")], model="m", settings={}, given={}, streamed=False))
    assert "é😀".encode() in sent
    assert json.loads(sent)["messages"][0]["content"] == "é😀"


def circular() -> dict[str, Any]:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    return loop


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}, circular()])
def test_a_value_that_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises(KimiUsageError, match="cannot be written as JSON"):
        body_bytes(request_body(HELLO, model="m", settings={}, given={"brand_new": value}, streamed=False))
