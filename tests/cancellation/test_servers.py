"""Browsers that leave a page that streams a reply: a Starlette StreamingResponse under uvicorn."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.http import clients
from langchain_kimi.testing import Emulator, Reply, faults
from tests.cancellation.ways import PROMPT, connections, in_use, model_for, settles

uvicorn = pytest.importorskip("uvicorn", reason="uvicorn is not installed")
applications = pytest.importorskip("starlette.applications", reason="starlette is not installed")
responses = pytest.importorskip("starlette.responses", reason="starlette is not installed")
routing = pytest.importorskip("starlette.routing", reason="starlette is not installed")

BROWSERS = 10
LONG = Reply(text="word " * 5_000)
"""Far longer than a browser stays."""


class Page:
    """An application with a page that streams a reply, and the loop that it runs on."""

    def __init__(self, model: ChatKimi) -> None:
        self._model = model
        self.loop: asyncio.AbstractEventLoop | None = None
        self.server: Any = None
        self.port = 0

    async def respond(self, _: Any) -> Any:
        self.loop = asyncio.get_running_loop()
        return responses.StreamingResponse(self._texts(), media_type="text/plain")

    async def _texts(self) -> AsyncIterator[str]:
        async for chunk in self._model.astream(PROMPT):
            yield chunk.text

    def visit(self) -> socket.socket:
        """Return the connection of a browser that has requested the page."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.settimeout(30)
        connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        return connection

    def read(self) -> bytes:
        """Return the whole page."""
        with self.visit() as connection:
            pieces = []
            while piece := connection.recv(2**16):
                pieces.append(piece)
        return b"".join(pieces)

    def is_clean(self) -> bool:
        """Return whether no client of the loop is in use."""
        assert self.loop is not None
        return in_use(clients._registry.of_loop(self.loop)) == 0

    def connections(self) -> int:
        """Return the number of idle connections of the loop."""
        assert self.loop is not None
        return connections(clients._registry.of_loop(self.loop))


@contextmanager
def served(openrouter: Emulator) -> Iterator[Page]:
    """Serve a page with uvicorn in a thread."""
    page = Page(model_for(openrouter))
    app = applications.Starlette(routes=[routing.Route("/", page.respond)])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        page.port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, loop="asyncio", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert settles(lambda: server.started)
            yield page
        finally:
            server.should_exit = True
            thread.join()


def test_a_browser_that_leaves_amid_a_stream() -> None:
    with Emulator() as openrouter, served(openrouter) as page:
        openrouter.behave(pause=0.005)
        for _ in range(BROWSERS):
            openrouter.script(LONG)
            with page.visit() as connection:
                while b"word" not in connection.recv(2**16):
                    pass
            assert settles(lambda: openrouter.requests[-1].hung_up_at is not None)
            assert settles(page.is_clean)
        assert settles(lambda: openrouter.open_connections <= page.connections())
        openrouter.behave(pause=0.0)
        assert b"word" not in page.read()


@pytest.mark.parametrize("fault", [faults.silence(), faults.silence("first_event")], ids=["no reply", "no event"])
def test_a_browser_that_leaves_before_the_first_token(fault: Any) -> None:
    with Emulator() as openrouter, served(openrouter) as page:
        for _ in range(BROWSERS):
            openrouter.clear()
            openrouter.fail_next(fault)
            with page.visit():
                assert settles(lambda: len(openrouter.requests) == 1)
            assert settles(lambda: openrouter.requests[-1].hung_up_at is not None)
            assert settles(page.is_clean)
        assert settles(lambda: openrouter.open_connections <= page.connections())
        assert page.read().startswith(b"HTTP/1.1 200 OK")


def test_many_browsers_that_leave_at_the_same_time() -> None:
    with Emulator() as openrouter, served(openrouter) as page:
        openrouter.behave(pause=0.005)
        openrouter.script(LONG, times=BROWSERS)
        connections = [page.visit() for _ in range(BROWSERS)]
        assert settles(lambda: len(openrouter.requests) == BROWSERS)
        for connection in connections:
            connection.close()
        assert settles(lambda: all(request.hung_up_at is not None for request in openrouter.requests))
        assert settles(page.is_clean)
        openrouter.behave(pause=0.0)
        assert page.read().startswith(b"HTTP/1.1 200 OK")
