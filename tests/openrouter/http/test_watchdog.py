import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from langchain_kimi._openrouter.http import watchdog
from langchain_kimi._openrouter.http.watchdog import Watch, within
from langchain_kimi.errors import KimiConnectionError, KimiTimeoutError
from langchain_kimi.testing.faults import CONNECTIONS, listening
from tests.faults.test_hostile_connections import model_at
from tests.faults.ways import ask


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The two ends of a connection."""
    near, far = socket.socketpair()
    near.settimeout(30.0)
    yield near, far
    near.close()
    far.close()


def reply_on(connection: Any, version: bytes = b"HTTP/1.1") -> httpx.Response:
    """Return a response with the attributes that a watch reads."""
    stream = SimpleNamespace(get_extra_info={"socket": connection}.get)
    return httpx.Response(200, extensions={"network_stream": stream, "http_version": version})


def watchdogs() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "langchain-kimi-watchdog"]


def test_a_blocked_read_ends_when_the_time_is_over(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    with Watch(reply_on(near)) as watch:
        watch.shut_down_in(0.02)
        assert near.recv(1) == b""
        assert watch.has_shut_down
    assert far.recv(1) == b""


def test_only_the_limit_that_was_set_last_counts(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    settings: list[tuple[float | None, ...]] = [(0.3, None), (0.3, 60.0), (60.0, 0.3, 60.0), (60.0, None, 60.0)]
    with ExitStack() as replies:
        watches = [replies.enter_context(Watch(reply_on(near))) for _ in settings]
        other = replies.enter_context(Watch(reply_on(far)))
        for watch, seconds in zip(watches, settings, strict=True):
            for each in seconds:
                watch.shut_down_in(each)
        # This deadline is later than the replaced ones.
        other.shut_down_in(0.5)
        assert far.recv(1) == b""
        assert other.has_shut_down
        assert not any(watch.has_shut_down for watch in watches)


def test_an_earlier_deadline_wakes_the_thread(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    with Watch(reply_on(near)) as watch, Watch(reply_on(far)) as other:
        other.shut_down_in(60.0)
        watch.shut_down_in(30.0)
        watch.shut_down_in(0.02)
        assert near.recv(1) == b""
        assert not other.has_shut_down


@pytest.mark.waits
def test_nothing_is_shut_down_after_the_reply(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    with Watch(reply_on(near)) as watch:
        watch.shut_down_in(0.3)
    for thread in watchdogs():
        thread.join()
    far.sendall(b"still there")
    assert near.recv(100) == b"still there"
    assert not watch.has_shut_down


def test_a_closed_connection_can_be_shut_down(pair: tuple[socket.socket, socket.socket]) -> None:
    near, _ = pair
    with Watch(reply_on(near)) as watch:
        near.close()
        watch.shut_down_in(0.01)
        # Without a shutdown this ends with the time limit of the test.
        while not watch.has_shut_down:
            time.sleep(0.001)


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200),
        reply_on(None),
        reply_on("not a socket"),
        reply_on(socket.socket.__new__(socket.socket), b"HTTP/2"),
    ],
)
def test_replies_that_are_not_watched(reply: httpx.Response) -> None:
    before = watchdogs()
    with Watch(reply) as watch:
        watch.shut_down_in(0.0)
        watch.shut_down()
    assert watchdogs() == before


@pytest.mark.waits
def test_one_thread_serves_all_responses_and_ends_later(pair: tuple[socket.socket, socket.socket]) -> None:
    seen = set()
    for _ in range(50):
        with Watch(reply_on(pair[0])) as watch, Watch(reply_on(pair[1])) as other:
            # The deadline of a complete stream does not wake the thread.
            other.shut_down_in(60.0)
            watch.shut_down_in(0.5)
            seen.update(watchdogs())
    assert len(seen) == 1
    for thread in watchdogs():
        thread.join()
    assert watchdogs() == []


def test_a_reply_may_end_while_another_thread_has_the_lock(pair: tuple[socket.socket, socket.socket]) -> None:
    with Watch(reply_on(pair[0])) as watch:
        watch.shut_down_in(60.0)
        with watchdog._watchdog._lock:
            ending = threading.Thread(target=watch.shut_down_in, args=(None,))
            ending.start()
            ending.join()


@pytest.mark.waits
def test_a_reply_is_read_without_a_thread(pair: tuple[socket.socket, socket.socket]) -> None:
    for thread in watchdogs():
        thread.join()
    before = threading.stack_size()
    with suppress(ValueError):
        # No system has so much memory, so no thread can be started.
        threading.stack_size(2**62)
    try:
        with Watch(reply_on(pair[0])) as watch:
            watch.shut_down_in(0.0)
            assert watchdogs() == []
    finally:
        threading.stack_size(before)
    with Watch(reply_on(pair[0])) as watch:
        watch.shut_down_in(0.01)
        assert pair[0].recv(1) == b""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_child_process_has_its_own_watchdog(pair: tuple[socket.socket, socket.socket]) -> None:
    with Watch(reply_on(pair[0])) as watch:
        watch.shut_down_in(60.0)
        if (child := os.fork()) == 0:  # pragma: no cover - another process
            near, _ = socket.socketpair()
            near.settimeout(30.0)
            Watch(reply_on(near)).shut_down_in(0.01)
            os._exit(7 if near.recv(1) == b"" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert not watch.has_shut_down


def test_after_a_fork_the_threads_are_gone(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    with Watch(reply_on(far)) as parents_watch:
        parents_watch.shut_down_in(60.0)
        watchdog._start_over_after_fork()
        with Watch(reply_on(near)) as watch:
            watch.shut_down_in(0.01)
            assert near.recv(1) == b""
        assert not parents_watch.has_shut_down


def test_a_block_that_takes_too_long_loses_its_connection(pair: tuple[socket.socket, socket.socket]) -> None:
    near, _ = pair
    with within(near, 0.01) as watch:
        assert near.recv(1) == b""
        assert watch.has_shut_down


def test_a_block_in_time_and_one_without_a_limit_keep_their_connection(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    near, far = pair
    for limit in (60.0, None):
        with within(near, limit) as watch:
            assert not watch.has_shut_down
    with within(None, 0.01) as watch:
        assert not watch.has_shut_down
    far.send(b"a")
    assert near.recv(1) == b"a"


@pytest.mark.waits
@pytest.mark.uncovered
@pytest.mark.parametrize(("name", "kind"), [("TLS: a flood of hellos", "Timeout"), ("TLS: an alert", "Error")])
def test_a_handshake_that_never_waits_ends_at_the_time_limit(name: str, kind: str) -> None:
    with listening(CONNECTIONS[name]) as port:
        outcome = ask(model_at(port, CONNECTIONS[name], None), "invoke")
    assert isinstance(outcome.error, KimiTimeoutError if kind == "Timeout" else KimiConnectionError)
