"""Compressions that the HTTP client does not read, over loopback and as its replies say them."""

import importlib
from importlib.util import find_spec
from typing import Any

import httpx
import pytest

from langchain_kimi._openrouter.http.errors import encoded, unread_encoding
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi.errors import KimiInvalidRequestError, KimiMalformedReplyError, KimiServerError
from langchain_kimi.testing.http1 import Response
from tests.openrouter.events import WHOLE
from tests.openrouter.http.calling import Ask, call, serving

LIBRARIES = ("httpx", "httpx2")


def reply(library: str, encoding: str | None) -> Any:
    headers = {} if encoding is None else {"content-encoding": encoding}
    return importlib.import_module(library).Response(200, headers=headers)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("encoding", [None, "", "identity", "gzip", "deflate", "gzip, deflate", "utf-8", "aws-chunked"])
def test_supported_encodings_are_accepted(library: str, encoding: str | None) -> None:
    assert unread_encoding(reply(library, encoding)) is None


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("encoding", "unread"), [("compress", "compress"), ("X-Gzip", "x-gzip"), ("gzip, lz4", "lz4"), ("dcb,gzip", "dcb")]
)
def test_unsupported_encodings_are_refused(library: str, encoding: str, unread: str) -> None:
    assert unread_encoding(reply(library, encoding)) == unread


def test_what_is_installed_beside_httpx_decides() -> None:
    installed = bool(find_spec("brotli") or find_spec("brotlicffi"))
    assert (unread_encoding(httpx.Response(200, headers={"content-encoding": "br"})) is None) is installed


class Reading(httpx.Response):
    """A reply of a client that reads compressions, and says so of what is none."""

    def __init__(self, status: int, *, headers: dict[str, str], content: bytes | None = None) -> None:
        if content is not None:
            raise httpx.DecodingError("This is not compressed.")
        super().__init__(status, headers=headers)


def test_a_client_that_reads_it_is_trusted_with_it() -> None:
    assert unread_encoding(Reading(200, headers={"content-encoding": "zstd"})) is None


@pytest.mark.parametrize(
    ("status", "kind"), [(200, KimiMalformedReplyError), (400, KimiInvalidRequestError), (502, KimiServerError)]
)
def test_the_error_keeps_to_the_status(status: int, kind: type[Exception]) -> None:
    error = encoded("br", ResponseHead(status, {"x-generation-id": "gen-1"}, 0.0))
    assert type(error) is kind
    assert (error.status, error.generation_id) == (status, "gen-1")
    assert error.reason == "The reply is compressed as br, which was not asked for and cannot be read."
    assert error.advice


def test_nothing_of_it_is_taken_for_text(ask: Ask) -> None:
    # What compresses badly is kept as it is: the first event would be lost, and nobody would know.
    body = b"\x1f\x9d" + b"".join(WHOLE)
    with serving(Response(200, {"content-encoding": "compress"}, (body,), chunked=True)) as server:
        [error] = ask(call(server.url))
    assert type(error) is KimiMalformedReplyError
