"""The clients over httptools. The rules for a connection hold for the client over aiohttp, too."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from langchain_kimi._openrouter.http.aiohttp_client import AiohttpClient
from langchain_kimi._openrouter.http.clients import close
from langchain_kimi._openrouter.http.connection import Connection
from langchain_kimi._openrouter.http.httptools_client import AsyncHttptoolsClient, HttptoolsClient
from langchain_kimi._openrouter.http.parsing import Incoming
from langchain_kimi.errors import KimiConnectionError, KimiIncompleteStreamError, KimiTimeoutError
from langchain_kimi.testing.faults import CONNECTIONS, listening
from langchain_kimi.testing.http1 import Cut, Hang
from tests.faults.cases import partial_of
from tests.faults.relay import certificate
from tests.openrouter.events import WHOLE, text_event
from tests.openrouter.http.calling import Ask, call, serving, streamed
from tests.openrouter.http.connecting import LARGE, Exchanges, answering

HTTPTOOLS = (HttptoolsClient, AsyncHttptoolsClient)
KINDS = (*HTTPTOOLS, AiohttpClient)
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


@EVERY_KIND
def test_a_connection_is_reused_only_for_the_same_server(kind: Any) -> None:
    with answering(REPLY) as server, answering(REPLY) as other, Exchanges(kind) as exchange:
        for port in (server.port, server.port, other.port, server.port):
            assert exchange(f"http://127.0.0.1:{port}/") == (200, b"one")
            assert not exchange.client.is_busy
        assert exchange(f"http://127.0.0.1:{server.port}/", b"", "GET") == (200, b"one")
        assert (server.connections, other.connections) == (2, 1)


@EVERY_KIND
def test_a_connection_that_was_idle_for_too_long_is_not_used_again(kind: Any) -> None:
    with answering(REPLY) as server, Exchanges(kind, idle_seconds=0.001) as exchange:
        for number in (1, 2):
            assert exchange(f"http://127.0.0.1:{server.port}/") == (200, b"one")
            exchange.wait(0.05)
            assert server.connections == number


@pytest.mark.waits
@EVERY_KIND
@pytest.mark.parametrize("after", [b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled", b"x"])
@pytest.mark.parametrize("is_received", [False, True])
def test_bytes_on_an_idle_connection_end_it(kind: Any, after: bytes, *, is_received: bool) -> None:
    with answering(REPLY, after=after) as server, Exchanges(kind) as exchange:
        assert exchange(f"http://127.0.0.1:{server.port}/") == (200, b"one")
        server.may_end.set()
        (exchange.wait if is_received else time.sleep)(0.1)
        assert exchange(f"http://127.0.0.1:{server.port}/") == (200, b"one")
        assert server.connections == 2


@EVERY_KIND
@pytest.mark.parametrize("reply", [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\none"])
def test_a_client_whose_connection_will_close_is_busy(kind: Any, reply: bytes) -> None:
    with answering(reply) as server, Exchanges(kind) as exchange:
        assert exchange(f"http://127.0.0.1:{server.port}/") == (200, b"one")
        assert exchange.client.is_busy


@EVERY_KIND
def test_the_reply_of_a_server_that_did_not_read_the_request_is_read_if_it_can_be(kind: Any) -> None:
    refusal = CONNECTIONS["replies within the request"]
    with listening(refusal) as port, Exchanges(kind) as exchange:
        try:
            status, _ = exchange(f"http://127.0.0.1:{port}/", LARGE)
        except httpx.TransportError:
            assert exchange.client.is_busy
        else:
            assert status == 413


@EVERY_KIND
def test_a_large_body_is_sent(kind: Any) -> None:
    with answering(REPLY) as server, Exchanges(kind) as exchange:
        assert exchange(f"http://127.0.0.1:{server.port}/", LARGE) == (200, b"one")


@pytest.mark.waits
@EVERY_KIND
def test_a_connection_over_tls_is_used_again(kind: Any, tmp_path: Path) -> None:
    _, context = certificate(tmp_path)
    with answering(REPLY, tls=context) as server, Exchanges(kind) as exchange:
        for _ in range(2):
            assert exchange(f"https://127.0.0.1:{server.port}/") == (200, b"one")
        assert server.connections == 1


@EVERY_KIND
def test_a_server_without_the_protocol_fails(kind: Any) -> None:
    switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n"
    with answering(switching) as server, Exchanges(kind) as exchange, pytest.raises(httpx.RemoteProtocolError):
        exchange(f"http://127.0.0.1:{server.port}/")


def transports(ask: Ask) -> list[dict[str, Any]]:
    return [{"transport": name} for name in ("httptools", *(["aiohttp"] if ask.is_async else []))]


def test_replies_and_failures_of_calls(ask: Ask) -> None:
    for on in transports(ask):
        with serving(
            streamed(*WHOLE), streamed(text_event("Hel"), Cut()), streamed(text_event("Hel"), Hang())
        ) as server:
            whole, cut, late = ask(*(call(server.url, connection=on, idle=seconds) for seconds in (None, None, 0.3)))
            close(Connection(**on))
        assert whole == "Hello"
        assert isinstance(cut, KimiIncompleteStreamError)
        assert isinstance(late, KimiTimeoutError)
        assert [partial_of(error).text for error in (cut, late)] == ["Hel", "Hel"]


@pytest.mark.waits
def test_time_limits_hold_in_each_phase(ask: Ask) -> None:
    for on in transports(ask):
        with listening(CONNECTIONS["never replies"]) as port:
            [late] = ask(call(f"http://127.0.0.1:{port}/v1", connection=on, idle=0.2))
        assert isinstance(late, KimiTimeoutError)
        with listening(CONNECTIONS["TLS: hangs"]) as port:
            [unconnected] = ask(call(f"https://127.0.0.1:{port}/v1", connection=on, connect=0.2))
        assert isinstance(unconnected, KimiTimeoutError)
        assert "No connection within 0.2 seconds" in str(unconnected)


def test_a_server_that_cannot_be_reached_is_a_typed_error(ask: Ask) -> None:
    for on in transports(ask):
        for url in ("http://127.0.0.1:9/v1", "http://a..b/v1"):
            [error] = ask(call(url, connection=on))
            assert isinstance(error, KimiConnectionError)
            assert "No connection to" in str(error)


def test_an_untrusted_certificate_is_named(ask: Ask, tmp_path: Path) -> None:
    _, context = certificate(tmp_path)
    for on in transports(ask):
        with answering(REPLY, tls=context) as server:
            [error] = ask(call(f"https://127.0.0.1:{server.port}/v1", connection=on, retries=3))
        assert isinstance(error, KimiConnectionError)
        assert "is not trusted" in str(error)
        assert not error.is_retryable


@pytest.mark.parametrize("kind", HTTPTOOLS)
@pytest.mark.parametrize("is_sent", [True, False])
def test_a_connection_on_which_a_part_of_the_request_was_not_sent_is_not_used_again(
    kind: Any, *, is_sent: bool
) -> None:
    """The next request would be read as the rest of this one."""
    client = kind(tls=None)
    client._incoming = Incoming()
    client._incoming.feed(REPLY)
    client._is_sent = is_sent
    client.finish()
    assert client.is_busy is not is_sent
