"""The message in errors of every shape that servers send."""

import json
from typing import Any, cast

import pytest

from langchain_kimi._openrouter.error_messages import as_text, message_of, parse_if_json, reason_of, without_tags
from langchain_kimi._openrouter.wire import WireError
from tests.growth import assert_linear

BOOM = "The disk is full"
ERROR = {"error": {"message": BOOM}}


@pytest.mark.parametrize(
    "error",
    [
        BOOM, [BOOM], [{"message": BOOM}], {"message": BOOM}, {"msg": BOOM}, {"Message": BOOM}, {"detail": BOOM},
        {"detail": [{"loc": ["body"], "msg": BOOM}]}, {"errors": {"messages": [BOOM]}}, {"error-message": BOOM},
        {"error_msg": BOOM, "error_code": 1}, {"errorMessage": BOOM}, {"err": {"message": BOOM}}, {"err_msg": BOOM},
        {"statusMessage": BOOM}, {"status": "error", "title": "Bad", "description": BOOM}, {"data": ERROR},
        {"result": {"error": BOOM}}, {"response": ERROR}, {"fault": {"faultstring": BOOM, "detail": {"code": "x"}}},
        {"error": "bad_request", "message": BOOM}, {"metadata": {"raw": json.dumps(ERROR)}},
        {"error": {"error": ERROR}}, json.dumps(ERROR), json.dumps(json.dumps(ERROR)),
    ],
)  # fmt: skip
def test_the_message_is_read_under_every_key(error: Any) -> None:
    assert message_of(error) == BOOM


def test_an_object_without_a_message_is_shown_as_json() -> None:
    assert message_of({"status": 3, "data": {"why": "x"}}) == '{"status": 3, "data": {"why": "x"}}'
    assert message_of({"status": None, "data": {}}) == message_of(5) == message_of([]) == ""


@pytest.mark.parametrize(
    ("error", "raw"),
    [
        ({"message": BOOM}, None),
        ({"message": json.dumps(ERROR)}, None),
        ({"message": "Provider returned error"}, ERROR),
        ({"message": "Bad Request"}, "data: " + json.dumps(ERROR)),
        ({"message": None, "details": BOOM}, None),
        ({"message": "", "inner_error": {"message": BOOM}}, None),
        ({"message": "Error", "innererror": ERROR}, None),
        ({"message": "Request contains an invalid argument.", "details": [{"@type": "x", "detail": BOOM}]}, None),
        ({"message": "Bad Request", "metadata": {"raw": None, "provider_error": {"message": BOOM}}}, None),
    ],
)
def test_the_reason_is_the_most_specific_message(error: Any, raw: Any) -> None:
    assert reason_of(cast("WireError", error), raw) == BOOM


def test_the_reason_is_never_empty() -> None:
    assert reason_of(cast("WireError", {"message": 5}), None) == "5"
    assert reason_of({"message": "Bad Request"}, None) == "Bad Request"
    assert reason_of({"message": "Error"}, "Bad Gateway") == "Bad Gateway"
    assert reason_of({}, None) == "The provider failed without giving a reason."


@pytest.mark.parametrize(
    "text",
    [
        "{}", " \n{}", "data: {}\n\n", "event: error\ndata: {}\n\n", ": OPENROUTER PROCESSING\n\ndata:{}", ": x\n\n{}",
        "id: 1\nretry: 5\n\ndata: {}", "{}\n{}", '"{}"',
    ],
)  # fmt: skip
def test_json_is_read_inside_other_text(text: str) -> None:
    assert parse_if_json(text) == {}


@pytest.mark.parametrize(
    "text", ["", "[1] is bad", "{bad", '"text"', '"', ": x", "data: x", "event: error", "-" * 9, 5]
)
def test_other_values_are_returned_unchanged(text: Any) -> None:
    assert parse_if_json(text) is text


@pytest.mark.uncovered
@pytest.mark.parametrize("unit", [":\n", " ", "data: ", "event: x\n", '"', "data:\n"])
def test_framing_is_skipped_in_linear_time(unit: str) -> None:
    assert_linear(lambda size: parse_if_json(unit * (size // len(unit))))


def test_a_value_is_shown_as_text() -> None:
    assert [as_text({"a": "é"}), as_text([1]), as_text(None)] == ['{"a": "é"}', "[1]", "None"]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>a</p><style>p {}</style>b<script>x < y</script>c", " a  b  c"),
        ("a < b", "a   b"),
        ("<style>never closed", " "),
        ("</style>", " "),
        ("<SCRIPT>x</SCRIPT>y", " y"),
        ("", ""),
    ],
)
def test_tags_are_removed_from_a_page(page: str, text: str) -> None:
    assert without_tags(page).split() == text.split()


@pytest.mark.uncovered
@pytest.mark.parametrize("unit", ["<", "<style", "<script>", "<a>", "&lt;", "</style><style>"])
def test_an_error_page_is_read_in_linear_time(unit: str) -> None:
    assert_linear(lambda size: without_tags(unit * (size // len(unit))))


def test_a_value_that_is_nested_too_deeply_is_named_as_such() -> None:
    nested: Any = 1
    for _ in range(100_000):
        nested = {"a": nested}
    assert as_text(nested) == "The reason is nested too deeply to be shown."
