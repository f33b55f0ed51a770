"""A loopback relay in a thread: TLS in front of a server, or a CONNECT proxy."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.loops import in_own_loop

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Relay:
    """A running relay.

    Attributes:
        port: Where it listens.
        connects: The targets of its CONNECT requests, as a proxy.
        headers: What came with them.
    """

    port: int = 0
    connects: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except OSError:
        # Either connection may break. The end of the bytes is passed on.
        writer.transport.abort()
    finally:
        writer.close()


async def _join(near: Streams, port: int) -> None:
    far = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(_pump(near[0], far[1]), _pump(far[0], near[1]))


async def _proxied(relay: Relay, near: Streams, refusal: bytes | None) -> None:
    head = (await near[0].readuntil(b"\r\n\r\n")).decode()
    relay.connects.append(head.split(" ")[1])
    relay.headers.append(head)
    if refusal is not None:
        near[1].write(refusal)
        # Unread bytes would turn the end of the connection into a reset, which would discard the response.
        near[1].write_eof()
        await near[0].read()
        near[1].close()
        return
    near[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await _join(near, int(relay.connects[-1].rpartition(":")[2]))


@contextmanager
def relaying(
    port: int = 0, *, tls: ssl.SSLContext | None = None, refusal: bytes | None = None, host: str = "127.0.0.1"
) -> Iterator[Relay]:
    """Relay to a local port, behind TLS, or without a port to the targets of CONNECT requests, or reject these.

    A refusal of no bytes is a connection that is closed.
    """
    relay = Relay()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        near = (reader, writer)
        await (_join(near, port) if port else _proxied(relay, near, refusal))

    async def main(listens: Callable[[], None], over: asyncio.Event) -> None:
        server = await asyncio.start_server(serve, host, 0, ssl=tls)
        relay.port = server.sockets[0].getsockname()[1]
        listens()
        await over.wait()
        server.close()

    with in_own_loop(main):
        yield relay


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Return the file of a self-signed certificate for localhost, and a server context that uses it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context
