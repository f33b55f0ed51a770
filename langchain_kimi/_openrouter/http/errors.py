"""Translate the exceptions of HTTP clients (httpx, httpx2, aiohttp) into `KimiError`s."""

import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import httpx

from langchain_kimi._openrouter.advice import LOGIN_ADVICE
from langchain_kimi._openrouter.errors import malformed
from langchain_kimi._openrouter.http.connection import Connection, Timeout
from langchain_kimi._openrouter.http.decoding import DecodingError
from langchain_kimi._openrouter.http.environment import proxy_host
from langchain_kimi._openrouter.reply.reading import ResponseHead, idle_error
from langchain_kimi.errors import (
    KimiConnectionError,
    KimiError,
    KimiIncompleteStreamError,
    KimiTimeoutError,
    KimiUsageError,
    RawReply,
)

CLIENT_ERRORS = ("HTTPError", "InvalidURL", "StreamError")
NOT_CONNECTED = frozenset({"ConnectError", "ProxyError", "ConnectTimeout", "PoolTimeout"})
TIMEOUTS = frozenset({"ConnectTimeout", "PoolTimeout", "WriteTimeout", "ReadTimeout", "TimeoutError"})
"""Names of exceptions. `TimeoutError` is raised by asyncio and this package, the others by HTTP clients."""
PROXY_LOGIN = ("407 ", "Invalid username/password", "from proxy server, but got")
"""The texts of httpcore for a proxy that refuses the login: the status of CONNECT, and SOCKS."""
AIOHTTP_CAUSES = {
    "ServerDisconnectedError": "RemoteProtocolError",
    "ClientConnectionResetError": "ReadError",
    "ClientOSError": "ReadError",
}
"""The httpx names of aiohttp's exceptions for a broken connection, which its httpx transport raises as timeouts."""


def client_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that an HTTP client or asyncio raises; those of httpx2 and aiohttp if they are imported."""
    libraries = (httpx, sys.modules.get("httpx2", httpx))
    # The httpx transport of aiohttp translates some of aiohttp's exceptions and passes the others on.
    aiohttp = sys.modules.get("aiohttp")
    others = [aiohttp.ClientError] if aiohttp is not None else []
    return (
        TimeoutError,
        DecodingError,
        *(getattr(library, name) for library in libraries for name in CLIENT_ERRORS),
        *others,
    )


def _name(error: Exception) -> str:
    return AIOHTTP_CAUSES.get(type(error.__cause__).__name__, type(error).__name__)


def remove_headers(error: Any) -> None:
    """Remove the request headers from an aiohttp exception, because its repr contains them and thus the key."""
    if (request := getattr(error, "request_info", None)) is None:
        return
    # The exception reads only these attributes.
    names = ("url", "method", "real_url")
    with suppress(AttributeError):
        error.args = ()
        error.request_info = SimpleNamespace(**{name: getattr(request, name, None) for name in names}, headers={})


def is_timeout(error: Exception) -> bool:
    """Return whether the exception is a timeout."""
    return _name(error) in TIMEOUTS


@contextmanager
def translated_loop_errors(connection: Connection) -> Iterator[None]:
    """Translate the error that a user's async client raises on an event loop other than the one that it first ran on.

    Its connections belong to the first loop, so it raises a plain `RuntimeError`: "Event loop is closed", or that
    something is bound to a different event loop.
    """
    try:
        yield
    except RuntimeError as error:
        # Some exceptions of httpx are RuntimeErrors too.
        if connection.http_async_client is None or isinstance(error, client_errors()):
            raise
        raise KimiUsageError(
            f"The http_async_client that was passed to the model cannot be used on this event loop ({error}).",
            advice="Pass one client per event loop, or none: the model's own clients work on every loop.",
        ) from error


def other_loop() -> KimiUsageError:
    """Return the error for a stream that is read on another event loop than before."""
    return KimiUsageError(
        "A stream was continued on another event loop than the one that it was started on.",
        advice="Consume each stream on one event loop.",
    )


def error_of(error: Exception, connection: Connection, head: ResponseHead | None) -> KimiError:
    """Return the `KimiError` for an exception of an HTTP client.

    Args:
        error: The exception.
        connection: The settings of the call.
        head: The head of the response, or None when there was no response yet.
    """
    name = _name(error)
    remove_headers(error)
    if name in TIMEOUTS:
        return _timeout_error(name, connection.timeout)
    # The text of a LocalProtocolError contains the header that cannot be sent, which may be a key.
    detail = name if name == "LocalProtocolError" or not str(error) else f"{name}: {error}"
    if name in {"InvalidURL", "UnsupportedProtocol", "LocalProtocolError"}:
        return KimiUsageError(f"The request cannot be sent ({detail}).", advice="Check base_url and the headers.")
    if head is not None:
        return _broken_response(name, detail, head)
    if _is_untrusted(error):
        return KimiConnectionError(
            f"The certificate of {connection.host} or of the proxy is not trusted ({detail}).",
            is_retryable=False,
            advice="If a company proxy or your own server signs it, set verify, or the environment variable "
            "SSL_CERT_FILE, to the file of its CA certificates.",
        )
    if name == "ProxyError" and any(word in str(error) for word in PROXY_LOGIN):
        return KimiConnectionError(
            f"No connection to {connection.host}{_through_proxy(connection)} ({detail}).",
            is_retryable=False,
            advice=LOGIN_ADVICE,
        )
    failure = "No connection to {}" if name in NOT_CONNECTED else "The connection to {} broke before a reply came"
    return KimiConnectionError(
        f"{failure.format(connection.host)}{_through_proxy(connection)} ({detail}).",
        advice="Check the network, the proxy and base_url; trying again may help.",
    )


def _through_proxy(connection: Connection) -> str:
    """Return the words that name the proxy; empty without one, and for a user's client, which has its own settings."""
    if connection.http_client is not None or connection.http_async_client is not None:
        return ""
    proxy = proxy_host(connection.base_url, connection.proxy)
    return f" through the proxy {proxy}" if proxy else ""


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _broken_response(name: str, detail: str, head: ResponseHead) -> KimiError:
    advice = "Trying again may help. The partial reply is in `partial`."
    if name == "DecodingError":
        error = malformed(f"The reply cannot be decompressed ({detail}).", RawReply(head.status, head.headers, ""))
        error.update(advice=advice)
        return error
    return KimiIncompleteStreamError(
        f"The connection broke before the reply ended ({detail}).",
        status=head.status,
        generation_id=head.generation_id,
        advice=advice,
    )


def _timeout_error(name: str, timeout: Timeout) -> KimiTimeoutError:
    if name in NOT_CONNECTED:
        is_full = name == "PoolTimeout"
        advice = "All were in use: raise max_connections" if is_full else "Check the network, the proxy and base_url"
        return KimiTimeoutError(
            f"No connection within {timeout.connect:g} seconds ({name}).",
            advice=f"{advice}, or raise timeout={{'connect': seconds}}.",
        )
    return idle_error(timeout.idle)
