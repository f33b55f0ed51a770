"""The client over aiohttp. The rules that it shares with others are tested with httptools."""

import asyncio
import gc
from typing import Any

import aiohttp
import httpx
import pytest
from aiohttp.base_protocol import BaseProtocol
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from langchain_kimi._openrouter.http.aiohttp_client import AiohttpClient, _Body, _sessions_of_parents, _translated
from langchain_kimi._openrouter.http.network import NoLimits
from langchain_kimi.errors import KimiUsageError
from tests.conftest import KEY
from tests.openrouter.http.connecting import Exchanges, answering

REPLY = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 3\r\n\r\none"


class LastMoment(NoLimits):
    """A limit that is nearly over."""

    def read_left(self) -> float:  # type: ignore[override]  # other limits end
        """Return a short time."""
        return 0.01


def content_of(loop: asyncio.AbstractEventLoop) -> aiohttp.StreamReader:
    return aiohttp.StreamReader(BaseProtocol(loop), 2**16, loop=loop)


async def test_bytes_before_a_failure_are_read_first() -> None:
    content = content_of(asyncio.get_running_loop())
    body = _Body(content, NoLimits())
    content.feed_data(b"one")
    content.set_exception(aiohttp.ClientPayloadError("cut"))
    assert await anext(body) == b"one"
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError, match="cut"):
            await anext(body)


async def test_a_failure_without_bytes_is_raised_at_once() -> None:
    content = content_of(asyncio.get_running_loop())
    content.set_exception(aiohttp.ClientOSError(104, "reset"))
    with pytest.raises(httpx.ReadError, match="reset"):
        await anext(_Body(content, NoLimits()))


async def test_pieces_that_came_together_are_one_and_the_end_ends_them() -> None:
    content = content_of(asyncio.get_running_loop())
    content.feed_data(b"one ")
    content.feed_data(b"two")
    content.feed_eof()
    body = _Body(content, NoLimits())
    assert [piece async for piece in body] == [b"one two"]
    await body.aclose()


def connected(loop: asyncio.AbstractEventLoop) -> aiohttp.StreamReader:
    protocol = BaseProtocol(loop)
    protocol.connection_made(asyncio.Transport())
    return aiohttp.StreamReader(protocol, 2**16, loop=loop)


async def test_a_wait_ends_at_its_limit() -> None:
    with pytest.raises(httpx.ReadTimeout):
        await anext(_Body(connected(asyncio.get_running_loop()), LastMoment()))


async def test_bytes_that_come_during_a_wait_are_read() -> None:
    loop = asyncio.get_running_loop()
    for limits in (NoLimits(), LastMoment()):
        content = connected(loop)
        loop.call_soon(content.feed_data, b"one")
        assert await anext(_Body(content, limits)) == b"one"


def test_a_body_is_not_read_on_another_loop() -> None:
    async def begun() -> _Body:
        return _Body(connected(asyncio.get_running_loop()), NoLimits())

    body = asyncio.run(begun())

    async def read() -> None:
        with pytest.raises(KimiUsageError, match="another event loop"):
            await anext(body)

    asyncio.run(read())


def test_a_child_process_leaves_the_connection_to_its_parent() -> None:
    with answering(REPLY) as server, Exchanges(AiohttpClient) as exchange:
        assert exchange(f"http://127.0.0.1:{server.port}/") == (200, b"one")
        client: Any = exchange.client
        session, protocol = client._session, client._protocol
        client._process -= 1
        client.close()
        assert client.is_closed
        assert not session.closed
        assert protocol.is_connected()
        session.connector._process -= 1
        session.connector.__del__()
        assert not session.connector.closed
        session.connector._process += 1
        # It is closed here, because this is the parent.
        assert _sessions_of_parents.pop()[0] is session
        client._process += 1
        client._session, client._protocol, client._transport = session, protocol, protocol.transport


def test_cookies_are_not_sent() -> None:
    with answering(REPLY) as server, Exchanges(AiohttpClient) as exchange:
        for _ in range(2):
            exchange(f"http://127.0.0.1:{server.port}/")
        assert not [*exchange.client._session.cookie_jar]


def test_a_client_that_was_closed_leaves_no_session() -> None:
    with answering(REPLY) as server, Exchanges(AiohttpClient) as exchange:
        exchange(f"http://127.0.0.1:{server.port}/")
        session, protocol = exchange.client._session, exchange.client._protocol
        exchange.client.close()
        exchange.wait(0)
        assert session.closed
        assert not protocol.is_connected()
        del session, protocol
        # A session that is not closed would be a warning, and thus an error.
        gc.collect()


def test_errors_have_no_headers_of_the_request() -> None:
    url = URL("http://127.0.0.1:9/")
    request = aiohttp.RequestInfo(url, "POST", CIMultiDictProxy(CIMultiDict(Authorization=KEY)), url)
    error = _translated(aiohttp.ClientResponseError(request, (), status=400, message="bad\nline"), is_open=True)
    assert isinstance(error, httpx.RemoteProtocolError)
    assert str(error) == "bad"
    assert KEY not in repr(vars(error))


@pytest.mark.parametrize(
    ("error", "is_open", "kind"),
    [
        (TimeoutError(), True, httpx.ReadTimeout),
        (TimeoutError(), False, httpx.ConnectTimeout),
        (OSError("refused"), False, httpx.ConnectError),
        (aiohttp.ServerDisconnectedError(), True, httpx.RemoteProtocolError),
        (aiohttp.ClientConnectionResetError("reset"), True, httpx.ReadError),
        (aiohttp.ClientPayloadError("cut"), True, httpx.RemoteProtocolError),
        (ValueError("odd"), True, httpx.RemoteProtocolError),
        (httpx.ReadTimeout("late"), True, httpx.ReadTimeout),
        (KimiUsageError("loop"), True, KimiUsageError),
    ],
)
def test_each_exception_becomes_one_of_httpx(error: Exception, kind: type[Exception], *, is_open: bool) -> None:
    assert type(_translated(error, is_open=is_open)) is kind


def test_a_client_that_is_dropped_closes_its_session() -> None:
    with answering(REPLY) as server:
        with Exchanges(AiohttpClient) as exchange:
            exchange(f"http://127.0.0.1:{server.port}/")
            session, connector = exchange.client._session, exchange.client._session.connector
            exchange.client = AiohttpClient(tls=None)
            exchange.wait(0)
            assert session.closed
            assert connector.closed
        exchange = Exchanges(AiohttpClient)
        exchange(f"http://127.0.0.1:{server.port}/")
        client, session = exchange.client, exchange.client._session
        transport, connector = client._transport, session.connector
        transport.abort()
        exchange.client = AiohttpClient(tls=None)
        exchange.__exit__()
        del client
        assert session.closed
        assert connector.closed


def test_a_connector_that_is_freed_before_its_client_is_closed_without_a_warning() -> None:
    with answering(REPLY) as server, Exchanges(AiohttpClient) as exchange:
        exchange(f"http://127.0.0.1:{server.port}/")
        client: Any = exchange.client
        # A warning would be an error.
        client._session.connector.__del__()
        assert client._session.connector.closed
        exchange.wait(0)
