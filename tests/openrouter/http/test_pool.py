from collections import deque
from queue import SimpleQueue
from typing import Any

import pytest

from langchain_kimi._openrouter.http.pool import KEPT_FOR, KEPT_MOST, ClientPool


class Client:
    """What is lent: all that lending asks of it."""

    def __init__(self) -> None:
        self.is_closed = False


def pool(most: int = 2) -> ClientPool:
    return ClientPool(most, Client)


def test_the_client_returned_last_is_lent_first() -> None:
    some = pool(3)
    first, second, third = (some.take() for _ in range(3))
    for client in (second, third, first):
        assert some.give_back(client, 0.0) == []
    assert [some.take() for _ in range(3)] == [first, third, second]


def test_no_more_clients_are_lent_than_the_limit() -> None:
    some = pool()
    taken = some.take()
    assert isinstance(some.take(), Client)
    assert some.take() is None
    some.give_back(taken, 0.0)
    assert some.take() is taken


def test_what_cannot_be_made_is_not_lent() -> None:
    def fail() -> Any:
        raise ValueError("no certificates")

    broken = ClientPool(1, fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="no certificates"):
            broken.take()
    assert broken.lent == 0


def test_what_was_closed_by_others_is_replaced() -> None:
    some = pool(1)
    client = some.take()
    assert client is not None
    client.is_closed = True
    some.give_back(client, 0.0)
    newer = some.take()
    assert newer is not client
    waiter: SimpleQueue[Any] = SimpleQueue()
    some.waiting.append(waiter)
    assert newer is not None
    newer.is_closed = True
    some.give_back(newer, 0.0)
    assert not waiter.get_nowait().is_closed


def test_waiting_callers_are_served_in_order_and_first() -> None:
    some, boxes = pool(1), [SimpleQueue[Any]() for _ in range(2)]
    client = some.take()
    some.waiting.extend(boxes)
    some.give_back(client, 0.0)
    assert boxes[0].get_nowait() is client
    assert boxes[1].empty()
    assert some.take() is None
    some.give_back(client, 0.0)
    assert boxes[1].get_nowait() is client
    some.give_back(client, 0.0)
    assert some.lent == 0


def test_a_caller_that_stops_waiting_is_skipped() -> None:
    some, waiter = pool(1), SimpleQueue[Any]()
    client = some.take()
    some.waiting.append(waiter)
    assert some.leave(waiter, 0.0) == []
    some.give_back(client, 0.0)
    assert waiter.empty()


def test_a_caller_that_stops_too_late_returns_its_client() -> None:
    some, waiter = pool(1), SimpleQueue[Any]()
    client = some.take()
    some.waiting.append(waiter)
    some.give_back(client, 0.0)
    assert some.leave(waiter, 0.0) == []
    assert some.take() is client


def test_an_idle_client_is_closed_after_its_limit() -> None:
    some = pool()
    first, second = some.take(), some.take()
    some.give_back(first, 0.0)
    assert some.give_back(second, KEPT_FOR) == []
    assert some.take() is second
    assert some.give_back(second, KEPT_FOR + 0.1) == [first]
    assert [client for client, _ in some.free] == [second]


def test_no_more_idle_clients_are_kept_than_the_limit() -> None:
    some = pool(KEPT_MOST + 2)
    taken = [some.take() for _ in range(KEPT_MOST + 2)]
    assert [client for one in taken for client in some.give_back(one, 0.0)] == taken[:2]


def test_ending_closes_idle_clients_and_still_serves_waiting_callers() -> None:
    some, waiter = pool(3), SimpleQueue[Any]()
    first, second, third = (some.take() for _ in range(3))
    some.give_back(first, 0.0)
    some.waiting.append(waiter)
    assert some.end() == [first]
    # Who waits already is still served.
    assert some.give_back(second, 0.0) == []
    assert waiter.get_nowait() is second
    assert [some.give_back(client, 0.0) for client in (second, third)] == [[second], [third]]
    assert some.free == deque()
