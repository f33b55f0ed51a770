"""Replies that are compressed in a way that the HTTP client does not read, which it hands on as they are."""

from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from langchain_kimi.errors import KimiError, RawReply
from langchain_kimi.openrouter.client_errors import client_errors
from langchain_kimi.openrouter.failures import error_from_response, malformed
from langchain_kimi.openrouter.reading import Opened

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


def encoded(name: str, opened: Opened) -> KimiError:
    """Make the error for a reply that is compressed in a way that cannot be read."""
    reason = f"The reply is compressed as {name}, which was not asked for and cannot be read."
    if opened.status < HTTPStatus.MULTIPLE_CHOICES:
        error = malformed(reason, RawReply(opened.status, opened.headers, ""))
        error.learn(advice="Check the proxy and base_url: something on the way compresses replies.")
        return error
    return error_from_response(opened.status, opened.headers, reason, now=opened.now)
