"""A SOCKS5 proxy on the loopback interface that asks for a user name and a password."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

Refusal = Literal["none", "methods", "login", "target", "reset", "repeats the login"]
"""The step that the proxy refuses: none, all methods of authentication, the login, the target. `reset` ends the
connection after the login, and `repeats the login` sends it back in place of an answer."""


@dataclass
class SocksProxy:
    """A running proxy.

    Attributes:
        port: The port that it listens on.
        refusal: What it refuses.
        logins: The user names and passwords so far.
        targets: The targets so far.
    """

    port: int
    refusal: Refusal
    logins: list[tuple[str, str]] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)

    def serve(self, near: socket.socket) -> None:
        """Serve one connection."""
        with suppress(OSError, IndexError), near:
            methods = _read(near, _read(near, 2)[1])
            is_refused = self.refusal == "methods" or 2 not in methods
            near.sendall(b"\x05\xff" if is_refused else b"\x05\x02")
            if is_refused or not self._logs_in(near):
                return
            far = self._connected(near)
            if far is None:
                return
            with far:
                back = threading.Thread(target=_pump, args=(far, near), daemon=True)
                back.start()
                _pump(near, far)
                back.join()

    def _logs_in(self, near: socket.socket) -> bool:
        user = _read(near, _read(near, 2)[1])
        password = _read(near, _read(near, 1)[0])
        self.logins.append((user.decode(), password.decode()))
        # A test may set another one as soon as the client has this answer.
        refusal = self.refusal
        if refusal == "repeats the login":
            near.sendall(user + password)
        elif refusal != "reset":
            near.sendall(b"\x01\x01" if refusal == "login" else b"\x01\x00")
        return refusal in {"none", "target"}

    def _connected(self, near: socket.socket) -> socket.socket | None:
        *_, kind = _read(near, 4)
        host = socket.inet_ntoa(_read(near, 4)) if kind == 1 else _read(near, _read(near, 1)[0]).decode()
        port = int.from_bytes(_read(near, 2), "big")
        self.targets.append(f"{host}:{port}")
        is_refused = self.refusal == "target"
        near.sendall(b"\x05" + (b"\x05" if is_refused else b"\x00") + b"\x00\x01" + bytes(6))
        return None if is_refused else socket.create_connection(("127.0.0.1", port))


def _read(connection: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size and (piece := connection.recv(size - len(read))):
        read += piece
    return read


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def socks_proxy(refusal: Refusal = "none") -> Iterator[SocksProxy]:
    """Run a proxy."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = SocksProxy(listener.getsockname()[1], refusal)
        threads: list[threading.Thread] = []

        def accept() -> None:
            # A shutdown of the listener ends the wait with an error.
            with suppress(OSError):
                while True:
                    thread = threading.Thread(target=proxy.serve, args=(listener.accept()[0],), daemon=True)
                    thread.start()
                    threads.append(thread)

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()
