"""Retries in the log and in callbacks. LangChain passes the run of a plain call, and none of a stream."""

import logging
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackHandler, CallbackManager
from tenacity import RetryCallState

from langchain_kimi._tracing import RetryReport
from langchain_kimi.errors import KimiEmptyReplyError, KimiRateLimitError
from langchain_kimi.testing import Emulator, Reply, faults
from tests.chat.asking import WAYS, Way, ask
from tests.faults.ways import model_of

ERROR = KimiRateLimitError("slow down", status=429)


class Listener(BaseCallbackHandler):
    def __init__(self) -> None:
        self.states: list[RetryCallState] = []

    def on_retry(self, retry_state: RetryCallState, **kwargs: Any) -> None:
        self.states.append(retry_state)


def is_reported(listener: Listener) -> None:
    [state] = listener.states
    assert state.attempt_number == 2
    assert state.upcoming_sleep == 1.5
    assert state.outcome is not None
    assert state.outcome.exception() is ERROR


def test_a_sync_manager_gets_tenacitys_retry_state() -> None:
    listener = Listener()
    [manager] = CallbackManager([listener]).on_chat_model_start({}, [[]])
    assert RetryReport(manager)(ERROR, 2, 1.5) is None
    is_reported(listener)


async def test_an_async_manager_is_awaited() -> None:
    listener = Listener()
    [manager] = await AsyncCallbackManager([listener]).on_chat_model_start({}, [[]], run_id=uuid4())
    pending = RetryReport(manager)(ERROR, 2, 1.5)
    assert pending is not None
    await pending
    is_reported(listener)


def test_retries_are_logged_without_a_manager(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "langchain_kimi"):
        assert RetryReport(None)(ERROR, 1, 0.25) is None
    assert caplog.messages == ["Attempt 1 failed, the next one in 0.2 s: slow down (HTTP 429)"]


def test_empty_answers_are_counted() -> None:
    report = RetryReport(None)
    for number, error in enumerate([KimiEmptyReplyError("no"), ERROR, KimiEmptyReplyError("no")], 1):
        report(error, number, 0.0)
    assert report.empty_answers == 2


@pytest.mark.parametrize("way", WAYS)
async def test_the_log_has_the_retries_of_every_kind_of_call(
    openrouter: Emulator, caplog: pytest.LogCaptureFixture, way: Way
) -> None:
    openrouter.script(faults.unavailable(), faults.bad_gateway(), Reply(text="Here it is."))
    with caplog.at_level(logging.INFO, "langchain_kimi"):
        assert (await ask(model_of(openrouter), way)).text == "Here it is."
    logged = [message for message in caplog.messages if message.startswith("Attempt ")]
    assert [message.partition(",")[0] for message in logged] == ["Attempt 1 failed", "Attempt 2 failed"]
    assert "HTTP 503" in logged[0]
    assert "HTTP 502" in logged[1]


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_callbacks_get_the_retries_of_a_plain_call(openrouter: Emulator, way: Way) -> None:
    openrouter.script(faults.unavailable(), faults.bad_gateway(), Reply(text="Here it is."))
    listener = Listener()
    await ask(model_of(openrouter), way, "hi", {"callbacks": [listener]})
    assert [state.attempt_number for state in listener.states] == [1, 2]
    assert all(state.outcome is not None for state in listener.states)
