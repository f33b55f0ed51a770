import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from langchain_kimi.testing import Emulator, Fault, Reply, faults
from tests.testing.chat import DONE, body, data, deltas, post, text

TEXT = "one two three four"
BOTH = pytest.mark.parametrize("stream", [False, True])
BROKEN = "peer (unexpectedly )?closed connection"


@pytest.fixture(autouse=True)
def any_text(openrouter: Emulator) -> None:
    openrouter.behave(reasoning=False)


@contextmanager
def raw(openrouter: Emulator, client: httpx.Client, fault: Fault, *, stream: bool) -> Iterator[httpx.Response]:
    """Yield the faulty reply before its body is read."""
    openrouter.fail_next(fault.on(Reply(text=TEXT)))
    more: dict[str, Any] = {"json": body(stream=stream), "timeout": 5.0}
    with client.stream("POST", "/chat/completions", **more) as response:
        yield response


def text_of(sent: httpx.Response, *, stream: bool) -> str:
    """Return the text of a correct answer."""
    if not stream:
        return str(sent.json()["choices"][0]["message"]["content"])
    *events, done = data(sent.text)
    assert done == DONE
    return text([json.loads(event) for event in events])


@BOTH
@pytest.mark.parametrize(
    "fault",
    [
        faults.compressed("gzip", "none"),
        faults.compressed("deflate", "none"),
        faults.closed_after(),
        faults.informational(100),
        faults.informational(103, 3),
        faults.answered_with(202),
    ],
    ids=lambda fault: fault.name,
)
def test_a_correct_answer(openrouter: Emulator, client: httpx.Client, fault: Fault, *, stream: bool) -> None:
    openrouter.fail_next(fault.on(Reply(text=TEXT)))
    assert text_of(post(client, stream=stream), stream=stream) == TEXT


@BOTH
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_damaged_compressed_bytes(openrouter: Emulator, client: httpx.Client, coding: Any, *, stream: bool) -> None:
    with raw(openrouter, client, faults.compressed(coding), stream=stream) as response:
        assert response.headers["content-encoding"] == coding
        with pytest.raises(httpx.DecodingError):
            response.read()


@BOTH
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_truncated_compressed_bytes(openrouter: Emulator, client: httpx.Client, coding: Any, *, stream: bool) -> None:
    with (
        raw(openrouter, client, faults.compressed(coding, "none"), stream=stream) as whole,
        raw(openrouter, client, faults.compressed(coding, "cut"), stream=stream) as cut,
    ):
        assert 0 < len(cut.read()) < len(whole.read())


@BOTH
def test_an_unrequested_encoding(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    with raw(openrouter, client, faults.unasked_compression("br2"), stream=stream) as response:
        assert response.headers["content-encoding"] == "br2"
        assert response.read().startswith(b"\x1f\x9d")
        assert b'"choices"' in response.content


@BOTH
def test_a_length_that_is_too_large(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    with raw(openrouter, client, faults.wrong_length(7), stream=stream) as response:
        length = int(response.headers["content-length"])
        with pytest.raises(httpx.RemoteProtocolError, match=rf"received {length - 7} bytes, expected {length}"):
            response.read()


@BOTH
def test_a_length_that_is_too_large_without_closing(
    openrouter: Emulator, client: httpx.Client, *, stream: bool
) -> None:
    openrouter.fail_next(faults.wrong_length(7, closed=False))
    with pytest.raises(httpx.ReadTimeout):
        client.post("/chat/completions", json=body(stream=stream), timeout=0.2)


@BOTH
def test_a_length_that_is_too_small(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    with raw(openrouter, client, faults.wrong_length(-10), stream=stream) as response:
        assert not response.read().rstrip().endswith((b"}", b"[DONE]"))


@BOTH
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.chunk_cut(), BROKEN),
        (faults.chunk_damaged(), "illegal chunk header"),
        (faults.end_missing(), BROKEN),
        (faults.half_closed(), BROKEN),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_truncated_chunks(
    openrouter: Emulator, client: httpx.Client, fault: Fault, error: str, *, stream: bool
) -> None:
    with raw(openrouter, client, fault, stream=stream) as response:
        assert response.headers["transfer-encoding"] == "chunked"
        with pytest.raises(httpx.RemoteProtocolError, match=error):
            response.read()


@BOTH
@pytest.mark.parametrize("status", [204, 304, 418])
def test_a_status_without_a_body(openrouter: Emulator, client: httpx.Client, status: int, *, stream: bool) -> None:
    openrouter.fail_next(faults.bare_status(status))
    response = client.post("/chat/completions", json=body(stream=stream))
    assert (response.status_code, response.content) == (status, b"")


@BOTH
def test_an_answer_under_another_status(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    with raw(openrouter, client, faults.answered_with(203), stream=stream) as response:
        assert response.status_code == 203


@BOTH
@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_closed_without_an_answer(
    openrouter: Emulator, client: httpx.Client, *, stream: bool, reset: bool
) -> None:
    openrouter.fail_next(faults.unanswered(reset=reset))
    with pytest.raises(httpx.ReadError if reset else httpx.RemoteProtocolError):
        client.post("/chat/completions", json=body(stream=stream))
    assert len(openrouter.requests) == 1


def test_a_connection_closed_after_an_answer(openrouter: Emulator) -> None:
    openrouter.fail_next(faults.closed_after().on(Reply(text=TEXT)))
    content = json.dumps(body()).encode()
    head = (
        f"POST /api/v1/chat/completions HTTP/1.1\r\nauthorization: Bearer k\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    received = b""
    with socket.create_connection(("127.0.0.1", int(openrouter.base_url.split(":")[2].split("/")[0])), 5.0) as client:
        client.sendall(head.encode() + content)
        while piece := client.recv(65536):
            received += piece
    assert b"connection: close" not in received
    assert json.loads(received.partition(b"\r\n\r\n")[2])["choices"][0]["message"]["content"] == TEXT


@BOTH
def test_comments_around_a_plain_answer(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    with raw(openrouter, client, faults.comments_around(), stream=stream) as response:
        lines = [line for line in response.read().decode().splitlines() if line]
    assert [line[0] for line in lines] == [":", ":", "{", ":"]


@BOTH
@pytest.mark.parametrize("content", [True, 5, {"a": 1}])
def test_content_of_other_types(openrouter: Emulator, client: httpx.Client, content: Any, *, stream: bool) -> None:
    openrouter.fail_next(faults.odd_content(content).on(Reply(text=TEXT)))
    reply = post(client, stream=stream)
    if stream:
        events = [json.loads(event) for event in data(reply.text) if event != DONE]
        assert [delta["content"] for delta in deltas(events) if delta.get("content")] == [content]
    else:
        assert reply.json()["choices"][0]["message"]["content"] == content


@BOTH
def test_an_endless_text(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    with raw(openrouter, client, faults.endless_text(), stream=stream) as response:
        pieces = response.iter_bytes()
        received = b""
        while len(received) < 2**20:
            received += next(pieces)
    assert b"and so on and so on" in received[-100:]
    assert received.count(b"data:") == stream
