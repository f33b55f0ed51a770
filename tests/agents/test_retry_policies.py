"""LangGraph's `RetryPolicy`: errors that would come again are not retried."""

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import RetryPolicy

from langchain_kimi import ChatKimi
from langchain_kimi.errors import (
    KimiConnectionError,
    KimiError,
    KimiServerError,
    KimiStatusError,
    KimiUsageError,
    retry_on,
)
from langchain_kimi.testing import Emulator, RawReply, faults
from tests.conftest import KEY

ONCE: dict[str, Callable[[], Any]] = {
    "400": faults.context_overflow,
    "401": faults.unauthorized,
    "403": faults.moderated,
    **{str(status): partial(RawReply, status) for status in (302, 304, 405, 418, 451, 499, 600)},
}


def graph(model: ChatKimi, policy: RetryPolicy) -> Any:
    def call(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    async def acall(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", RunnableLambda(call, acall), retry_policy=policy)
    builder.add_edge(START, "model")
    builder.add_edge("model", END)
    return builder.compile()


async def attempts(openrouter: Emulator, policy: RetryPolicy, *, is_async: bool) -> int:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    messages: Any = {"messages": [("human", "hi")]}
    with pytest.raises(KimiError):
        await graph(model, policy).ainvoke(messages) if is_async else graph(model, policy).invoke(messages)
    return len(openrouter.requests)


AT_ONCE: dict[str, Any] = {"initial_interval": 0, "max_interval": 0, "jitter": False}


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("fault", ONCE)
async def test_the_default_policy_does_not_repeat_refused_requests(
    openrouter: Emulator, fault: str, *, is_async: bool
) -> None:
    openrouter.script(ONCE[fault](), times=3)
    assert await attempts(openrouter, RetryPolicy(**AT_ONCE), is_async=is_async) == 1


def test_the_error_of_an_undocumented_status_is_a_status_error(openrouter: Emulator) -> None:
    openrouter.script(RawReply(418))
    with pytest.raises(KimiStatusError) as caught:
        ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0).invoke("hi")
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert isinstance(copy, KimiStatusError)
    assert isinstance(copy, ValueError)
    assert repr(copy).startswith("KimiUnexpectedStatusError(")
    assert (copy.status, copy.is_retryable) == (418, False)


@pytest.mark.parametrize("policy", [RetryPolicy(**AT_ONCE), RetryPolicy(**AT_ONCE, retry_on=retry_on)])
async def test_policies_retry_errors_that_may_be_temporary(openrouter: Emulator, policy: RetryPolicy) -> None:
    openrouter.script(faults.unavailable(), times=3)
    assert await attempts(openrouter, policy, is_async=False) == 3


@pytest.mark.covered
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KimiServerError("x", is_retryable=True), True),
        (KimiConnectionError("the certificate is not trusted", is_retryable=False), False),
        (KimiUsageError("x"), False),
        (ConnectionError("x"), True),
        (ValueError("x"), False),
    ],
)
def test_retry_on_decides_for_every_error(error: Exception, *, expected: bool) -> None:
    assert retry_on(error) is expected
