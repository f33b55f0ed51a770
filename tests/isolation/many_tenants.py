"""A server, and proxy, that answers each tenant with its own name and records which tenants use a connection."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.loops import in_own_loop

PASSWORD = "planted-password"


def key_of(number: int) -> str:
    """Return the API key of a tenant."""
    return f"planted-key-of-tenant-{number}"


def proxy_credentials(number: int) -> str:
    """Return the header value by which a tenant's proxy knows the tenant."""
    return "Basic " + base64.b64encode(f"tenant-{number}:{PASSWORD}".encode()).decode()


@dataclass
class Tenants:
    """The server's records.

    Attributes:
        port: The port, of the server and of the proxy.
        calls: The number of calls of each tenant.
        problems: Requests that carry something of another tenant.
        shared: For each connection the tenants that used it.
        open_connections: The number of open connections.
    """

    port: int = 0
    calls: Counter[int] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    shared: list[set[int]] = field(default_factory=list)
    open_connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        users: set[int] = set()
        self.shared.append(users)
        self.open_connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                writer.write(self._answer(head[0], headers, body, users))
                await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self.open_connections -= 1

    def _answer(self, line: str, headers: dict[str, str], body: dict[str, object], users: set[int]) -> bytes:
        number = int(headers["authorization"].rpartition("-")[2])
        self.calls[number] += 1
        users.add(number)
        expected = {
            "authorization": f"Bearer {key_of(number)}",
            "x-tenant": str(number),
            "proxy-authorization": proxy_credentials(number) if " http://" in line else None,
            "cookie": None,
        }
        self.problems += [
            f"{name} of tenant {number}: {headers.get(name)}"
            for name, value in expected.items()
            if headers.get(name) != value
        ]
        text = f"tenant {number}, {body['messages'][0]['content']}"  # type: ignore[index]  # the body of a chat request
        choice = {"index": 0, "finish_reason": "stop", "delta" if body.get("stream") else "message": {"content": text}}
        reply = json.dumps({"id": "gen-1", "choices": [choice]})
        kind, content = "application/json", reply
        if body.get("stream"):
            kind, content = "text/event-stream", f"data: {reply}\n\ndata: [DONE]\n\n"
        lines = ["HTTP/1.1 200 OK", f"content-type: {kind}", f"content-length: {len(content)}"]
        return "\r\n".join([*lines, f"set-cookie: tenant={number}", "", content]).encode()


@contextmanager
def serving_tenants() -> Iterator[Tenants]:
    """Run the server in a thread."""
    tenants = Tenants()

    async def run(listens: Callable[[], None], over: asyncio.Event) -> None:
        async with await asyncio.start_server(tenants.serve, "127.0.0.1", 0) as server:
            tenants.port = server.sockets[0].getsockname()[1]
            listens()
            await over.wait()
            for _ in range(1000):
                # The clients have closed their connections.
                if not tenants.open_connections:
                    break
                await asyncio.sleep(0.01)

    with in_own_loop(run):
        yield tenants
