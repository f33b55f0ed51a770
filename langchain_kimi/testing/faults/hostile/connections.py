"""Connections that break, hang or lie before, within or beside a reply."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from langchain_kimi.testing.faults.hostile.entries import SMUGGLED, Client

REPLY = (
    b'{"id":"gen-1","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"one two"}}]}'
)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
WHOLE = HEAD + b"content-length: %d\r\n\r\n" % len(REPLY) + REPLY
DRIP = 0.02

Stop = threading.Event
Play = Callable[[socket.socket, Stop], None]


@dataclass(frozen=True, slots=True)
class HostileConnection:
    """A connection that no honest server makes.

    Attributes:
        name: A short description.
        play: Plays the server's side of a connection until it ends or the event is set.
        what: What happens, in a sentence.
        client: What a client should do; see `HostileFault`.
        tls: Whether the client should speak TLS: `none`, `offered` (the server never completes a handshake), or
            `served` (the server needs a certificate).
    """

    name: str
    play: Play
    what: str
    client: Client = "fails"
    tls: str = "none"


def read_request(connection: socket.socket) -> bytes:
    """Read one request with a Content-Length and return it. It is incomplete if the client closes the connection."""
    sent = b""
    while b"\r\n\r\n" not in sent and (piece := connection.recv(65536)):
        sent += piece
    head, _, body = sent.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length and (piece := connection.recv(65536)):
        body += piece
    return head + b"\r\n\r\n" + body


def reset(connection: socket.socket) -> None:
    """End a connection with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def drip(connection: socket.socket, stop: Stop, sent: bytes) -> None:
    """Send bytes one by one, slowly."""
    for byte in sent:
        connection.sendall(bytes([byte]))
        if stop.wait(DRIP):
            return


def _closes_at_once(connection: socket.socket, _: Stop) -> None:
    connection.close()


def _resets_at_once(connection: socket.socket, _: Stop) -> None:
    reset(connection)


def _never_reads(_: socket.socket, stop: Stop) -> None:
    stop.wait()


def _never_replies(connection: socket.socket, stop: Stop) -> None:
    read_request(connection)
    stop.wait()


def _closes_after_request(connection: socket.socket, _: Stop) -> None:
    read_request(connection)


def _resets_after_request(connection: socket.socket, _: Stop) -> None:
    read_request(connection)
    reset(connection)


def _resets_within_request(connection: socket.socket, _: Stop) -> None:
    connection.recv(20)
    reset(connection)


def _replies_first(connection: socket.socket, stop: Stop) -> None:
    connection.sendall(SMUGGLED)
    read_request(connection)
    stop.wait(DRIP)


def _replies_early(connection: socket.socket, stop: Stop) -> None:
    connection.recv(20)
    connection.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
    stop.wait(DRIP)
    reset(connection)


def _half_closes(connection: socket.socket, stop: Stop) -> None:
    read_request(connection)
    connection.sendall(WHOLE[:-20])
    connection.shutdown(socket.SHUT_WR)
    stop.wait()


def _half_closes_first(connection: socket.socket, stop: Stop) -> None:
    connection.shutdown(socket.SHUT_WR)
    stop.wait()


def _resets_within_reply(connection: socket.socket, stop: Stop) -> None:
    read_request(connection)
    connection.sendall(WHOLE[:-20])
    # A reset discards bytes that the client has not read yet.
    stop.wait(DRIP)
    reset(connection)


def _resets_after_reply(connection: socket.socket, stop: Stop) -> None:
    read_request(connection)
    connection.sendall(WHOLE)
    stop.wait(DRIP)
    reset(connection)


def _drips_head(connection: socket.socket, stop: Stop) -> None:
    read_request(connection)
    drip(connection, stop, WHOLE * 9)


def _reads_slowly(connection: socket.socket, stop: Stop) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    while connection.recv(1) and not stop.wait(DRIP):
        continue


def _urgent(connection: socket.socket, stop: Stop) -> None:
    read_request(connection)
    connection.send(b"!", socket.MSG_OOB)
    connection.sendall(WHOLE)
    stop.wait(DRIP)


def _next_reply_unasked(connection: socket.socket, stop: Stop) -> None:
    read_request(connection)
    connection.sendall(WHOLE)
    stop.wait(DRIP)
    # The connection is idle now, and its next request must not get this.
    connection.sendall(SMUGGLED)
    stop.wait()


def _headers_of(request: bytes) -> bytes:
    """Return the headers of a request in one line, with the key among them."""
    return request.partition(b"\r\n\r\n")[0].partition(b"\r\n")[2].replace(b"\r\n", b", ")


def _repeats(before: bytes, after: bytes) -> Play:
    """Return the play of a reply that has the headers of the request between these bytes."""

    def play(connection: socket.socket, stop: Stop) -> None:
        connection.sendall(before + _headers_of(read_request(connection)) + after)
        stop.wait(DRIP)

    return play


def _repeats_request(connection: socket.socket, stop: Stop) -> None:
    connection.sendall(read_request(connection))
    stop.wait(DRIP)


_REPEATED = (
    ("the request", _repeats_request),
    ("it as a status", _repeats(b"HTTP/1.1 ", b"\r\n\r\n")),
    ("it as a reason", _repeats(b"HTTP/1.1 502 ", b"\r\ncontent-length: 0\r\n\r\n")),
    ("it as a header", _repeats(b"HTTP/1.1 502 No\r\nx: ", b"\r\ncontent-length: 0\r\n\r\n")),
    ("it as the name of a header", _repeats(b"HTTP/1.1 200 OK\r\n@ ", b"\r\n\r\n")),
    ("it as a length", _repeats(b"HTTP/1.1 200 OK\r\ncontent-length: ", b"\r\n\r\n")),
    ("it as a coding", _repeats(b"HTTP/1.1 200 OK\r\ntransfer-encoding: ", b"\r\n\r\n")),
    ("it as an encoding", _repeats(b"HTTP/1.1 200 OK\r\ncontent-encoding: ", b"\r\n\r\nx")),
    ("it as a target", _repeats(b"HTTP/1.1 302 No\r\nlocation: /", b"\r\ncontent-length: 0\r\n\r\n")),
    ("it as a chunk", _repeats(HEAD + b"transfer-encoding: chunked\r\n\r\n", b"\r\n")),
    ("it as a trailer", _repeats(HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\n@ ", b"\r\n\r\n")),
    ("it as a page", _repeats(b"HTTP/1.1 500 No\r\n\r\n<p>", b"</p>")),
)
"""The places of a reply in which the headers of the request come back."""

CONNECTIONS = (
    *(
        HostileConnection(f"repeats {place}", play, "The reply has the headers of the request, with the key.")
        for place, play in _REPEATED
    ),
    HostileConnection("closes at once", _closes_at_once, "The connection closes when it opens."),
    HostileConnection("resets at once", _resets_at_once, "The connection is reset when it opens."),
    HostileConnection("never reads", _never_reads, "Nothing is read or sent.", "stops"),
    HostileConnection("never replies", _never_replies, "The request is read and nothing is sent.", "stops"),
    HostileConnection("closes after the request", _closes_after_request, "The request is read, no reply comes."),
    HostileConnection("resets after the request", _resets_after_request, "A reset in place of a reply."),
    HostileConnection("resets within the request", _resets_within_request, "A reset after 20 bytes of it."),
    HostileConnection("replies before the request", _replies_first, "A reply without a request.", "either"),
    HostileConnection("replies within the request", _replies_early, "413 and a reset after 20 bytes.", "fails"),
    HostileConnection("half closes", _half_closes, "The reply is cut and the server's half is closed.", "fails"),
    HostileConnection("half closes first", _half_closes_first, "The server's half is closed before the request."),
    HostileConnection("resets within the reply", _resets_within_reply, "A reset before the end of the reply."),
    HostileConnection("resets after the reply", _resets_after_reply, "A reset after the reply.", "answers"),
    HostileConnection("a byte each 20 ms", _drips_head, "A byte each 20 ms, without end.", "stops"),
    HostileConnection("reads a byte each 20 ms", _reads_slowly, "The request is read slowly.", "stops"),
    HostileConnection("urgent data", _urgent, "A byte out of band before the reply.", "either"),
    HostileConnection("a reply later", _next_reply_unasked, "Another reply on the idle connection.", "answers"),
)
"""Hostile connections without TLS."""


@contextmanager
def listening(hostile: HostileConnection, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Play a hostile connection to every client that connects, on 127.0.0.1, and yield the port.

    Args:
        hostile: The connection, one of `CONNECTIONS`.
        tls: The server's TLS context with a certificate, for a connection whose `tls` is `served`.
    """
    stop = Stop()
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(connection: socket.socket) -> None:
            # The client may close the connection at any moment.
            with contextlib.suppress(OSError):
                served = connection if tls is None else tls.wrap_socket(connection, server_side=True)
                with served:
                    hostile.play(served, stop)
            connection.close()

        def accept() -> None:
            while True:
                connection, _ = listener.accept()
                if stop.is_set():
                    connection.close()
                    return
                thread = threading.Thread(target=serve, args=(connection,), daemon=True)
                thread.start()
                threads.append(thread)

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            # Only Linux ends a blocked accept by a shutdown of the listener, so a connection ends it.
            socket.create_connection(listener.getsockname()).close()
            accepting.join()
            for thread in threads:
                thread.join(timeout=1.0)
