import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from pydantic import Field

from langchain_kimi import ChatKimi
from langchain_kimi.callbacks import KimiCostCallback
from langchain_kimi.errors import KimiRateLimitError, KimiStructuredOutputError, KimiUsageError
from langchain_kimi.testing import Emulator, Reply, ToolCall, faults
from tests.conftest import KEY
from tests.structured.cases import ADA, JSON, PERSON_SCHEMA, Person

METHODS = ["function_calling", "json_schema", "json_mode"]
WRONG = '{"name": "Ada", "age": "old"}'


@pytest.fixture
def openrouter() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def repaired(openrouter: Emulator, method: Any = "json_schema", schema: Any = Person, **more: Any) -> Any:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    return model.with_structured_output(schema, method=method, repair=1, **more)


def reply(method: str, text: str) -> Reply:
    return Reply(tool_calls=[ToolCall("Person", text)]) if method == "function_calling" else Reply(text=text)


def four_ways(runnable: Runnable[Any, Any]) -> list[Callable[[], list[Any]]]:
    """Return functions that give the values of invoke, ainvoke, stream and astream."""

    async def values() -> list[Any]:
        return [value async for value in runnable.astream("Who?")]

    return [
        lambda: [runnable.invoke("Who?")],
        lambda: [asyncio.run(runnable.ainvoke("Who?"))],
        lambda: list(runnable.stream("Who?")),
        lambda: asyncio.run(values()),
    ]


@pytest.mark.uncovered
@pytest.mark.parametrize("schema", [Person, PERSON_SCHEMA])
@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_answer_is_requested_again(openrouter: Emulator, method: str, schema: Any) -> None:
    wrong = WRONG if schema is Person else '{"name": "Ada"}'
    for way in four_ways(repaired(openrouter, method, schema)):
        openrouter.clear()
        openrouter.script(reply(method, wrong), reply(method, JSON))
        assert way() == [Person(**ADA) if schema is Person else ADA]
        first, second = openrouter.bodies
        assert [message["role"] for message in second["messages"]] == ["user", "assistant", "user"]
        assert second["messages"][1]["content"] == wrong
        assert "age: " in second["messages"][2]["content"]
        assert {key: value for key, value in second.items() if key != "messages"} == {
            key: value for key, value in first.items() if key != "messages"
        }


@pytest.mark.parametrize("method", METHODS)
def test_a_right_answer_is_not_requested_again(openrouter: Emulator, method: str) -> None:
    for way in four_ways(repaired(openrouter, method)):
        openrouter.clear()
        openrouter.script(reply(method, JSON))
        assert way() == [Person(**ADA)]
        assert len(openrouter.bodies) == 1


def test_the_raw_message_adds_up_both(openrouter: Emulator) -> None:
    for way in four_ways(repaired(openrouter, include_raw=True)):
        openrouter.script(Reply(text=WRONG), Reply(text=JSON))
        [result] = way()
        raw = result["raw"]
        first, second = raw.response_metadata["attempts"]
        assert (first.text, second.text, raw.text) == (WRONG, JSON, JSON)
        assert (result["parsed"], result["parsing_error"]) == (Person(**ADA), None)
        for key in ("input_tokens", "output_tokens", "total_tokens"):
            assert raw.usage_metadata[key] == first.usage_metadata[key] + second.usage_metadata[key] > 0
        metadata = [message.response_metadata for message in (first, second)]
        assert raw.response_metadata["cost"] == pytest.approx(sum(one["cost"] for one in metadata))
        assert raw.response_metadata["token_usage"]["total_tokens"] == raw.usage_metadata["total_tokens"]
        assert raw.response_metadata["id"] == second.response_metadata["id"]
        assert raw.response_metadata["token_usage"]["is_byok"] is False


def test_two_wrong_answers_are_one_error_with_both(openrouter: Emulator) -> None:
    for way in four_ways(repaired(openrouter)):
        openrouter.clear()
        openrouter.script(Reply(text=WRONG), Reply(text="I do not know."))
        with pytest.raises(KimiStructuredOutputError) as raised:
            way()
        assert len(openrouter.bodies) == 2
        assert raised.value.cause == "bad_json"
        [first] = raised.value.attempts
        assert isinstance(first, KimiStructuredOutputError)
        assert (first.cause, first.text) == ("invalid", WRONG)
        assert "The first attempt: The output does not match the schema Person: age" in str(raised.value)
        assert "after 2 attempts" in str(raised.value)
        assert isinstance(raised.value.partial, AIMessage)
        usages = [message.usage_metadata for message in raised.value.partial.response_metadata["attempts"]]
        total = raised.value.partial.usage_metadata
        assert total is not None
        assert total["total_tokens"] == sum(usage["total_tokens"] for usage in usages)


def test_two_wrong_answers_with_include_raw(openrouter: Emulator) -> None:
    for way in four_ways(repaired(openrouter, include_raw=True)):
        openrouter.script(Reply(text=WRONG), Reply(text="I do not know."))
        [result] = way()
        assert len(result["parsing_error"].attempts) == 1
        assert len(result["raw"].response_metadata["attempts"]) == 2


def test_the_error_of_a_failed_second_call_mentions_the_first(openrouter: Emulator) -> None:
    for way in four_ways(repaired(openrouter)):
        openrouter.script(Reply(text=WRONG), faults.rate_limited())
        with pytest.raises(KimiRateLimitError) as raised:
            way()
        assert any("second attempt" in note and "age" in note for note in raised.value.__notes__)
        assert isinstance(raised.value.__cause__, KimiStructuredOutputError)


@pytest.mark.parametrize("finish_reason", ["length", "content_filter"])
def test_refusals_and_truncated_answers_are_not_requested_again(openrouter: Emulator, finish_reason: str) -> None:
    openrouter.script(Reply(text='{"name', finish_reason=finish_reason))
    with pytest.raises(KimiStructuredOutputError) as raised:
        repaired(openrouter).invoke("Who?")
    assert raised.value.attempts == ()
    assert len(openrouter.bodies) == 1


def test_an_answer_without_text_is_not_repeated(openrouter: Emulator) -> None:
    openrouter.script(Reply(reasoning="Hm."), Reply(text=JSON))
    assert repaired(openrouter).invoke("Who?") == Person(**ADA)
    assert [message["role"] for message in openrouter.bodies[1]["messages"]] == ["user", "user"]


def test_twenty_of_many_mismatches_are_listed(openrouter: Emulator) -> None:
    class Many(Person):
        numbers: list[int] = Field(default_factory=list)

    wrong = '{"name": "Ada", "age": 36, "numbers": [' + ", ".join(['"x"'] * 30) + "]}"
    openrouter.script(Reply(text=wrong), Reply(text=JSON))
    repaired(openrouter, schema=Many).invoke("Who?")
    assert openrouter.bodies[1]["messages"][2]["content"].count("\n- numbers.") == 20


@pytest.mark.uncovered
@pytest.mark.parametrize("include_raw", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_both_attempts_are_in_the_trace_and_in_the_sums(
    openrouter: Emulator, method: str, *, include_raw: bool
) -> None:
    for number in range(4):
        openrouter.script(reply(method, WRONG), reply(method, JSON))
        collector, counted, cost = RunCollectorCallbackHandler(), UsageMetadataCallbackHandler(), KimiCostCallback()
        runnable = repaired(openrouter, method, include_raw=include_raw).with_config(
            callbacks=[collector, counted, cost]
        )
        [value] = four_ways(runnable)[number]()
        assert (value["parsed"] if include_raw else value) == Person(**ADA)
        [root] = collector.traced_runs
        [repairing] = [run for run in root.child_runs if run.name == "RepairingModel"]
        assert [run.run_type for run in repairing.child_runs] == ["llm", "llm"]
        raw = repairing.outputs["output"] if repairing.outputs else None
        assert isinstance(raw, AIMessage)
        first, second = raw.response_metadata["attempts"]
        tokens = first.usage_metadata["total_tokens"] + second.usage_metadata["total_tokens"]
        [counts] = counted.usage_metadata.values()
        assert raw.usage_metadata is not None
        assert raw.usage_metadata["total_tokens"] == counts["total_tokens"] == cost.total.total_tokens == tokens > 0
        assert raw.response_metadata["cost"] == pytest.approx(cost.total.cost)
        assert cost.total.cost > first.response_metadata["cost"] > 0


def test_the_second_request_has_the_instruction_too(openrouter: Emulator) -> None:
    model = ChatKimi(
        api_key=KEY, base_url=openrouter.base_url, profile={"tool_choice": False, "structured_output": False}
    )
    openrouter.script(Reply(text=WRONG), Reply(text=JSON))
    assert model.with_structured_output(Person, repair=1).invoke("Who?", temperature=0) == Person(**ADA)
    for body in openrouter.bodies:
        assert body["messages"][0]["role"] == "system"
        assert body["temperature"] == 0


@pytest.mark.parametrize("repair", [-1, 2, 1000])
def test_there_is_one_repair_at_most(openrouter: Emulator, repair: int) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url)
    with pytest.raises(KimiUsageError, match="0 or 1"):
        model.with_structured_output(Person, repair=repair)
