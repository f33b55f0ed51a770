"""Batches over a real socket: their states, their results, and handles in other processes."""

import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from langchain_kimi import (
    ChatKimi,
    KimiContextOverflowError,
    KimiEmptyReplyError,
    KimiError,
    KimiInvalidRequestError,
    KimiNotFoundError,
    KimiPaymentRequiredError,
    KimiServerError,
    KimiStatusError,
    KimiStructuredOutputError,
    KimiUsageError,
)
from langchain_kimi.batch import BatchHandle, BatchPendingError, BatchRowError
from langchain_kimi.batch.handle import digest_of, message_of, reservation_key, trackers_of
from langchain_kimi.batch.program import program_of
from langchain_kimi.callbacks import Budget, track_costs
from langchain_kimi.testing import BatchEnding, Emulator, Reply, ToolCall, faults
from tests.batch.driving import KEY, Drive, moonshot
from tests.interpreters import Interpreter


class City(BaseModel):
    """A city."""

    name: str
    people: int


def weather(city: str) -> str:
    """Get the weather."""
    return city


def comparable(message: Any) -> dict[str, Any]:
    """Return a message without what differs in every reply, and without what only a batch or only a call has."""
    dumped: dict[str, Any] = message.model_dump()
    metadata = {
        name: value
        for name, value in dumped.pop("response_metadata").items()
        if name not in {"id", "created", "batch", "cost", "cost_details", "is_byok", "token_usage"}
    }
    return {**dumped, "id": None, "response_metadata": metadata}


async def test_every_row_has_the_message_of_a_call(either: ChatKimi, openrouter: Emulator, drive: Drive) -> None:
    handle = await drive.submit(either, ["Hello", [("system", "Be brief."), ("user", "Bye")]])

    assert (await drive(handle, "status")).status == "in_progress"
    state = await drive(handle, "wait")
    results = await drive(handle, "results")

    assert (state.status, state.total, state.completed, state.failed) == ("completed", 2, 2, 0)
    assert [one.index for one in results] == [0, 1]
    assert all(one.ok and one.value is one.message for one in results)
    assert "You said: Hello" in results[0].value.text
    assert "You said: Bye" in results[1].value.text
    assert [one.custom_id for one in results] == [f"{handle.key}-0", f"{handle.key}-1"]
    assert results[1].value.response_metadata["batch"]["id"] == handle.id


REPLIES: dict[str, Reply] = {
    "text": Reply(text="Hello."),
    "reasoning": Reply(text="Hello.", reasoning="Hm."),
    "tool call": Reply(tool_calls=[ToolCall("weather", {"city": "Rome"}, id="functions.weather:0")]),
    "tool call as markup": Reply(
        text="<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>"
        '{"city": "Rome"}<|tool_call_end|><|tool_calls_section_end|>'
    ),
    "bad arguments": Reply(tool_calls=[ToolCall("weather", '{"city": ', id="functions.weather:0")]),
    "truncated": Reply(text="Hello", finish_reason="length"),
    "refusal": Reply(refusal="I cannot."),
    "citations": Reply(text="See.", citations=["https://example.com/"]),
}


@pytest.mark.parametrize("name", REPLIES)
async def test_replies_are_repaired_as_those_of_calls(name: str, model: ChatKimi, openrouter: Emulator) -> None:
    drive, bound = Drive(is_async=True), model.bind_tools([weather])
    openrouter.script(REPLIES[name], times=2)
    openrouter.behave(prompt_cache=False)

    expected = await bound.ainvoke("What is the weather?")
    handle = await drive.submit(bound, ["What is the weather?"])
    [result] = await drive.results(handle)

    assert comparable(result.value) == comparable(expected)


ERRORS: dict[str, tuple[Any, type[KimiError]]] = {
    "empty": (Reply(text=""), KimiEmptyReplyError),
    "rate limited": (faults.rate_limited(), KimiStatusError),
    "overloaded": (faults.overloaded(), KimiServerError),
    "context": (faults.context_overflow(), KimiContextOverflowError),
    "unknown model": (faults.unknown_model(), KimiNotFoundError),
    "credit": (faults.out_of_credits(), KimiPaymentRequiredError),
    "in the reply": (faults.error_in_reply(), KimiServerError),
    "not JSON": (faults.invalid_json(), KimiServerError),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_rows_fail_with_the_errors_of_calls(name: str, model: ChatKimi, openrouter: Emulator) -> None:
    drive, (scripted, kind) = Drive(is_async=True), ERRORS[name]
    openrouter.script(scripted)

    handle = await drive.submit(model, ["Hello", "Hello"])
    first, second = await drive.results(handle)

    assert isinstance(first.error, kind)
    assert first.error.model
    assert (first.value, first.ok, second.ok) == (None, False, True)
    assert KEY not in str(first.error) + repr(first)


async def test_structured_output_has_its_values(either: ChatKimi, openrouter: Emulator, drive: Drive) -> None:
    reader = either.with_structured_output(City, method="json_schema")
    openrouter.script(Reply(text='{"name": "Rome", "people": 3}'), Reply(text="Rome"))

    handle = await drive.submit(reader, ["Rome", "Paris"])
    good, bad = await drive.results(handle)

    assert good.value == City(name="Rome", people=3)
    assert isinstance(bad.error, KimiStructuredOutputError)
    assert bad.message is not None
    assert bad.message.text == "Rome"


async def test_raw_messages_and_chains_end_as_they_do_in_invoke(
    model: ChatKimi, openrouter: Emulator, drive: Drive
) -> None:
    prompt = ChatPromptTemplate.from_messages([("user", "Say {word}.")])
    raw = model.with_structured_output(City, method="json_schema", include_raw=True)
    chain: Any = RunnableLambda(lambda word: {"word": word}) | prompt | model | StrOutputParser()
    openrouter.script(Reply(text="no JSON"), Reply(text="yes"))

    [first] = await drive.results(await drive.submit(raw, ["Rome"]))
    [second] = await drive.results(await drive.submit(chain, ["yes"]))

    assert isinstance(first.value["parsing_error"], KimiStructuredOutputError)
    assert second.value == "yes"
    sent = [request.body["requests"][0]["body"]["messages"] for request in openrouter.requests if request.body]
    assert sent[1] == [{"role": "user", "content": "Say yes."}]


async def test_a_step_that_fails_is_an_error_of_its_row(model: ChatKimi, drive: Drive) -> None:
    chain = model | RunnableLambda(lambda message: 1 / ("Bye" in message.text))

    first, second = await drive.results(await drive.submit(chain, ["Hello", "Bye"]))

    assert isinstance(first.error, ZeroDivisionError)
    assert second.value == 1


ENDINGS: dict[str, tuple[BatchEnding, list[type[BaseException] | None]]] = {
    "reversed": (faults.rows_reversed(), [None, None, None]),
    "missing": (faults.rows_missing(1), [None, BatchRowError, None]),
    "rejected": (faults.rows_rejected(0, 2), [KimiInvalidRequestError, None, KimiInvalidRequestError]),
    "expired": (faults.batch_expired(answered=1), [None, BatchRowError, BatchRowError]),
    "cancelled": (faults.batch_cancelled(answered=2), [None, None, BatchRowError]),
    "failed": (faults.batch_failed("messages: wrong form"), [KimiInvalidRequestError] * 3),
}


@pytest.mark.parametrize("name", ENDINGS)
async def test_each_row_of_a_batch_that_ended_badly_has_its_result(
    name: str, either: ChatKimi, openrouter: Emulator
) -> None:
    drive, (ending, kinds) = Drive(is_async=False), ENDINGS[name]
    openrouter.script_batches(ending)

    results = await drive.results(await drive.submit(either, ["a", "b", "c"]))

    assert [type(one.error) if one.error else None for one in results] == kinds
    assert all("You said: " + "abc"[one.index] in one.value.text for one in results if one.ok)


async def test_the_reason_of_a_failed_batch_is_the_error_of_each_row(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script_batches(faults.batch_failed("messages: wrong form"))
    drive = Drive(is_async=False)
    handle = await drive.submit(model, ["a"])

    state = await drive(handle, "wait")
    [result] = await drive(handle, "results")

    assert (state.error, state.has_rows) == ("messages: wrong form", False)
    assert isinstance(result.error, KimiInvalidRequestError)
    assert result.error.reason == "messages: wrong form"
    assert not result.error.is_retryable


async def test_results_before_the_end_are_refused(either: ChatKimi, drive: Drive) -> None:
    handle = await drive.submit(either, ["a"])

    with pytest.raises(BatchPendingError, match="is in_progress") as raised:
        await drive(handle, "results")

    assert (raised.value.batch_id, raised.value.batch_status) == (handle.id, "in_progress")


async def test_waits_grow_up_to_the_limit(model: ChatKimi, openrouter: Emulator, drive: Drive) -> None:
    openrouter.behave(batch_states=("in_progress",) * 6)
    handle = await drive.submit(model, ["a"])

    await drive(handle, "wait", every=5)

    assert drive.slept == [1, 2, 4, 5, 5, 5]


async def test_a_wait_ends_in_time(model: ChatKimi, openrouter: Emulator, drive: Drive) -> None:
    openrouter.behave(batch_states=("in_progress",) * 9)
    handle = await drive.submit(model, ["a"])

    with pytest.raises(BatchPendingError):
        await drive(handle, "wait", 4)

    assert drive.slept == [1, 2, 1]


async def test_results_of_pages_are_joined(model: ChatKimi, openrouter: Emulator, drive: Drive) -> None:
    openrouter.behave(batch_page=2)

    results = await drive.results(await drive.submit(model, list("abcde")))

    assert [one.ok for one in results] == [True] * 5
    assert [request.query for request in openrouter.requests][-3:] == [{}, {"cursor": "2"}, {"cursor": "4"}]


@pytest.mark.parametrize("ending", [faults.results_unpaid(), faults.results_deleted()])
async def test_withheld_results_are_an_error(ending: BatchEnding, model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script_batches(ending)
    openrouter.behave(batch_states=())
    drive = Drive(is_async=False)
    handle = await drive.submit(model, ["a"])

    with pytest.raises(KimiStatusError) as raised:
        await drive(handle, "results")

    assert raised.value.status == (ending.refusal or (0,))[0]
    assert isinstance(raised.value, KimiPaymentRequiredError) is (raised.value.status == 402)


async def test_a_running_batch_of_moonshot_is_cancelled(openrouter: Emulator, drive: Drive) -> None:
    handle = await drive.submit(moonshot(openrouter), ["a", "b"])

    assert (await drive(handle, "cancel")).status == "cancelling"
    first, second = await drive.results(handle)

    assert first.ok
    assert isinstance(second.error, BatchRowError)
    assert (second.error.batch_status, second.error.is_retryable) == ("cancelled", True)
    with pytest.raises(KimiInvalidRequestError):
        await drive(handle, "cancel")


async def test_openrouter_has_no_cancellation(model: ChatKimi, openrouter: Emulator, drive: Drive) -> None:
    handle = await drive.submit(model, ["a"])
    sent = len(openrouter.requests)

    with pytest.raises(KimiUsageError, match="cannot cancel"):
        await drive(handle, "cancel")

    assert len(openrouter.requests) == sent


SAVED: dict[str, Callable[[BatchHandle], BatchHandle]] = {
    "JSON": lambda handle: BatchHandle.model_validate_json(handle.model_dump_json()),
    "pickle": lambda handle: pickle.loads(pickle.dumps(handle)),  # noqa: S301 - the test wrote it
}


@pytest.mark.parametrize("form", SAVED)
async def test_a_saved_handle_has_no_secrets_and_can_be_used_again(form: str, model: ChatKimi, drive: Drive) -> None:
    handle = await drive.submit(model.bind(extra_headers={"X-Own": "secret-value"}), ["a"])

    loaded = SAVED[form](handle)

    assert loaded == handle
    assert hash(loaded) == hash(handle)
    assert loaded != handle.model_copy(update={"id": "other"})
    assert handle != handle.id
    for text in (handle.model_dump_json(), repr(handle), str(pickle.dumps(handle))):
        assert KEY not in text
        assert "secret-value" not in text
    with pytest.raises(KimiUsageError, match="no model"):
        await drive(loaded, "status")
    assert [one.ok for one in await drive.results(loaded.using(model))] == [True]


def test_another_process_reads_the_results(model: ChatKimi, openrouter: Emulator, interpreter: Interpreter) -> None:
    handle = model.submit_batch(["Hello"])
    program = (
        "import sys; from langchain_kimi import ChatKimi; from langchain_kimi.batch import BatchHandle\n"
        "from langchain_kimi._openrouter.http.calls import Clock\n"
        "model = ChatKimi(api_key=sys.argv[1], base_url=sys.argv[2])\n"
        "handle = BatchHandle.model_validate_json(sys.argv[3]).using(model)\n"
        "handle.wait(clock=Clock(sleep=lambda seconds: None)); print(handle.results()[0].value.text)"
    )

    printed = interpreter.printed(program, KEY, openrouter.base_url, handle.model_dump_json())

    assert "You said: Hello" in printed


def test_a_handle_is_not_used_with_another_server(model: ChatKimi) -> None:
    handle = model.submit_batch(["a"])

    with pytest.raises(KimiUsageError, match="The batch is at"):
        handle.using(ChatKimi(api_key=KEY, base_url="http://127.0.0.1:1/v1"))


def test_other_settings_are_named_in_a_warning(model: ChatKimi) -> None:
    handle = model.submit_batch(["a"])

    with pytest.warns(UserWarning, match="other settings"):
        handle.using(model.bind(temperature=0.1))


async def test_ids_of_calls_in_the_conversation_are_not_used_again(model: ChatKimi, openrouter: Emulator) -> None:
    call = {"name": "weather", "args": {"city": "Rome"}, "id": "functions.weather:0", "type": "tool_call"}
    answered = ToolMessage("Sun.", tool_call_id=str(call["id"]))
    history: list[Any] = [("user", "Hi"), AIMessage("", tool_calls=[call]), answered]
    bound = model.bind_tools([weather])
    openrouter.script(Reply(tool_calls=[ToolCall("weather", {"city": "Bonn"}, id="functions.weather:0")]), times=3)

    expected = await bound.ainvoke([*history, ("user", "And Bonn?")])
    drive = Drive(is_async=True)
    handle = await drive.submit(bound, ["Hi", [*history, ("user", "And Bonn?")]])
    _, result = await drive.results(BatchHandle.model_validate_json(handle.model_dump_json()).using(bound))

    assert handle.call_ids == {1: ["functions.weather:0"]}
    assert result.value.tool_calls[0]["args"] == expected.tool_calls[0]["args"]
    assert result.value.tool_calls[0]["id"] != "functions.weather:0"


async def test_costs_are_counted_once(model: ChatKimi, openrouter: Emulator, drive: Drive) -> None:
    openrouter.script(Reply(text="yes"), faults.overloaded())
    handle = await drive.submit(model, ["a", "b"])

    with track_costs() as costs:
        results = await drive.results(handle)
        await drive(handle, "results")

    state = await drive(handle, "status")
    assert (costs.total.calls, costs.total.failed, costs.total.unknown) == (2, 1, 0)
    assert costs.total.cost == pytest.approx(state.cost)
    assert results[0].cost == pytest.approx(state.cost)
    assert costs.in_flight == 0


async def test_a_budget_reserves_the_worst_case_until_the_results(model: ChatKimi, drive: Drive) -> None:
    budget = Budget(max_cost=1.0)
    bound = model.bind(max_tokens=100)

    handle = await drive.submit(bound, ["a", "b"], config={"callbacks": [budget]})
    reserved = budget.reserved
    results = await drive.results(handle)

    assert 0 < sum(one.cost or 0 for one in results) < reserved < 0.01
    assert budget.reserved == 0
    assert budget.spent == pytest.approx((await drive(handle, "status")).cost)


def test_the_parts_of_a_handle_are_those_of_its_program(model: ChatKimi) -> None:
    budget = Budget(max_cost=1)
    program = program_of(model, {"callbacks": [budget]})

    assert digest_of(program) == digest_of(program_of(model)) != digest_of(program_of(model.bind(temperature=1)))
    assert trackers_of(program) == [budget]
    assert reservation_key("k") == "batch-k"
    assert json.loads(model.submit_batch(["a"]).model_dump_json())["digest"] == digest_of(program)


def test_the_message_is_that_of_the_first_choice() -> None:
    choices = [ChatGeneration(message=AIMessage(text)) for text in ("first", "second")]

    assert message_of(ChatResult(generations=choices)).text == "first"
