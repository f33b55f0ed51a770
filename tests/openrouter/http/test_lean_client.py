import logging
from typing import Any

import httpcore
import httpx
import pytest

from langchain_kimi._openrouter.http.lean_client import (
    AsyncLeanClient,
    LeanClient,
    _has_trailing_data,
    _proxy,
    _proxy_errors,
    _transport,
)
from langchain_kimi.testing import Emulator

TLS = httpx.create_ssl_context(verify=False)
HEADERS = {"Authorization": "Bearer none", "X-Own": "yes"}


def lean() -> LeanClient:
    return LeanClient(tls=TLS, proxy=None)


def built(client: Any, url: str, headers: dict[str, str] = HEADERS) -> httpx.Request:
    request = client.build_request("POST", url, content=b"{}", headers=headers, extensions={"timeout": {"read": 5.0}})
    assert isinstance(request, httpx.Request)
    return request


def test_a_request_equals_that_of_a_full_client() -> None:
    with httpx.Client() as full:
        expected = built(full, "http://127.0.0.1:9/api/v1/chat/completions", {**HEADERS, "Accept": "text/event-stream"})
    client = lean()
    request = built(client, "http://127.0.0.1:9/api/v1/chat/completions", {**HEADERS, "Accept": "text/event-stream"})
    client.close()
    # The user agent is set for each call, and HTTP/1.1 needs no header to keep connections alive.
    ignored = {"accept-encoding", "connection", "user-agent"}
    assert {k: v for k, v in request.headers.items() if k not in ignored} == {
        k: v for k, v in expected.headers.items() if k not in ignored
    }
    assert set(request.headers["accept-encoding"].split(", ")) <= set(expected.headers["accept-encoding"].split(", "))
    assert (request.url, request.method, request.read()) == (expected.url, expected.method, expected.content)
    assert request.extensions["timeout"] == {"read": 5.0}


def test_a_users_own_encoding_is_kept() -> None:
    client = lean()
    request = built(client, "http://127.0.0.1:9/", {"accept-ENCODING": "identity"})
    client.close()
    assert request.headers.get_list("accept-encoding") == ["identity"]


class _WithoutPool(httpx.HTTPTransport):
    """A transport whose pool is no attribute of it."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.arguments = arguments
        self.close()
        vars(self).pop("_pool")


def test_the_transport_gets_the_pool_of_the_client() -> None:
    pool = httpcore.ConnectionPool()
    transport = _transport(httpx.HTTPTransport, pool, tls=TLS, proxy="http://127.0.0.1:9")
    assert pool in vars(transport).values()


def test_a_transport_without_a_pool_uses_the_proxy_itself() -> None:
    transport = _transport(_WithoutPool, httpcore.ConnectionPool(), tls=TLS, proxy="http://127.0.0.1:9")
    assert isinstance(transport, _WithoutPool)
    assert transport.arguments["proxy"] == "http://127.0.0.1:9"


def test_an_invalid_url_raises_an_error_of_the_library() -> None:
    client = lean()
    with pytest.raises(httpx.InvalidURL):
        built(client, "http://127.0.0.1:port/")
    with pytest.raises(httpx.UnsupportedProtocol):
        client.send(built(client, "ftp://127.0.0.1/"))
    client.close()


def test_a_response_refers_to_its_request() -> None:
    with Emulator() as openrouter:
        client = lean()
        response = client.send(built(client, f"{openrouter.base_url}/nothing"), stream=True)
        assert (response.status_code, response.request.method) == (404, "POST")
        assert response.read()
        response.close()
        assert not client.is_closed
        client.close()
        assert client.is_closed


async def test_a_response_refers_to_its_request_async() -> None:
    with Emulator() as openrouter:
        client = AsyncLeanClient(tls=TLS, proxy=None)
        response = await client.send(built(client, f"{openrouter.base_url}/nothing"), stream=True)
        assert (response.status_code, response.request.method) == (404, "POST")
        assert await response.aread()
        await response.aclose()
        assert not client.is_closed
        await client.aclose()
        assert client.is_closed


def test_the_password_of_a_proxy_is_not_in_its_repr() -> None:
    proxy = _proxy("socks5://somebody:planted-password@127.0.0.1:9", TLS)
    assert proxy is not None
    assert proxy.ssl_context is None
    assert proxy.auth == (b"somebody", b"planted-password")
    assert "planted-password" not in repr(proxy.auth)


def test_an_unexpected_exception_behind_a_proxy_is_a_proxy_error() -> None:
    with pytest.raises(httpx.ProxyError, match="malformed reply: ValueError"), _proxy_errors():
        raise ValueError("not the version of the protocol")
    with pytest.raises(httpx.ConnectTimeout), _proxy_errors():
        raise httpx.ConnectTimeout("too slow")


def test_a_connection_without_a_readable_buffer_has_no_trailing_data() -> None:
    assert not _has_trailing_data(object())


def test_the_log_of_other_calls_stays_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpcore.http11").debug("a header of %s", "somebody")
    assert caplog.messages == ["a header of somebody"]
