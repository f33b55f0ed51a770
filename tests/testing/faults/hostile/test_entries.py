"""Hostile replies as a plain HTTP client receives them."""

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from langchain_kimi.testing import Emulator, Reply
from langchain_kimi.testing.faults import HOSTILE, HostileFault
from langchain_kimi.testing.faults.hostile import entries
from langchain_kimi.testing.http1 import Hang
from langchain_kimi.testing.responses import dump
from tests.conftest import KEY
from tests.testing.chat import body


def received(
    openrouter: Emulator,
    fault: HostileFault,
    *,
    stream: bool = False,
    enough: Callable[[bytes], bool] = lambda _: False,
) -> bytes:
    """Return the bytes that a client receives until the connection ends, or until it has enough of them."""
    openrouter.behave(reasoning=False)
    openrouter.fail_next(fault.on(Reply(text="one two")))
    url, sent = urlsplit(openrouter.base_url), dump(body(stream=stream))
    with socket.create_connection((url.hostname or "", url.port or 0)) as connection:
        head = f"POST {url.path}/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n"
        connection.sendall(f"{head}connection: close\r\ncontent-length: {len(sent)}\r\n\r\n".encode() + sent)
        sent = b""
        while (piece := connection.recv(65536)) and not enough(sent := sent + piece):
            continue
        return sent


def test_exact_bytes_replace_the_reply(openrouter: Emulator) -> None:
    assert received(openrouter, entries.raw("x", "X.", b"220 ESMTP\r\n")) == b"220 ESMTP\r\n"


def test_a_head_is_changed_and_the_body_is_correct(openrouter: Emulator) -> None:
    changed = entries.head(
        "x", "X.", lambda head: entries.after_status(b"x: 1\r\n")(entries.status(b"HTTP/1.1 299 A")(head))
    )
    sent = received(openrouter, changed)
    assert sent.startswith(b"HTTP/1.1 299 A\r\nx: 1\r\n")
    assert b'"content":"one two"' in sent


@pytest.mark.parametrize("stream", [False, True])
def test_the_framing_is_replaced(openrouter: Emulator, *, stream: bool) -> None:
    fault = entries.framed("x", "X.", b"content-length: %(length)d\r\n", lambda right: right + b"more")
    head, _, sent = received(openrouter, fault, stream=stream).partition(b"\r\n\r\n")
    assert b"content-length: %d" % (len(sent) - 4) in head
    assert sent.endswith(b"more")


def test_a_body_is_one_chunk(openrouter: Emulator) -> None:
    fault = entries.chunked("x", "X.", lambda _: entries.in_one_chunk(b"abc"))
    head, _, sent = received(openrouter, fault).partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert sent == b"3\r\nabc\r\n0\r\n\r\n"


def test_an_endless_reply_has_the_content_type(openrouter: Emulator) -> None:
    fault = entries.endless("x", "X.", entries.instead(b"a"), entries.CLOSE, "text/html")
    head, _, sent = received(openrouter, fault).partition(b"\r\n\r\n")
    assert head.count(b"\r\ncontent-type") == 1
    assert b"content-type: text/html" in head
    assert sent == b"1\r\na\r\n"
    assert fault.client == "stops"


def test_bodies_and_encodings_are_replaced(openrouter: Emulator) -> None:
    assert received(openrouter, entries.body("x", "X.", entries.instead(b"a"), "text/x")).endswith(b"\r\n\r\na")
    assert b"content-encoding: odd" in received(openrouter, entries.encoded("x", "X.", "odd", entries.same))


def test_bytes_are_inserted_into_texts_and_objects() -> None:
    assert entries.within_text(b"x")(b'{"content":"a"}') == b'{"content":"xa"}'
    assert entries.with_field(b'"a":1')(b'{"id":2}') == b'{"a":1,"id":2}'


def test_a_fault_keeps_its_description_with_another_reply() -> None:
    fault = HOSTILE["length: two"]
    assert fault.on(Reply(text="x")).what == fault.what
    assert entries.raw("x", "X.", b"", Hang(), client="stops").client == "stops"


def test_an_endless_reply_keeps_the_content_type(openrouter: Emulator) -> None:
    fault = entries.endless("x", "X.", entries.instead(b"a"), entries.CLOSE)
    head, _, sent = received(openrouter, fault).partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    assert sent == b"1\r\na\r\n"
