"""The heads of requests and replies."""

from typing import Any

import httpx
import pytest

from langchain_kimi._openrouter.http.heads import Reply, body_of, check_coding, head_of, headers_of, origin_of
from langchain_kimi._openrouter.http.lean_client import _request
from tests.conftest import KEY


def request(url: str = "http://127.0.0.1:9/api/v1?a=%20b", **headers: Any) -> httpx.Request:
    return _request("POST", url, content=b"{}", headers={"Authorization": f"Bearer {KEY}", **headers}, extensions={})


def test_a_head_has_the_headers_that_httpx_sends() -> None:
    lines = head_of(request()).split(b"\r\n")
    assert lines[0] == b"POST /api/v1?a=%20b HTTP/1.1"
    assert set(lines[1:-2]) == {
        b"Host: 127.0.0.1:9",
        b"Accept-Encoding: gzip, deflate",
        b"Content-Length: 2",
        b"Authorization: Bearer " + KEY.encode(),
    }
    assert lines[-2:] == [b"", b""]
    assert body_of(request()) == b"{}"


@pytest.mark.parametrize(("name", "value"), [("X", f"{KEY}\r\nY: z"), ("X", f"{KEY}\0"), (f"X: {KEY}\r\nY", "z")])
def test_a_header_that_would_add_another_one_is_not_sent(name: str, value: str) -> None:
    with pytest.raises(httpx.LocalProtocolError) as caught:
        headers_of(request(**{name: value}))
    assert KEY not in repr(caught.value)


def test_an_origin_is_a_scheme_a_host_and_a_port() -> None:
    urls = ["http://a/1", "http://a/2", "https://a/1", "http://a:81/1", "http://b/1"]
    origins = [origin_of(request(url)) for url in urls]
    assert origins[0] == origins[1]
    assert len(set(origins)) == len(urls) - 1


def test_the_only_transfer_coding_is_chunked() -> None:
    assert check_coding([(b"Transfer-Encoding", b"Chunked")])
    assert not check_coding([(b"Content-Length", b"3")])
    chunked = (b"transfer-encoding", b"chunked")
    for headers in ([(b"transfer-encoding", b"gzip, chunked")], [chunked, chunked], [(b"transfer-encoding", b"a")]):
        with pytest.raises(httpx.RemoteProtocolError, match="transfer coding"):
            check_coding(headers)


async def test_a_reply_has_the_headers_of_httpx_and_closing_it_does_nothing() -> None:
    reply = Reply(200, [(b"A", b"1"), (b"a", b"2")], [b"body"])
    reply.close()
    await reply.aclose()
    assert (reply.status_code, dict(reply.headers.items())) == (200, {"a": "1, 2"})
    assert [*reply.stream] == [b"body"]
