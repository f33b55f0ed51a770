import socket
import ssl

import pytest

from langchain_kimi.testing.faults import CONNECTIONS, listening


def received(name: str) -> bytes:
    with listening(CONNECTIONS[name]) as port, socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"\x16\x03\x01")
        return connection.recv(9)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("TLS: an alert", b"\x15\x03\x03"),
        ("TLS: plain HTTP", b"HTTP/1.1 "),
        ("TLS: a flood of hellos", b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"),
        ("TLS: hellos", b"\x16"),
        ("TLS: a cut handshake", b"\x16\x03\x03\x00\x7a"),
        ("TLS: an old version", b"\x16\x03\x00"),
        ("TLS: an echo", b"\x16\x03\x01"),
    ],
)
def test_the_first_bytes_after_a_handshake(name: str, start: bytes) -> None:
    assert received(name).startswith(start)


def test_no_handshake_succeeds() -> None:
    context = ssl.create_default_context()
    for name in ("TLS: an old version", "TLS: an echo", "TLS: a cut handshake"):
        with listening(CONNECTIONS[name]) as port, socket.create_connection(("127.0.0.1", port)) as connection:
            connection.settimeout(60)
            with pytest.raises(ssl.SSLError):
                context.wrap_socket(connection, server_hostname="localhost")
