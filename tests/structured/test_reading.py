import pickle
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_kimi._schemas.output import output_schema
from langchain_kimi._structured.reading import read_output
from langchain_kimi.errors import KimiStructuredOutputError
from tests.structured.cases import ADA, JSON, ONE_PER_OUTCOME, PERSON_SCHEMA, Case, Person

PYDANTIC = output_schema(Person)
PLAIN = output_schema(PERSON_SCHEMA)
BOTH = pytest.mark.parametrize("by_call", [True, False], ids=["call", "text"])


@BOTH
@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_reply_of_blanks_and_reasoning_alone_is_empty(text: str, *, by_call: bool) -> None:
    message = AIMessage(text, additional_kwargs={"reasoning_content": "Hmm."})
    error = failure(message, by_call=by_call)
    assert (error.cause, error.is_retryable) == ("empty", True)
    assert error.partial is message


@BOTH
@pytest.mark.parametrize(
    "message",
    [
        AIMessage("", additional_kwargs={"refusal": "I would rather not."}),
        AIMessage(JSON, additional_kwargs={"refusal": "I would rather not."}),
        AIMessage([{"type": "refusal", "refusal": "I would rather not."}]),
        AIMessage(["", {"type": "non_standard", "value": {"type": "refusal", "refusal": "I would rather not."}}]),
        AIMessageChunk(content="", additional_kwargs={"refusal": "I would rather "})
        + AIMessageChunk(content="", additional_kwargs={"refusal": "not."}),
    ],
)
def test_a_refusal_is_an_error_with_its_text(message: AIMessage, *, by_call: bool) -> None:
    with pytest.raises(KimiStructuredOutputError, match="I would rather not") as raised:
        read_output(message, PYDANTIC, by_call=by_call)
    assert raised.value.cause == "refusal"
    assert raised.value.text == "I would rather not."
    assert not raised.value.is_retryable


@pytest.mark.parametrize(
    "content", [[{"type": "text", "text": JSON}], ["", JSON], [{"type": "image", "value": 1}, JSON]]
)
def test_text_in_blocks_is_read(content: Any) -> None:
    assert read_output(AIMessage(content), PLAIN, by_call=False) == ADA


def test_the_error_shows_the_position_of_broken_json() -> None:
    error = failure(AIMessage('{"name": "Ada" "age": 36}'))
    assert (error.cause, error.position) == ("bad_json", 15)
    assert error.text == error.llm_output == '{"name": "Ada" "age": 36}'
    assert "character 15" in str(error)
    assert '"age": 36' in str(error)


def test_positions_count_from_the_start_of_the_text() -> None:
    text = "```json\n" + '{"name": "Ada", "age": NaN}'
    assert failure(AIMessage(text)).position == text.index("NaN")


def test_the_error_shows_mismatches_without_the_values() -> None:
    error = failure(AIMessage('{"name": {"secret": "hunter2"}, "age": "hunter2"}'))
    assert [(item["type"], item["loc"]) for item in error.validation_errors] == [
        ("string_type", ("name",)),
        ("int_parsing", ("age",)),
    ]
    assert all(set(item) == {"type", "loc", "msg"} for item in error.validation_errors)
    assert "hunter2" not in str(error)
    assert "name: Input should be a valid string; age: " in str(error)


def test_the_error_names_model_provider_and_generation() -> None:
    metadata = {
        "model_name": "m",
        "provider": "p",
        "id": "gen-1",
        "token_usage": {"cost": 0.1},
        "finish_reason": "stop",
    }
    error = failure(AIMessage("Hm.", response_metadata=metadata))
    assert (error.model, error.provider, error.generation_id, error.usage) == ("m", "p", "gen-1", {"cost": 0.1})


def test_the_error_names_the_tool_that_was_called_instead() -> None:
    call = {"name": "search", "args": {}, "id": "1"}
    error = failure(AIMessage("", tool_calls=[call]), by_call=True)
    assert str(error).startswith("The model called search, not Person.")
    nameless = {"name": None, "args": "{}", "id": "1", "error": "", "type": "invalid_tool_call"}
    error = failure(AIMessage("", invalid_tool_calls=[nameless]))
    assert str(error).startswith("The reply has no answer; the model called a tool without a name.")


def test_the_advice_depends_on_whether_reasoning_used_up_the_limit() -> None:
    usage = {"input_tokens": 1, "output_tokens": 9, "total_tokens": 10, "output_token_details": {"reasoning": 9}}
    cut = {"finish_reason": "length"}
    thought = failure(AIMessage("", response_metadata=cut, usage_metadata=usage))
    answered = failure(AIMessage('{"name', response_metadata=cut, usage_metadata=usage))
    assert "Reasoning used up" in str(thought)
    assert "Reasoning used" not in str(answered)
    assert "max_tokens" in str(answered)
    assert "max_tokens" in str(thought)


@pytest.mark.parametrize(
    "case", [case for case in ONE_PER_OUTCOME if isinstance(case.by_text, str)], ids=lambda case: case.name
)
def test_errors_can_be_pickled(case: Case) -> None:
    error = failure(case.message())
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - bytes of its own
    assert type(again) is KimiStructuredOutputError
    assert {key: str(value) for key, value in vars(again).items()} == {k: str(v) for k, v in vars(error).items()}
    assert str(again) == str(error)


def failure(message: AIMessage, *, by_call: bool = False) -> KimiStructuredOutputError:
    with pytest.raises(KimiStructuredOutputError) as raised:
        read_output(message, PYDANTIC, by_call=by_call)
    return raised.value
