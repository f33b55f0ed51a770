import gc
from collections import deque
from queue import SimpleQueue
from typing import Any

import pytest

from langchain_kimi._openrouter.http.pool import IDLE_SECONDS, MAX_IDLE, Caller, ClientPool


class Client:
    """A client with the only attribute that a pool reads."""

    def __init__(self) -> None:
        self.is_closed = False


class Call(Caller):
    """A call, with the client that it acquired at its beginning, if one was free."""

    def __init__(self, pool: ClientPool) -> None:
        super().__init__()
        self._pool = pool
        self.client = pool.acquire(self)

    def wait(self) -> "SimpleQueue[Any]":
        """Wait for a client and return the queue that will have it."""
        waiter: SimpleQueue[Any] = SimpleQueue()
        self._pool.wait(self, waiter)
        return waiter

    def end(self, now: float = 0.0) -> list[Any]:
        """Release the client."""
        return self._pool.release(self, self.client, now)


def pool(limit: int = 2) -> ClientPool:
    return ClientPool(limit, Client)


def test_the_client_released_last_is_acquired_first() -> None:
    clients = pool(3)
    first, second, third = (Call(clients) for _ in range(3))
    for call in (second, third, first):
        assert call.end() == []
    later = [Call(clients) for _ in range(3)]
    assert [call.client for call in later] == [first.client, third.client, second.client]


def test_no_more_clients_are_acquired_than_the_limit() -> None:
    clients = pool()
    first, second = Call(clients), Call(clients)
    assert isinstance(second.client, Client)
    assert Call(clients).client is None
    first.end()
    assert Call(clients).client is first.client


def test_a_client_that_cannot_be_created_does_not_count() -> None:
    def fail() -> Any:
        raise ValueError("no certificates")

    broken = ClientPool(1, fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="no certificates"):
            broken.acquire(Caller())
    assert len(broken.callers) == 0


def test_a_call_that_is_dropped_does_not_count() -> None:
    clients = pool(1)
    call = Call(clients)
    waiting = Call(clients)
    waiting.wait()
    assert (len(clients.callers), clients.is_unused) == (1, False)
    del call, waiting
    gc.collect()
    assert (len(clients.callers), clients.is_unused) == (0, True)
    last = Call(clients)
    assert last.client is not None
    assert last.end() == []
    assert [client for client, _ in clients.idle] == [last.client]


def test_a_closed_client_is_replaced() -> None:
    clients = pool(1)
    first = Call(clients)
    assert first.client is not None
    first.client.is_closed = True
    first.end()
    second, third = Call(clients), Call(clients)
    assert second.client is not None
    assert second.client is not first.client
    waiter = third.wait()
    second.client.is_closed = True
    second.end()
    assert not waiter.get_nowait().is_closed


def test_waiting_callers_are_served_in_order_and_first() -> None:
    clients = pool(1)
    first, second, third = (Call(clients) for _ in range(3))
    waiters = [second.wait(), third.wait()]
    first.end()
    assert waiters[0].get_nowait() is first.client
    assert waiters[1].empty()
    assert Call(clients).client is None
    clients.release(second, first.client, 0.0)
    assert waiters[1].get_nowait() is first.client
    clients.release(third, first.client, 0.0)
    assert len(clients.callers) == 0


def test_a_caller_that_stops_waiting_is_skipped() -> None:
    clients = pool(1)
    first, second = Call(clients), Call(clients)
    waiter = second.wait()
    assert clients.stop_waiting(second, 0.0) == []
    first.end()
    assert waiter.empty()


def test_a_caller_that_stops_too_late_releases_its_client() -> None:
    clients = pool(1)
    first, second = Call(clients), Call(clients)
    second.wait()
    first.end()
    assert clients.stop_waiting(second, 0.0) == []
    assert Call(clients).client is first.client


def test_an_idle_client_is_closed_after_its_limit() -> None:
    clients = pool()
    first, second = Call(clients), Call(clients)
    first.end()
    assert second.end(IDLE_SECONDS - 0.1) == []
    third = Call(clients)
    assert third.client is second.client
    assert third.end(IDLE_SECONDS) == [first.client]
    assert [client for client, _ in clients.idle] == [second.client]


def test_no_more_idle_clients_are_kept_than_the_limit() -> None:
    clients = pool(MAX_IDLE + 2)
    calls = [Call(clients) for _ in range(MAX_IDLE + 2)]
    assert [client for call in calls for client in call.end()] == [call.client for call in calls[:2]]


def test_retiring_closes_idle_clients_and_still_serves_waiting_callers() -> None:
    clients = pool(3)
    first, second, third, fourth = (Call(clients) for _ in range(4))
    first.end()
    waiter = fourth.wait()
    assert clients.retire() == [first.client]
    # Calls that already wait are still served.
    assert second.end() == []
    assert waiter.get_nowait() is second.client
    assert clients.release(fourth, second.client, 0.0) == [second.client]
    assert third.end() == [third.client]
    assert clients.idle == deque()
