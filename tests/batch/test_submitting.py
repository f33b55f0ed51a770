"""Submissions over a real socket: nothing twice, nothing too large, and budgets."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from langchain_core.messages import HumanMessage
from langchain_core.prompt_values import StringPromptValue
from langchain_core.runnables import RunnableLambda

from langchain_kimi import (
    ChatKimi,
    Host,
    KimiBudgetExceededError,
    KimiError,
    KimiInvalidRequestError,
    KimiMalformedReplyError,
    KimiNotFoundError,
    KimiServerError,
    KimiUsageError,
)
from langchain_kimi._openrouter.host import MOONSHOT, OPENROUTER
from langchain_kimi.batch import BatchHandle, BatchLimitError, parts
from langchain_kimi.batch.bodies import row_request
from langchain_kimi.batch.program import program_of
from langchain_kimi.batch.submitting import asubmit_with, most_rows, row_size, submit_with
from langchain_kimi.callbacks import Budget
from langchain_kimi.testing import Emulator, faults
from tests.batch.driving import KEY, Drive, moonshot
from tests.catalog.serving import Server


def small(openrouter: Emulator, **limits: Any) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, host=replace(OPENROUTER, **limits))


async def test_models_and_bindings_submit_themselves(model: ChatKimi, openrouter: Emulator, drive: Drive) -> None:
    bound: Any = model.bind(temperature=0.2).with_config(tags=["own"])
    if drive.is_async:
        handles = [await model.asubmit_batch(["a"], key="first", stop=["x"]), await bound.asubmit_batch(["a"])]
    else:
        handles = [model.submit_batch(["a"], key="first", stop=["x"]), bound.submit_batch(["a"], config={})]

    bodies = [request.body["requests"][0]["body"] for request in openrouter.requests]
    assert (handles[0].key, bodies[0]["stop"], bodies[1]["temperature"]) == ("first", ["x"], 0.2)
    assert [one.ok for handle in handles for one in await drive.results(handle)] == [True, True]


async def test_the_options_are_taken_from_the_arguments(model: ChatKimi) -> None:
    assert isinstance(submit_with(model, ["a"], {}), BatchHandle)
    assert (await asubmit_with(model, ["a"], {"key": "own", "seed": 1})).key == "own"


@pytest.mark.parametrize(
    ("options", "text"),
    [({"key": "with blank"}, "48 letters"), ({"key": "k" * 49}, "48 letters"), ({"config": None, "key": ""}, "48")],
)
def test_invalid_options_are_refused(options: dict[str, Any], text: str, model: ChatKimi) -> None:
    with pytest.raises(KimiUsageError, match=text):
        model.submit_batch(["a"], **options)


@pytest.mark.parametrize(
    "inputs", ["Name a lake.", b"a", {"text": "a"}, HumanMessage("a"), StringPromptValue(text="a"), 5]
)
async def test_a_single_input_is_refused(inputs: Any, model: ChatKimi, openrouter: Emulator, drive: Drive) -> None:
    with pytest.raises(KimiUsageError, match=r"must be an iterable of inputs, got .*Pass a list"):
        await drive.submit(model, inputs)
    with pytest.raises(KimiUsageError, match="must be an iterable"):
        list(parts(model, inputs))

    assert openrouter.requests == []


def test_a_server_without_batches_is_refused() -> None:
    with pytest.raises(KimiUsageError, match="no batch API"):
        ChatKimi(base_url="http://127.0.0.1:1/v1").submit_batch(["a"])


async def test_a_batch_above_a_limit_is_not_sent(openrouter: Emulator, drive: Drive) -> None:
    model = small(openrouter, batch_rows=2)

    with pytest.raises(BatchLimitError, match="3 rows, and the server accepts 2"):
        await drive.submit(model, list("abc"))

    assert openrouter.requests == []
    assert [len(part) for part in parts(model, iter("abcde"))] == [2, 2, 1]
    assert [len(part) for part in parts(model, list("abc"), rows=1)] == [1, 1, 1]
    assert list(parts(model, [])) == []


def test_parts_are_divided_by_bytes(openrouter: Emulator) -> None:
    model = small(openrouter, batch_bytes=4_000, batch_rows=0)
    rows = ["x" * 700] * 5

    divided = list(parts(model, rows))

    assert [len(part) for part in divided] == [2, 2, 1]
    assert all(model.submit_batch(part) for part in divided)
    with pytest.raises(BatchLimitError):
        list(parts(model, ["x" * 5_000]))
    program = program_of(model)
    assert row_size(program, row_request(program, program.messages_of("a"), 0), 0) > 100
    assert (most_rows(MOONSHOT), most_rows(OPENROUTER, 7), most_rows(OPENROUTER)) == (5_000, 7, 5_000)


def answering(*answers: Any) -> ChatKimi:
    client = httpx.Client(transport=httpx.MockTransport(Server(*answers)))
    return ChatKimi(api_key=KEY, http_client=client, max_retries=3)


def answer(status: int, body: Any) -> Any:
    return httpx.Response(status, json=body)


def test_an_ambiguous_failure_is_not_repeated() -> None:
    server = Server(answer(502, {"error": {"message": "bad gateway", "code": 502}}))
    client = httpx.Client(transport=httpx.MockTransport(server))
    budget = Budget(max_cost=1)

    with pytest.raises(KimiServerError, match=r"find\(\.\.\., key='mine'\)"):
        ChatKimi(api_key=KEY, http_client=client, max_retries=3, max_tokens=9).submit_batch(
            ["a"], key="mine", config={"callbacks": [budget]}
        )

    assert len(server.requests) == 1
    assert budget.reserved > 0


def test_a_refused_submission_frees_its_budget() -> None:
    budget = Budget(max_cost=1)
    model = answering(answer(400, {"error": {"message": "no", "code": 400}})).bind(max_tokens=9)

    with pytest.raises(KimiInvalidRequestError):
        model.submit_batch(["a"], config={"callbacks": [budget]})

    assert budget.reserved == 0


def test_a_reply_without_an_id_is_malformed() -> None:
    with pytest.raises(KimiMalformedReplyError, match="no id"):
        answering(answer(202, {"status": "validating"})).submit_batch(["a"])


def interrupted(_request: httpx.Request) -> httpx.Response:
    raise KeyboardInterrupt


def test_an_interrupted_submission_keeps_its_reservation() -> None:
    budget = Budget(max_cost=1)
    client = httpx.Client(transport=httpx.MockTransport(interrupted))
    model = ChatKimi(api_key=KEY, http_client=client, max_tokens=9)

    with pytest.raises(KeyboardInterrupt):
        model.submit_batch(["a"], config={"callbacks": [budget]})

    assert budget.reserved > 0


async def test_a_batch_that_does_not_fit_into_a_budget_is_not_sent(openrouter: Emulator, drive: Drive) -> None:
    rich, poor = Budget(max_cost=100), Budget(max_cost=0.000_01)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_tokens=100, callbacks=[rich])

    with pytest.raises(KimiBudgetExceededError):
        await drive.submit(model, ["a", "b"], config={"callbacks": [poor]})

    assert (openrouter.requests, rich.reserved, poor.reserved) == ([], 0, 0)


async def test_a_submission_without_its_handle_is_found(either: ChatKimi, openrouter: Emulator, drive: Drive) -> None:
    other = await drive.submit(either, ["a", "b"], key="other")
    handle = await drive.submit(either, ["a", "b"], key="mine")
    await drive.results(other)

    again = await drive.find(either, ["a", "b"], key="mine", since=handle.created_at or 0, others=[other.id])

    assert again == handle
    assert again is not None
    assert [one.ok for one in await drive.results(again)] == [True, True]
    assert await drive.find(either, ["a", "b"], key="never", since=handle.created_at or 0) is None


async def test_nothing_is_found_before_it_was_submitted(model: ChatKimi, drive: Drive) -> None:
    handle = await drive.submit(model, ["a"], key="mine")

    assert await drive.find(model, ["a"], key="mine", since=(handle.created_at or 0) + 10_000) is None


async def test_steps_before_the_model_run_before(model: ChatKimi, openrouter: Emulator, drive: Drive) -> None:
    async def later(text: str) -> str:
        return text.upper()

    await drive.submit(RunnableLambda(str.upper, afunc=later) | model, ["hello"])

    assert openrouter.requests[-1].body["requests"][0]["body"]["messages"][0]["content"] == "HELLO"


async def test_errors_of_the_submission_are_typed(model: ChatKimi, openrouter: Emulator, drive: Drive) -> None:
    pinned = model.bind(provider={"only": ["nobody"]})

    with pytest.raises(KimiNotFoundError):
        await drive.submit(pinned, ["a"])
    with pytest.raises(KimiInvalidRequestError):
        await drive.submit(model, ["a"], completion_window="3d")
    with pytest.raises(KimiError) as raised:
        await drive.submit(moonshot(openrouter).bind(extra_headers={"Authorization": ""}), ["a"])
    assert raised.value.status == 401


def test_a_host_of_ones_own_may_have_batches(openrouter: Emulator) -> None:
    host = Host(name="own", base_url="", batches="files", key_variable=None)
    model = ChatKimi(api_key=KEY, base_url=openrouter.moonshot_url, host=host, model="kimi-k2.6")

    assert model.submit_batch(["a"]).host == "own"


def test_rows_are_answered_from_the_script(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script_batches(faults.rows_reversed())

    assert model.submit_batch(["a"]).rows == 1
