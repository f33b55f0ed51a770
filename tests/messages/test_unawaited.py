import inspect
from collections.abc import Coroutine
from typing import Any

from langchain_kimi._messages.unawaited import close_unawaited


async def handle() -> None:
    """What a handler would do."""


def on_chat_model_start(inline_tasks: list[Coroutine[Any, Any, None]], non_inline_tasks: list[object]) -> int:
    """Stand for langchain-core's method, which holds what it has made for its handlers under these names."""
    close_unawaited()
    return len(inline_tasks) + len(non_inline_tasks)


def test_a_coroutine_that_was_never_awaited_is_closed() -> None:
    begun, first, second = handle(), handle(), handle()
    begun.close()
    assert on_chat_model_start([begun, first], [second, "no coroutine"]) == 4
    assert {inspect.getcoroutinestate(one) for one in (begun, first, second)} == {inspect.CORO_CLOSED}


def test_coroutines_made_outside_the_context_are_left_open() -> None:
    other = handle()
    close_unawaited()
    assert inspect.getcoroutinestate(other) == inspect.CORO_CREATED
    other.close()
