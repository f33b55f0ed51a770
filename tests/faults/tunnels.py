"""A CONNECT proxy on the loopback interface whose tunnels fail as a test scripts them, also behind TLS."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from tests.loops import in_own_loop

Tunnel = Literal["open", "closed", "reset", "hello", "silent", "plain", "alert", "refused", "no reply"] | int
"""How the proxy treats a tunnel: `open` connects it to its target, a number to another port. `closed` ends it after the
proxy's 200, `hello` after the client's first bytes of TLS, and `reset` then resets the connection. `silent` sends no
bytes after the 200, `plain` answers the handshake in plain HTTP, `alert` with an alert of TLS. `refused` is a 503, and
`no reply` sends no answer to CONNECT."""
PLAIN = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
"""A fatal alert: the handshake failed."""


@dataclass
class Proxy:
    """A running proxy.

    Attributes:
        port: Where it listens.
        script: The tunnels to come; all later ones are open.
        connects: The targets so far.
    """

    port: int = 0
    script: list[Tunnel] = field(default_factory=list)
    connects: list[str] = field(default_factory=list)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()


async def _serve(proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    target = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1]
    proxy.connects.append(target)
    tunnel = proxy.script.pop(0) if proxy.script else "open"
    if tunnel == "refused":
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
    elif tunnel != "no reply":
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await writer.drain()
    if tunnel == "open" or isinstance(tunnel, int):
        port = int(target.rpartition(":")[2]) if tunnel == "open" else tunnel
        far = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(_pump(reader, far[1]), _pump(far[0], writer))
        finally:
            far[1].transport.abort()
        return
    if tunnel in {"silent", "no reply"}:
        # Until the client gives up.
        while await reader.read(65536):
            continue
    elif tunnel != "closed":
        await reader.read(65536)
    if answer := {"plain": PLAIN, "alert": ALERT}.get(tunnel):
        writer.write(answer)
        await writer.drain()
    if tunnel == "reset":
        writer.transport.abort()
    writer.close()


@contextmanager
def proxying(*script: Tunnel, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """Run a proxy, with TLS between it and its clients if there is a context."""
    proxy = Proxy(script=list(script))
    served: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.current_task())
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await _serve(proxy, reader, writer)
        finally:
            writer.transport.abort()

    async def main(listens: Callable[[], None], over: asyncio.Event) -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        proxy.port = server.sockets[0].getsockname()[1]
        listens()
        await over.wait()
        server.close()
        running = [task for task in served if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running)
        # The loop closes the sockets in its next step.
        await asyncio.sleep(0)

    with in_own_loop(main):
        yield proxy
