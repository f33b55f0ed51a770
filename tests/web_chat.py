"""The web chat of the examples, served on this machine in front of an emulator."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from examples.web_chat.app import create_app
from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.cancellation.ways import settles

NOTE = "These answers are made up."


@contextmanager
def served(openrouter: Emulator, grace: float = 10.0) -> Iterator[str]:
    """Serve the chat in a thread. Yield its URL."""
    model = ChatKimi(api_key="a-key", base_url=openrouter.base_url, max_retries=0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = create_app(model, note=NOTE, grace=grace)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        options: dict[str, Any] = {"sockets": [listener]}
        thread = threading.Thread(target=server.run, kwargs=options)
        thread.start()
        try:
            assert settles(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
