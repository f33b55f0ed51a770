"""Results of rows, and their lines in the output."""

import json
import pickle
from typing import Any
from uuid import UUID

import pytest
from langchain_core.messages import AIMessage
from pydantic import BaseModel, Field

from langchain_kimi import KimiRateLimitError, KimiTimeoutError
from langchain_kimi.bulk.results import BulkError, BulkResult, BulkStoppedError, line_of, result_of
from langchain_kimi.bulk.summary import BulkSummary


class Order(BaseModel):
    city: str


MESSAGE = AIMessage(
    "hello",
    response_metadata={"model_name": "moonshotai/kimi-k2-0905"},
    usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    tool_calls=[{"name": "f", "args": {"a": 1}, "id": "functions.f:0"}],
)


@pytest.mark.parametrize(
    "value",
    [
        MESSAGE,
        Order(city="Oslo"),
        "text",
        None,
        {"city": "Oslo"},
        [1, 2],
        {"raw": MESSAGE, "parsed": Order(city="Oslo"), "parsing_error": None},
    ],
    ids=["message", "object", "text", "none", "dict", "list", "raw and parsed"],
)
def test_a_value_is_read_as_it_was_written(value: Any) -> None:
    result = BulkResult("k", 3, value, model="m", provider="p", input_tokens=1, cost=0.5, seconds=0.25)

    read = result_of(line_of(result), Order, "stored", 7, "row")

    assert read.value == value
    assert type(read.value) is type(value)
    assert (read.key, read.index, read.input, read.state) == ("k", 7, "row", "stored")
    assert (read.model, read.provider, read.input_tokens, read.cost, read.seconds) == ("m", "p", 1, 0.5, 0.25)


def test_without_a_schema_an_object_is_read_as_a_dict() -> None:
    line = line_of(BulkResult("k", 0, Order(city="Oslo")))

    assert result_of(line, None, "stored", 0, None).value == {"city": "Oslo"}


def test_objects_are_made_again_by_their_aliases_or_stay_dicts() -> None:
    class Aliased(BaseModel):
        city: str = Field(alias="City Name")

    class Different(BaseModel):
        city: str = Field(validation_alias="in", serialization_alias="out")

    aliased, different = Aliased(**{"City Name": "Oslo"}), Different(**{"in": "Oslo"})
    stored = [line_of(BulkResult("k", 0, one)) for one in (aliased, different)]

    assert result_of(stored[0], Aliased, "stored", 0, None).value == aliased
    assert result_of(stored[1], Different, "stored", 0, None).value == {"out": "Oslo"}


def test_a_duplicate_costs_nothing() -> None:
    line = line_of(BulkResult("k", 0, "x", provider="p", cost=0.5, output_tokens=9, unknown_costs=1))

    read = result_of(line, None, "duplicate", 1, None)

    assert (read.cost, read.output_tokens, read.unknown_costs, read.provider) == (0, 0, 0, "p")


def test_a_stored_error_has_its_helpful_attributes() -> None:
    error = KimiRateLimitError(
        "Too many.", status=429, provider="Novita", generation_id="gen-1", is_retryable=True, partial=AIMessage("half")
    )
    error.update(attempts=(KimiTimeoutError("late"),))

    line = line_of(BulkResult("k", 0, error=BulkError.of(error)))
    read = result_of(line, None, "stored", 0, None)

    assert read.error == BulkError(
        "KimiRateLimitError", str(error), 429, "Novita", "gen-1", "half", 2, is_retryable=True
    )
    assert not read.ok
    assert json.loads(line)["ok"] is False
    assert "value" not in json.loads(line)


def test_an_error_of_other_code_keeps_its_kind_and_text() -> None:
    assert BulkError.of(KeyError("city")) == BulkError("KeyError", "'city'")


def test_a_line_of_a_later_version_is_read() -> None:
    line = json.loads(line_of(BulkResult("k", 0, error=BulkError("KeyError", "x"))))
    line["new"], line["error"]["new"] = 1, 2

    assert result_of(json.dumps(line).encode(), None, "stored", 0, None).error == BulkError("KeyError", "x")


def test_the_error_of_a_stopped_run_survives_pickling() -> None:
    error = BulkStoppedError("Stopped.", advice="Go on.")
    error.summary, error.unsaved = BulkSummary(rows=3), (BulkResult("k", 0, "x"),)

    copied = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own object

    assert (copied.summary, copied.unsaved, str(copied)) == (error.summary, error.unsaved, str(error))


def test_half_of_a_surrogate_pair_is_stored() -> None:
    line = line_of(BulkResult("k", 0, "Hello \ud83d"))
    assert line.isascii()
    assert result_of(line, None, "stored", 0, None).value == "Hello \ud83d"


def test_messages_and_objects_inside_of_a_value_are_json() -> None:
    line = json.loads(
        line_of(BulkResult("k", 0, {"answer": AIMessage("Rome."), "all": [Order(city="Rome")], "at": UUID(int=1)}))
    )

    assert line["value"]["answer"]["content"] == "Rome."
    assert line["value"]["all"] == [{"city": "Rome"}]
    assert line["value"]["at"] == str(UUID(int=1))


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_not_json_are_null_in_the_output(name: str) -> None:
    value = {"price": float(name), "parts": [1.5, float(name)], "name": "\ud83d"}

    line = line_of(BulkResult("k", 0, value))

    assert json.loads(line, parse_constant=pytest.fail)["value"] == {
        "price": None,
        "parts": [1.5, None],
        "name": "\ud83d",
    }
