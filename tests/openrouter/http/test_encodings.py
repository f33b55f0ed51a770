"""Content encodings that the HTTP client does not decode."""

import importlib
from importlib.util import find_spec
from typing import Any

import httpx
import pytest

from langchain_kimi._openrouter.http.errors import encoding_error, unsupported_encoding
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
    assert unsupported_encoding(reply(library, encoding)) is None


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("encoding", "unsupported"),
    [("compress", "compress"), ("X-Gzip", "x-gzip"), ("gzip, lz4", "lz4"), ("dcb,gzip", "dcb")],
)
def test_unsupported_encodings_are_refused(library: str, encoding: str, unsupported: str) -> None:
    assert unsupported_encoding(reply(library, encoding)) == unsupported


def test_installed_packages_decide_about_brotli() -> None:
    installed = bool(find_spec("brotli") or find_spec("brotlicffi"))
    assert (unsupported_encoding(httpx.Response(200, headers={"content-encoding": "br"})) is None) is installed


class Decoding(httpx.Response):
    """A response that decodes its body, and refuses one that is not encoded."""

    def __init__(self, status: int, *, headers: dict[str, str], content: bytes | None = None) -> None:
        if content is not None:
            raise httpx.DecodingError("This is not compressed.")
        super().__init__(status, headers=headers)


def test_an_encoding_that_the_client_decodes_is_accepted() -> None:
    assert unsupported_encoding(Decoding(200, headers={"content-encoding": "zstd"})) is None


@pytest.mark.parametrize(
    ("status", "kind"), [(200, KimiMalformedReplyError), (400, KimiInvalidRequestError), (502, KimiServerError)]
)
def test_the_status_decides_about_the_error(status: int, kind: type[Exception]) -> None:
    error = encoding_error("br", ResponseHead(status, {"x-generation-id": "gen-1"}, 0.0))
    assert type(error) is kind
    assert (error.status, error.generation_id) == (status, "gen-1")
    assert error.reason == "The reply has the content encoding br, which the request did not accept."
    assert error.advice


def test_encoded_bytes_are_not_read_as_text(ask: Ask) -> None:
    # An encoder stores incompressible bytes unchanged. Without the error only the first event would be lost.
    body = b"\x1f\x9d" + b"".join(WHOLE)
    with serving(Response(200, {"content-encoding": "compress"}, (body,), chunked=True)) as server:
        [error] = ask(call(server.url))
    assert type(error) is KimiMalformedReplyError
