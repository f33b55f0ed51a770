from collections import deque
from queue import SimpleQueue
from typing import Any

import pytest

from langchain_kimi._openrouter.http.pool import IDLE_SECONDS, MAX_IDLE, ClientPool


class Client:
    """A client with the only attribute that a pool reads."""

    def __init__(self) -> None:
        self.is_closed = False


def pool(limit: int = 2) -> ClientPool:
    return ClientPool(limit, Client)


def test_the_client_released_last_is_acquired_first() -> None:
    clients = pool(3)
    first, second, third = (clients.acquire() for _ in range(3))
    for client in (second, third, first):
        assert clients.release(client, 0.0) == []
    assert [clients.acquire() for _ in range(3)] == [first, third, second]


def test_no_more_clients_are_acquired_than_the_limit() -> None:
    clients = pool()
    taken = clients.acquire()
    assert isinstance(clients.acquire(), Client)
    assert clients.acquire() is None
    clients.release(taken, 0.0)
    assert clients.acquire() is taken


def test_a_client_that_cannot_be_created_does_not_count() -> None:
    def fail() -> Any:
        raise ValueError("no certificates")

    broken = ClientPool(1, fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="no certificates"):
            broken.acquire()
    assert broken.in_use == 0


def test_a_closed_client_is_replaced() -> None:
    clients = pool(1)
    client = clients.acquire()
    assert client is not None
    client.is_closed = True
    clients.release(client, 0.0)
    newer = clients.acquire()
    assert newer is not client
    waiter: SimpleQueue[Any] = SimpleQueue()
    clients.waiters.append(waiter)
    assert newer is not None
    newer.is_closed = True
    clients.release(newer, 0.0)
    assert not waiter.get_nowait().is_closed


def test_waiting_callers_are_served_in_order_and_first() -> None:
    clients, waiters = pool(1), [SimpleQueue[Any]() for _ in range(2)]
    client = clients.acquire()
    clients.waiters.extend(waiters)
    clients.release(client, 0.0)
    assert waiters[0].get_nowait() is client
    assert waiters[1].empty()
    assert clients.acquire() is None
    clients.release(client, 0.0)
    assert waiters[1].get_nowait() is client
    clients.release(client, 0.0)
    assert clients.in_use == 0


def test_a_caller_that_stops_waiting_is_skipped() -> None:
    clients, waiter = pool(1), SimpleQueue[Any]()
    client = clients.acquire()
    clients.waiters.append(waiter)
    assert clients.stop_waiting(waiter, 0.0) == []
    clients.release(client, 0.0)
    assert waiter.empty()


def test_a_caller_that_stops_too_late_releases_its_client() -> None:
    clients, waiter = pool(1), SimpleQueue[Any]()
    client = clients.acquire()
    clients.waiters.append(waiter)
    clients.release(client, 0.0)
    assert clients.stop_waiting(waiter, 0.0) == []
    assert clients.acquire() is client


def test_an_idle_client_is_closed_after_its_limit() -> None:
    clients = pool()
    first, second = clients.acquire(), clients.acquire()
    clients.release(first, 0.0)
    assert clients.release(second, IDLE_SECONDS) == []
    assert clients.acquire() is second
    assert clients.release(second, IDLE_SECONDS + 0.1) == [first]
    assert [client for client, _ in clients.idle] == [second]


def test_no_more_idle_clients_are_kept_than_the_limit() -> None:
    clients = pool(MAX_IDLE + 2)
    taken = [clients.acquire() for _ in range(MAX_IDLE + 2)]
    assert [client for one in taken for client in clients.release(one, 0.0)] == taken[:2]


def test_retiring_closes_idle_clients_and_still_serves_waiting_callers() -> None:
    clients, waiter = pool(3), SimpleQueue[Any]()
    first, second, third = (clients.acquire() for _ in range(3))
    clients.release(first, 0.0)
    clients.waiters.append(waiter)
    assert clients.retire() == [first]
    # Calls that already wait are still served.
    assert clients.release(second, 0.0) == []
    assert waiter.get_nowait() is second
    assert [clients.release(client, 0.0) for client in (second, third)] == [[second], [third]]
    assert clients.idle == deque()
