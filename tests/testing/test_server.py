import asyncio
import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from langchain_kimi.testing.http1 import Cut, Hang, HttpRequest, Pause, Repeat, Response
from langchain_kimi.testing.server import LoopbackServer


@contextlib.contextmanager
def serving(respond: Callable[[HttpRequest], Response] | Response) -> Iterator[tuple[LoopbackServer, str]]:
    server = LoopbackServer(respond if callable(respond) else lambda _: respond)
    try:
        yield server, f"http://127.0.0.1:{server.port}"
    finally:
        server.close()


def spoken(server: LoopbackServer, *sent: bytes) -> bytes:
    """Return the bytes that a socket receives until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port)) as bare:
        for piece in sent:
            bare.sendall(piece)
        return b"".join(iter(lambda: bare.recv(65536), b""))


def test_a_body_of_bytes_has_a_content_length() -> None:
    with serving(Response(steps=(b"ab", b"c"), headers={"X-One": "1"}, chunked=False)) as (_, url):
        response = httpx.get(url)
    assert response.content == b"abc"
    assert response.headers["content-length"] == "3"
    assert response.headers["x-one"] == "1"


def test_a_stream_is_chunked_and_skips_empty_pieces() -> None:
    with serving(Response(steps=(b"ab", b"", Pause(0), b"c"))) as (_, url), httpx.stream("GET", url) as response:
        assert response.headers["transfer-encoding"] == "chunked"
        assert list(response.iter_raw()) == [b"ab", b"c"]


def test_a_connection_is_reused() -> None:
    with serving(Response(steps=(b"ok",))) as (server, url), httpx.Client() as client:
        assert [client.get(url).text for _ in range(3)] == ["ok"] * 3
        assert (server.open_connections, server.connections_opened) == (1, 1)


def test_a_connection_is_closed_on_request() -> None:
    with serving(Response(steps=(b"ok",))) as (server, _):
        answered = spoken(server, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answered.endswith(b"\r\n2\r\nok\r\n0\r\n\r\n")


def test_old_clients_may_keep_a_connection() -> None:
    plain, last = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"
    with serving(Response(steps=(b"ok",), chunked=False)) as (server, _):
        assert spoken(server, plain + last).count(b"ok") == 2
    with serving(Response(steps=(b"o", Pause(0), b"k"))) as (server, _):
        assert spoken(server, plain + last).count(b"ok") == 1


def test_the_response_to_head_has_no_body() -> None:
    head, last = b"HEAD / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
    for chunked in (False, True):
        with serving(Response(steps=(b"ok",), chunked=chunked)) as (server, _):
            first, second, body = spoken(server, head + last).split(b"\r\n\r\n", 2)
        assert (b"ok" in first, b"connection: close" in second, b"ok" in body) == (False, True, True)


def test_line_breaks_before_a_request_are_ignored() -> None:
    with serving(Response(steps=(b"ok",), chunked=False)) as (server, _):
        assert spoken(server, b"\r\n\r\nGET / HTTP/1.0\r\n\r\n").endswith(b"ok")
        assert spoken(server, b"\n\r\nGET / HTTP/1.0\r\n\r\n").endswith(b"ok")


def test_lines_of_a_head_may_end_in_lf_alone() -> None:
    def respond(request: HttpRequest) -> Response:
        return Response(steps=(request.headers["host"].encode() + request.body,), chunked=False)

    with serving(respond) as (server, _):
        first, second = b"POST / HTTP/1.1\nHost: a\nContent-Length: 3\n\nx\n", b"yPOST / HTTP/1.0\r\nHost: b\n\r\n"
        received = spoken(server, first, second)
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert b"ax\ny" in received


def test_an_unknown_transfer_encoding_is_not_implemented() -> None:
    with serving(Response()) as (server, _):
        sent = b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
        assert spoken(server, sent).startswith(b"HTTP/1.1 501 Not Implemented\r\n")


def test_a_malformed_request_ends_a_kept_connection() -> None:
    with serving(Response(steps=(b"ok",), chunked=False)) as (server, _):
        assert b"HTTP/1.1 400" in spoken(server, b"HEAD / HTTP/1.1\r\n\r\n", b"GET\r\n\r\n")


def test_requests_can_be_split_and_pipelined() -> None:
    bodies: list[bytes] = []

    def respond(request: HttpRequest) -> Response:
        bodies.append(request.body)
        return Response(steps=(b"ok",), chunked=False)

    first, second = b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab", b"cdGET / HTTP/1.1\r\nConnection: close\r\n\r\n"
    with serving(respond) as (server, _):
        assert spoken(server, first, second).count(b"HTTP/1.1 200 OK") == 2
    assert bodies == [b"abcd", b""]


def test_a_request_can_arrive_during_a_reply() -> None:
    with (
        serving(Response(steps=(b"a", Pause(0.05), b"b"))) as (server, _),
        socket.create_connection(("127.0.0.1", server.port)) as bare,
    ):
        bare.sendall(b"GET / HTTP/1.1\r\n\r\n")
        received = bare.recv(65536)
        bare.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        received += b"".join(iter(lambda: bare.recv(65536), b""))
    assert received.count(b"\r\nb\r\n0\r\n\r\n") == 2


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: some\r\n\r\n",
    ],
)
def test_malformed_requests_are_rejected(sent: bytes) -> None:
    with serving(Response()) as (server, _):
        assert spoken(server, sent).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_bytes_before_a_reset_arrive() -> None:
    with serving(Response(steps=(b"ab", Cut()))) as (_, url), httpx.stream("GET", url) as response:
        pieces = response.iter_raw()
        assert next(pieces) == b"ab"
        with pytest.raises(httpx.ReadError):
            next(pieces)


def test_a_connection_can_be_closed_within_the_body() -> None:
    with serving(Response(steps=(b"ab", Cut(reset=False)))) as (_, url), httpx.stream("GET", url) as response:
        pieces = response.iter_raw()
        assert next(pieces) == b"ab"
        with pytest.raises(httpx.RemoteProtocolError):
            next(pieces)


def test_steps_before_the_head_are_played_first() -> None:
    with serving(Response(steps=(b"late",), before=(Pause(0.001),))) as (_, url):
        assert httpx.get(url).text == "late"
    with serving(Response(before=(Hang(),))) as (_, url), pytest.raises(httpx.ReadTimeout):
        httpx.get(url, timeout=0.05)


@pytest.mark.parametrize("step", [Hang(), Repeat(b": still here\n\n", 0.001), Pause(3600)])
def test_a_closed_connection_ends_endless_steps(step: Hang | Repeat | Pause) -> None:
    ends: list[bool] = []
    over = threading.Event()

    def on_end(finished: bool) -> None:  # noqa: FBT001 - the shape of a listener
        ends.append(finished)
        over.set()

    with serving(Response(steps=(b"first", step), on_end=on_end)) as (server, url):
        with httpx.stream("GET", url) as response:
            pieces = response.iter_raw()
            assert next(pieces) == b"first"
            assert server.open_connections == 1
        assert over.wait(10)
        assert ends == [False]


@pytest.mark.parametrize("step", [Hang(), Repeat(b": still here\n\n", 0.001)])
def test_closing_closes_connections_and_frees_the_port(step: Hang | Repeat) -> None:
    with serving(Response(steps=(b"first", step))) as (server, url), httpx.stream("GET", url) as response:
        pieces = response.iter_raw()
        assert next(pieces) == b"first"
        server.close()
        assert server.open_connections == 0
        with pytest.raises(httpx.TransportError):
            list(pieces)
        server.close()
    LoopbackServer(lambda _: Response(), port=server.port).close()


def test_a_taken_port_raises() -> None:
    with serving(Response()) as (server, _), pytest.raises(OSError, match="in use"):
        LoopbackServer(lambda _: Response(), port=server.port)


def test_closing_raises_the_exception_of_a_handler() -> None:
    def fail(_: HttpRequest) -> Response:
        raise ZeroDivisionError

    server = LoopbackServer(fail)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{server.port}")
    with pytest.raises(RuntimeError, match="could not be served") as raised:
        server.close()
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_a_slow_reader_gets_the_whole_reply() -> None:
    size = 20_000_000
    finished = threading.Event()
    big = Response(steps=(bytes(size), b"!"), on_end=lambda done: finished.set() if done else None)
    with serving(big) as (_, url):
        with httpx.stream("GET", url) as response:
            pieces = response.iter_raw()
            received = len(next(pieces))
            assert not finished.is_set()
            received += sum(len(piece) for piece in pieces)
        assert received == size + 1
        assert finished.wait(10)


@pytest.mark.uncovered
async def test_a_thousand_streams_at_once() -> None:
    streams, pieces = 1000, 5

    async def read(server: LoopbackServer) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        received = await reader.read()
        writer.close()
        return received.count(b"0123456789")

    steps = [step for _ in range(pieces) for step in (Pause(0.05), b"0123456789")]
    with serving(Response(steps=steps)) as (server, _):
        assert await asyncio.gather(*(read(server) for _ in range(streams))) == [pieces] * streams
        assert server.connections_opened == streams


@pytest.mark.parametrize("steps", [(b"ab", b"c"), (b"ab", Pause(0.001), b"c")], ids=["whole", "in steps"])
def test_old_clients_are_served(steps: Any) -> None:
    with serving(Response(steps=steps)) as (server, _):
        received = spoken(server, b"GET / HTTP/1.0\r\n\r\n")
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.endswith(b"connection: close")
    assert body == b"abc"


def test_request_bodies_can_be_chunked_and_compressed() -> None:
    bodies: list[bytes] = []

    def respond(request: HttpRequest) -> Response:
        bodies.append(request.body)
        return Response()

    with serving(respond) as (_, url):
        httpx.post(url, content=iter([b"a", b"bc"]))
        httpx.post(url, content=gzip.compress(b"abc"), headers={"content-encoding": "gzip"})
    assert bodies == [b"abc", b"abc"]


def test_a_client_may_wait_for_permission() -> None:
    with serving(Response()) as (server, _):
        received = spoken(
            server, b"POST / HTTP/1.1\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", b"a"
        )
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_old_clients_get_no_permission() -> None:
    with serving(Response()) as (server, _):
        received = spoken(server, b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", b"a")
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
