import socket
import threading

import pytest

from langchain_kimi.testing.faults import CONNECTIONS, listening
from langchain_kimi.testing.faults.hostile.connections import drip, read_request

REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"


def received(name: str, *pieces: bytes) -> bytes:
    with listening(CONNECTIONS[name]) as port, socket.create_connection(("127.0.0.1", port)) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_request_is_read_in_pieces_before_a_reply() -> None:
    assert received("half closes", REQUEST[:10], REQUEST[10:-1], REQUEST[-1:]).startswith(b"HTTP/1.1 200 OK")


def test_a_long_body_is_read_to_its_end() -> None:
    request = b"POST / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000
    near, far = socket.socketpair()
    with near, far:
        sending = threading.Thread(target=near.sendall, args=(request,))
        sending.start()
        assert read_request(far) == request
        sending.join()


def test_bytes_that_are_sent_one_by_one_have_an_end() -> None:
    near, far = socket.socketpair()
    with near, far:
        drip(near, threading.Event(), b"ab")
        assert far.recv(9) == b"ab"


def test_a_request_without_a_length_is_read() -> None:
    assert received("half closes", b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 OK")


def test_a_connection_that_closes_at_once() -> None:
    assert received("closes at once") == b""


def test_a_reset() -> None:
    with pytest.raises(ConnectionResetError):
        received("resets after the request", REQUEST)


def test_each_connection_has_a_description() -> None:
    assert len(CONNECTIONS) >= 51
    assert all(hostile.what.endswith(".") for hostile in CONNECTIONS.values())
