"""Connections with a TLS layer that breaks, hangs, lies, is cut or begins again."""

import contextlib
import socket
import ssl
from typing import cast

from langchain_kimi.testing.faults.hostile.connections import (
    DRIP,
    HEAD,
    REPLY,
    WHOLE,
    HostileConnection,
    Stop,
    drip,
    read_request,
    reset,
)
from langchain_kimi.testing.faults.hostile.entries import SMUGGLED
from langchain_kimi.testing.http1 import frame

_HELLO = 5
"""The bytes of a TLS record's head, with which a client's handshake begins."""
_HELLO_REQUEST = b"\x16\x03\x03\x00\x04" + b"\0" * 4
"""The server asks for a new handshake. A client that is amid one has to ignore it."""
_EVENT = (
    b'data: {"id":"gen-1","choices":[{"index":0,"delta":{"role":"assistant","content":"one two"},'
    b'"finish_reason":null}]}\n\n'
)
_STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


def _hangs_in_handshake(connection: socket.socket, stop: Stop) -> None:
    connection.recv(_HELLO)
    stop.wait()


def _drips_handshake(connection: socket.socket, stop: Stop) -> None:
    connection.recv(65536)
    drip(connection, stop, b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03" + b"\0" * 16_000)


def _alerts(connection: socket.socket, _: Stop) -> None:
    connection.recv(65536)
    connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28")


def _speaks_plain_http(connection: socket.socket, _: Stop) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\ncontent-length: 0\r\n\r\n")


def _resets_in_handshake(connection: socket.socket, _: Stop) -> None:
    connection.recv(_HELLO)
    reset(connection)


def _truncates(connection: socket.socket, _: Stop) -> None:
    read_request(connection)
    # The body has no length, so only the TLS end tells a whole body from one that an attacker cut.
    connection.sendall(HEAD + b"\r\n" + REPLY[:-20])
    socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _truncates_length(connection: socket.socket, _: Stop) -> None:
    read_request(connection)
    connection.sendall(WHOLE[:-20])
    socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _ends_without_notice(connection: socket.socket, _: Stop) -> None:
    read_request(connection)
    connection.sendall(WHOLE)
    socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _damages_record(connection: socket.socket, stop: Stop) -> None:
    read_request(connection)
    connection.sendall(WHOLE[:-20])
    # A record that no key decrypts.
    _below(connection, b"\x17\x03\x03\x00\x40" + b"\xff" * 64)
    stop.wait(DRIP)


def _requests_hellos(connection: socket.socket, stop: Stop) -> None:
    connection.recv(65536)
    drip(connection, stop, _HELLO_REQUEST * 100_000)


def _floods_hellos(connection: socket.socket, _: Stop) -> None:
    connection.recv(65536)
    # It ends with an error when the client closes the connection.
    while True:
        connection.sendall(_HELLO_REQUEST * 7_000)


def _cuts_handshake(connection: socket.socket, _: Stop) -> None:
    connection.recv(65536)
    connection.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + b"\0" * 40)


def _offers_old_version(connection: socket.socket, stop: Stop) -> None:
    connection.recv(65536)
    # A ServerHello of SSL 3.0 with RC4.
    connection.sendall(b"\x16\x03\x00\x00\x2a\x02\x00\x00\x26\x03\x00" + b"\0" * 32 + b"\0\0\x05\0")
    stop.wait(DRIP)


def _echoes_hello(connection: socket.socket, stop: Stop) -> None:
    connection.sendall(connection.recv(65536))
    stop.wait(DRIP)


def _ends_after_handshake(_: socket.socket, __: Stop) -> None:
    """Return at once, after the handshake."""


def _cut(connection: socket.socket, sent: bytes) -> None:
    """Send bytes and end the connection without the end of TLS."""
    read_request(connection)
    connection.sendall(sent)
    socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _truncates_events(connection: socket.socket, _: Stop) -> None:
    _cut(connection, _STREAM + b"\r\n" + _EVENT)


def _truncates_chunks(connection: socket.socket, _: Stop) -> None:
    _cut(connection, _STREAM + b"transfer-encoding: chunked\r\n\r\n" + frame(_EVENT))


def _truncates_head(connection: socket.socket, _: Stop) -> None:
    _cut(connection, HEAD)


def _below(connection: socket.socket, sent: bytes) -> None:
    """Send bytes below the TLS layer."""
    with socket.socket(fileno=socket.dup(connection.fileno())) as raw:
        raw.sendall(sent)


def _truncates_record(connection: socket.socket, _: Stop) -> None:
    read_request(connection)
    connection.sendall(WHOLE[:-20])
    _below(connection, b"\x17\x03\x03\x10\x00" + b"\xff" * 64)
    socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _replies_below(connection: socket.socket, stop: Stop) -> None:
    read_request(connection)
    _below(connection, WHOLE)
    stop.wait(DRIP)


def _alerts_within_reply(connection: socket.socket, stop: Stop) -> None:
    read_request(connection)
    connection.sendall(WHOLE[:-20])
    # Without encryption anybody on the network can send it.
    _below(connection, b"\x15\x03\x03\x00\x02\x02\x28")
    stop.wait(DRIP)


def _replies_after_end(connection: socket.socket, stop: Stop) -> None:
    read_request(connection)
    # The client sends its own end of TLS only when it closes the connection.
    connection.settimeout(DRIP)
    with contextlib.suppress(OSError):
        cast("ssl.SSLSocket", connection).unwrap()
    _below(connection, SMUGGLED)
    stop.wait(DRIP)


CONNECTIONS = (
    HostileConnection("TLS: hangs", _hangs_in_handshake, "The handshake is never answered.", "stops", "offered"),
    HostileConnection("TLS: drips", _drips_handshake, "The handshake comes a byte each 20 ms.", "stops", "offered"),
    HostileConnection("TLS: an alert", _alerts, "The handshake is refused.", tls="offered"),
    HostileConnection("TLS: plain HTTP", _speaks_plain_http, "Plain HTTP answers the handshake.", tls="offered"),
    HostileConnection("TLS: a reset", _resets_in_handshake, "A reset within the handshake.", tls="offered"),
    HostileConnection("TLS: cut", _truncates, "A body without length that is cut without a TLS end.", tls="served"),
    HostileConnection("TLS: cut by length", _truncates_length, "A body that is shorter than its length.", tls="served"),
    HostileConnection("TLS: no end", _ends_without_notice, "A complete reply without a TLS end.", "answers", "served"),
    HostileConnection("TLS: a damaged record", _damages_record, "A record that cannot be decrypted.", tls="served"),
    HostileConnection("TLS: hellos", _requests_hellos, "Requests for new handshakes amid one.", "stops", "offered"),
    HostileConnection("TLS: a flood of hellos", _floods_hellos, "The same as fast as possible.", "stops", "offered"),
    HostileConnection("TLS: a cut handshake", _cuts_handshake, "Half of a ServerHello.", tls="offered"),
    HostileConnection("TLS: an old version", _offers_old_version, "SSL 3.0 with RC4.", tls="offered"),
    HostileConnection("TLS: an echo", _echoes_hello, "The ClientHello comes back.", tls="offered"),
    HostileConnection("TLS: only a handshake", _ends_after_handshake, "The end after the handshake.", tls="served"),
    HostileConnection("TLS: cut events", _truncates_events, "A stream that is cut between events.", tls="served"),
    HostileConnection("TLS: cut chunks", _truncates_chunks, "A stream that is cut between chunks.", tls="served"),
    HostileConnection("TLS: a cut head", _truncates_head, "A head that is cut between two lines.", tls="served"),
    HostileConnection(
        "TLS: a cut record", _truncates_record, "A record that is shorter than its length.", tls="served"
    ),
    HostileConnection("TLS: a reply without TLS", _replies_below, "A plain reply below the TLS layer.", tls="served"),
    HostileConnection(
        "TLS: an alert amid the reply", _alerts_within_reply, "An alert that is not encrypted.", tls="served"
    ),
    HostileConnection(
        "TLS: a reply after its end", _replies_after_end, "The end of TLS, then a plain reply.", tls="served"
    ),
)
"""Hostile connections whose clients speak TLS."""
