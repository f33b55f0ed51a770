"""Servers that never stop sending, but never send content: the idle and the total timeout end every call."""

import contextlib
import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from langchain_kimi._openrouter.http.clients import close
from langchain_kimi._openrouter.http.connection import Connection
from langchain_kimi.errors import KimiTimeoutError
from langchain_kimi.testing.http1 import frame
from tests.openrouter.http.calling import Ask, call

EVERY = 0.01
"""Seconds between two pieces."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"


@contextmanager
def raw_server(first: bytes, again: bytes) -> Iterator[str]:
    """Serve each connection with the first bytes, then with the others again and again."""
    listener = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.recv(65536)
            connection.sendall(first)
            while not is_over.wait(EVERY):
                connection.sendall(again)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        is_over.set()
        listener.close()
        close(Connection())


PACKED = gzip.compress(b"")
ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "header lines": (b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
    "informational responses": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a chunk extension": (HEAD + b"\r\n5;", b"a"),
    "digits of a chunk size": (HEAD + b"\r\n", b"0"),
    "a trailer": (HEAD + b"\r\n0\r\n", b"X-More: 1\r\n"),
    "compressed bytes without content": (
        HEAD + b"Content-Encoding: gzip\r\n\r\na\r\n" + PACKED[:10] + b"\r\n",
        b"5\r\n\x00\x00\x00\xff\xff\r\n",
    ),
    **{
        name: (HEAD + b"\r\n" + frame(event), frame(event))
        for name, event in {
            "comments": b": x\n\n",
            "empty events": b"data: \n\n",
            "empty objects": b"data: {}\n\n",
            "empty deltas": b'data: {"choices": [{"delta": {"content": ""}}]}\n\n',
            "an event without an end": b"data:\n",
            "pings": b"event: ping\n\n",
        }.items()
    },
}


@pytest.mark.uncovered
@pytest.mark.waits
@pytest.mark.parametrize("limits", [{"total": 0.1}, {"idle": 0.1}], ids=["total", "idle"])
@pytest.mark.parametrize("plain", [True, False], ids=["plain", "stream"])
@pytest.mark.parametrize(("first", "again"), ENDLESS.values(), ids=ENDLESS.keys())
def test_bytes_without_content_extend_no_limit(
    ask: Ask, first: bytes, again: bytes, limits: dict[str, Any], *, plain: bool
) -> None:
    with raw_server(first, again) as url:
        [error] = ask(call(url, plain=plain, **limits))
    assert type(error) is KimiTimeoutError


@pytest.mark.uncovered
@pytest.mark.waits
@pytest.mark.parametrize("limits", [{"total": 5.0}, {"idle": 5.0}], ids=["total", "idle"])
@pytest.mark.parametrize("plain", [True, False], ids=["plain", "stream"])
@pytest.mark.parametrize("again", [b"data: {}\n\n", b"data: [DONE]\n\n", b": x\n\n"])
def test_events_after_the_end_do_not_delay_the_answer(
    ask: Ask, again: bytes, limits: dict[str, Any], *, plain: bool
) -> None:
    event = b'data: {"choices": [{"delta": {"content": "whole"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    with raw_server(HEAD + b"\r\n" + frame(event), frame(again)) as url:
        assert ask(call(url, plain=plain, **limits)) == ["whole"]


def server_with(*responses: bytes) -> Any:
    """Serve these bytes, one for each request, on one listener."""
    listener = socket.create_server(("127.0.0.1", 0))
    requests: list[int] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = listener.accept()[0]
                threading.Thread(target=answer, args=(connection, len(requests)), daemon=True).start()

    def answer(connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection:
            while connection.recv(65536):
                requests.append(number)
                connection.sendall(responses[min(len(requests), len(responses)) - 1])

    threading.Thread(target=serve, daemon=True).start()
    return listener


def plain_reply(text: str) -> bytes:
    body = b'{"choices": [{"message": {"content": "%s"}, "finish_reason": "stop"}]}' % text.encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def test_bytes_after_a_reply_are_not_the_next_reply(ask: Ask) -> None:
    listener = server_with(plain_reply("mine") + plain_reply("stolen"), plain_reply("right"))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    assert ask(call(url, plain=True), call(url, plain=True)) == ["mine", "right"]
    listener.close()
