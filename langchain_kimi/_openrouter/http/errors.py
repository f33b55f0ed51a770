"""What an HTTP client raises, as our errors; httpx and its continuation httpx2 are told apart nowhere else."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import httpx

from langchain_kimi._openrouter.errors import error_from_response, malformed
from langchain_kimi._openrouter.http.connection import Connection, Timeout
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
""" "TimeoutError" is asyncio's and our own; the rest are the HTTP clients'."""
BEHIND = {
    "ServerDisconnectedError": "RemoteProtocolError",
    "ClientConnectionResetError": "ReadError",
    "ClientOSError": "ReadError",
}
"""What aiohttp says of a connection that broke; its transport for httpx passes each of these on as a time-out."""


def client_errors() -> tuple[type[Exception], ...]:
    """What a client may raise, its library's and asyncio's; others than httpx only where somebody has imported them."""
    libraries = (httpx, sys.modules.get("httpx2", httpx))
    # aiohttp's transport for httpx translates what it knows, and lets the rest through.
    others = [sys.modules["aiohttp"].ClientError] if "aiohttp" in sys.modules else []
    return (TimeoutError, *(getattr(library, name) for library in libraries for name in CLIENT_ERRORS), *others)


def _name(problem: Exception) -> str:
    return BEHIND.get(type(problem.__cause__).__name__, type(problem).__name__)


def _forget_headers(problem: Any) -> None:
    """Remove the request's headers from an aiohttp error, whose repr shows them, and with them the key."""
    if (asked := getattr(problem, "request_info", None)) is None:
        return
    # The error reads no more than these attributes of it.
    names = ("url", "method", "real_url")
    with suppress(AttributeError):
        problem.args = ()
        problem.request_info = SimpleNamespace(**{name: getattr(asked, name, None) for name in names}, headers={})


def is_timeout(problem: Exception) -> bool:
    """Say whether a client raised for want of time."""
    return _name(problem) in TIMEOUTS


@contextmanager
def loops_told_apart(connection: Connection) -> Iterator[None]:
    """Translate what a user's own async client raises on another event loop than the one that it first ran on.

    Its connections belong to that loop. It says so by a bare `RuntimeError`: "Event loop is closed", or that something
    is bound to a different event loop.
    """
    try:
        yield
    except RuntimeError as problem:
        # Some of httpx's own errors are of this kind, too.
        if connection.http_async_client is None or isinstance(problem, client_errors()):
            raise
        raise KimiUsageError(
            f"The http_async_client that was given to the model cannot be used on this event loop ({problem}).",
            advice="Make one for each event loop, or leave it out: the model's own clients follow the loop.",
        ) from problem


def error_of(problem: Exception, connection: Connection, opened: ResponseHead | None) -> KimiError:
    """Make the error for what a client raised.

    Args:
        problem: What it raised.
        connection: Where it called.
        opened: The head of the reply, if one had come.
    """
    name = _name(problem)
    _forget_headers(problem)
    if name in TIMEOUTS:
        return _timeout_error(name, connection.timeout)
    host = connection.host
    # The text of this one holds the header that cannot be sent, and that may be a key.
    told = name if name == "LocalProtocolError" or not str(problem) else f"{name}: {problem}"
    if name in {"InvalidURL", "UnsupportedProtocol", "LocalProtocolError"}:
        return KimiUsageError(f"The request cannot be sent ({told}).", advice="Check base_url and the headers.")
    if opened is not None and name == "DecodingError":
        error = malformed(f"The reply cannot be decompressed ({told}).", RawReply(opened.status, opened.headers, ""))
        error.update(advice="Trying again may help; what came so far is in `partial`.")
        return error
    if opened is not None:
        return KimiIncompleteStreamError(
            f"The connection broke before the reply ended ({told}).",
            status=opened.status,
            generation_id=opened.headers.get("x-generation-id"),
            advice="Trying again may help; what came so far is in `partial`.",
        )
    what = (
        f"No connection to {host}" if name in NOT_CONNECTED else f"The connection to {host} broke before a reply came"
    )
    return KimiConnectionError(
        f"{what} ({told}).", advice="Check the network, the proxy and base_url; trying again may help."
    )


def _timeout_error(name: str, timeout: Timeout) -> KimiTimeoutError:
    if name in NOT_CONNECTED:
        is_full = name == "PoolTimeout"
        what = "All were in use: raise max_connections" if is_full else "Check the network, the proxy and base_url"
        return KimiTimeoutError(
            f"No connection within {timeout.connect:g} seconds ({name}).",
            advice=f"{what}, or raise timeout={{'connect': seconds}}.",
        )
    return idle_error(timeout.idle)


COMPRESSIONS = frozenset(
    {"br", "bzip2", "compress", "dcb", "dcz", "lz4", "snappy", "x-compress", "x-gzip", "xz", "zstd"}
)
"""Besides gzip and deflate. Servers that are set up wrongly put other words into this header, such as "utf-8"."""
PROBE = b"{}"


def unread_encoding(response: Any) -> str | None:
    """Give the compression of a reply that its client leaves as it is; None where all is read."""
    kind: Any = type(response)
    told = response.headers.get("content-encoding")
    names = told.lower().replace(" ", "").split(",") if told else []
    unread = (name for name in names if name in COMPRESSIONS and not _is_read(kind, name))
    return next(unread, None)


@lru_cache(maxsize=64)
def _is_read(kind: Any, name: str) -> bool:
    """Whether a client's replies undo a compression. It tells nowhere: what is installed beside it decides."""
    with suppress(*client_errors()):
        return bool(kind(HTTPStatus.OK, headers={"content-encoding": name}, content=PROBE).content != PROBE)
    return True


def encoded(name: str, opened: ResponseHead) -> KimiError:
    """Make the error for a reply that is compressed in a way that cannot be read."""
    reason = f"The reply is compressed as {name}, which was not asked for and cannot be read."
    if opened.status < HTTPStatus.MULTIPLE_CHOICES:
        error = malformed(reason, RawReply(opened.status, opened.headers, ""))
        error.update(advice="Check the proxy and base_url: something on the way compresses replies.")
        return error
    return error_from_response(opened.status, opened.headers, reason, now=opened.now)
