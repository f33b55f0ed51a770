from typing import Any

import pytest

from langchain_kimi import ChatKimi, KimiError, KimiInvalidRequestError, KimiRateLimitError, KimiServerError
from langchain_kimi.batch import BatchRowError
from langchain_kimi.batch.program import program_of
from langchain_kimi.batch.replies import ReplyReader, failure_of
from tests.batch.driving import KEY

BODY = {"choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}


def read(row: Any, status: str = "completed", **batch: Any) -> Any:
    reader = ReplyReader.of(program_of(ChatKimi(api_key=KEY)), {"id": "b", "status": status, **batch}, KEY)
    return reader.read(row, frozenset())


def test_a_reply_is_a_result() -> None:
    row = {"custom_id": "k-0", "response": {"status_code": "?", "body": {**BODY, "batch": 7}}, "error": None}

    message = read(row).generations[0].message

    assert message.text == "Hello"
    assert message.response_metadata["batch"] == {"id": "b", "custom_id": "k-0"}


ROWS: dict[str, tuple[Any, type[KimiError], str]] = {
    "an error of OpenRouter": (
        {"error": {"message": "no", "error_type": "rate_limit_exceeded"}},
        KimiRateLimitError,
        "no",
    ),
    "a code": ({"error": {"message": "no", "code": 429}}, KimiRateLimitError, "no"),
    "a type alone": ({"error": {"message": "no", "type": "server_error"}}, KimiServerError, "no"),
    "a text": ({"error": "no"}, KimiServerError, "no"),
    "nothing": ({"error": None, "response": None}, KimiServerError, "no response"),
    "a status": (
        {"response": {"status_code": 400, "body": {"error": {"message": "no"}}}},
        KimiInvalidRequestError,
        "no",
    ),
    "no object": ({"response": {"status_code": 200, "body": "no"}}, KimiError, "not a JSON object"),
    "OpenAI's code": ({"error": {"code": "batch_expired"}}, BatchRowError, "expired"),
    "an unknown row": (None, BatchRowError, "without a result"),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_without_an_answer_are_errors(name: str) -> None:
    row, kind, text = ROWS[name]

    with pytest.raises(kind, match=text) as raised:
        read(row)

    assert raised.value.model == "moonshotai/kimi-k2-0905"


def test_rows_of_a_batch_without_results_are_errors() -> None:
    with pytest.raises(BatchRowError, match="The batch is odd"):
        read(None, "odd")
    with pytest.raises(KimiInvalidRequestError, match="The batch failed") as raised:
        read(None, "failed")
    assert raised.value.metadata == {"batch": "b"}


def test_the_reason_of_a_failure_is_read_in_both_forms() -> None:
    assert failure_of({"error": {"message": "a"}}) == "a"
    assert failure_of({"errors": {"data": [{"message": "a"}, {"message": "b"}, 7]}}) == "a b"
    assert failure_of({"error": {}, "errors": None}) == failure_of({"errors": {}}) == ""
