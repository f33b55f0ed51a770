"""The model in a runnable, and the keys of rows."""

from datetime import date
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, StringPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough
from pydantic import BaseModel

from langchain_kimi import ChatKimi, KimiUsageError
from langchain_kimi.bulk.target import differences, digest_of, target_of


class Order(BaseModel):
    city: str


MODEL = ChatKimi(api_key="k", temperature=0.5)
PROMPT = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")])


def key(runnable: Any, row: Any) -> str:
    target = target_of(runnable)
    return target.key_of(row, digest_of(target.description()))


@pytest.mark.parametrize(
    ("runnable", "schema"),
    [
        (MODEL, None),
        (MODEL.bind(stop=["x"]), None),
        (MODEL.with_retry(), None),
        (MODEL.with_fallbacks([MODEL]), None),
        (MODEL.with_config(tags=["t"]), None),
        (MODEL.with_structured_output(Order), Order),
        (MODEL.with_structured_output(Order, method="json_mode", repair=1), Order),
        (MODEL.with_structured_output(Order, include_raw=True), Order),
        (PROMPT | MODEL | StrOutputParser(), None),
        (PROMPT | MODEL.with_structured_output(Order), Order),
        (RunnablePassthrough.assign(answer=PROMPT | MODEL), None),
        (RunnableParallel(answer=MODEL), None),
    ],
)
def test_the_model_is_found(runnable: Any, schema: Any) -> None:
    target = target_of(runnable)

    assert target.model is MODEL
    assert target.schema is schema


@pytest.mark.parametrize("runnable", [StrOutputParser(), PROMPT, RunnableLambda(str), 5])
def test_a_runnable_without_a_model_is_refused(runnable: Any) -> None:
    with pytest.raises(KimiUsageError, match="no ChatKimi"):
        target_of(runnable)


def test_equal_requests_have_equal_keys() -> None:
    chain = PROMPT | MODEL

    assert key(MODEL, "hi") == key(MODEL, [HumanMessage("hi")]) == key(MODEL, [("human", "hi")])
    assert key(chain, {"question": "hi", "id": 1}) == key(chain, {"question": "hi", "id": 2})


def test_other_requests_have_other_keys() -> None:
    other_prompt = ChatPromptTemplate.from_messages([("system", "Be long."), ("human", "{question}")])
    keys = [
        key(MODEL, "hi"),
        key(MODEL, "ho"),
        key(MODEL.bind(temperature=0.1), "hi"),
        key(MODEL.with_structured_output(Order), "hi"),
        key(PROMPT | MODEL, {"question": "hi"}),
        key(other_prompt | MODEL, {"question": "hi"}),
    ]

    assert len(set(keys)) == len(keys)


def test_behind_a_step_that_is_not_a_prompt_the_row_decides() -> None:
    calls: list[Any] = []

    def ask(row: dict[str, Any]) -> str:
        calls.append(row)
        return str(row)

    chain = RunnableLambda(ask) | MODEL

    assert key(chain, {"a": 1, "b": 2}) == key(chain, {"b": 2, "a": 1})
    assert key(chain, {"a": 1}) != key(chain, {"a": 2})
    assert calls == []


def test_a_prompt_of_one_variable_takes_a_text() -> None:
    chain = ChatPromptTemplate.from_template("Say {word}") | MODEL

    assert key(chain, "hi") == key(chain, {"word": "hi"})


def test_a_row_that_cannot_be_rendered_raises() -> None:
    with pytest.raises(KeyError):
        key(PROMPT | MODEL, {"other": 1})


def test_the_description_is_the_same_in_every_process() -> None:
    description = target_of(RunnableLambda(lambda row: row) | PROMPT | MODEL).description()

    assert " at 0x" not in str(description)
    assert description["request"]["temperature"] == 0.5
    assert "messages" not in description["request"]


def test_differences_name_the_place() -> None:
    old = {"a": {"b": 1, "c": [1]}, "d": "x" * 200}
    new = {"a": {"b": 2, "c": [1]}, "d": "y"}

    first, second = differences(old, new)

    assert first == "a.b: 1 there, 2 now"
    assert second.endswith('..., there, "y" now') or "... there" in second
    assert list(differences(old, old)) == []


def test_differences_in_lists_name_the_place() -> None:
    assert list(differences({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]})) == ["a[1].b: 2 there, 3 now"]
    assert list(differences([1], [1, 2])) == [": [1] there, [1, 2] now"]


NULL: Any = None


@pytest.mark.parametrize(
    ("row", "filled"),
    [
        ({"title": "a", "body": "b"}, None),
        ({"title": "a", "body": NULL, "other": NULL}, {"title": "a", "body": "", "other": NULL}),
        ({"title": "a", "body": float("nan")}, {"title": "a", "body": ""}),
        ({"title": "a"}, None),
        ("a", None),
    ],
)
def test_a_null_in_a_prompt_is_empty_text(row: Any, filled: Any) -> None:
    prompt = ChatPromptTemplate.from_messages([("human", "{title}: {body}")])

    assert target_of(prompt | MODEL).filled(row) == filled
    assert target_of(MODEL).filled(row) is None


def test_lists_and_objects_in_a_prompt_are_json() -> None:
    parts: Any = [
        SystemMessage("Be brief."),
        ("placeholder", "{history}"),
        ("human", [{"type": "text", "text": "{data}"}]),
    ]
    target = target_of(ChatPromptTemplate.from_messages(parts) | MODEL)

    assert target.filled({"history": [("human", "é")], "data": [True, None, "é"], "id": [1]}) == {
        "history": [("human", "é")],
        "data": '[true, null, "é"]',
        "id": [1],
    }
    assert target.filled({"data": {"day": date(2026, 1, 2)}}) == {"data": '{"day": "2026-01-02"}'}
    assert target.filled(["a", 1]) == {"data": '["a", 1]'}
    with pytest.raises(TypeError, match="keys must be"):
        target.filled({"data": {("a", 1): 2}})


class Joined(StringPromptTemplate):
    """A template of a user, which reads a list."""

    def format(self, **kwargs: Any) -> str:
        return ", ".join(kwargs["data"])


@pytest.mark.parametrize(
    "prompt",
    [
        ChatPromptTemplate.from_messages([("human", "{{#data}}{{.}}, {{/data}}")], template_format="mustache"),
        Joined(input_variables=["data"]),
    ],
)
def test_templates_that_read_lists_get_them(prompt: Any) -> None:
    assert target_of(prompt | MODEL).filled({"data": ["a", "b"]}) is None


def test_nulls_are_no_messages() -> None:
    prompt = ChatPromptTemplate.from_messages([("placeholder", "{history}"), ("human", "{text}")])

    assert target_of(prompt | MODEL).filled({"history": NULL, "text": NULL}) == {"history": NULL, "text": ""}


def test_a_row_with_only_nulls_is_refused() -> None:
    with pytest.raises(KimiUsageError, match="null in question, and the prompt has no other columns"):
        target_of(PROMPT | MODEL).filled({"question": NULL, "id": 1})
    with pytest.raises(KimiUsageError, match="null in question"):
        target_of(PROMPT | MODEL).filled(NULL)
