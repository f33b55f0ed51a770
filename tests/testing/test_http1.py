import pytest

from langchain_kimi.testing.http1 import MalformedRequestError, Pause, Response, frame, parse_head, response_head


def test_request_heads_are_parsed() -> None:
    method, target, headers = parse_head(b"GET /a?b HTTP/1.1\r\nHost: here\r\nX-Odd:  a: b ")
    assert (method, target, headers) == ("GET", "/a?b", {"host": "here", "x-odd": "a: b"})


@pytest.mark.parametrize("head", [b"", b"GET /", b"GET / HTTP/2", b"GET / HTTP/1.1\r\nodd"])
def test_malformed_heads_are_rejected(head: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        parse_head(head)


def test_pieces_are_framed_as_chunks() -> None:
    assert frame(b"hello world, hi") == b"f\r\nhello world, hi\r\n"
    assert frame(b"") == b""


@pytest.mark.parametrize(
    ("response", "chunked", "head"),
    [
        (
            Response(404, {"A": "b"}, (b"xy", b"z")),
            False,
            b"HTTP/1.1 404 Not Found\r\na: b\r\ncontent-length: 3\r\n\r\n",
        ),
        (Response(524, {}, (Pause(1),)), True, b"HTTP/1.1 524 Unknown\r\ntransfer-encoding: chunked\r\n\r\n"),
    ],
)
def test_response_heads(response: Response, head: bytes, *, chunked: bool) -> None:
    assert response_head(response, chunked=chunked) == head


def test_a_response_ignores_its_end_by_default() -> None:
    Response().on_end(True)  # noqa: FBT003 - the shape of a listener
