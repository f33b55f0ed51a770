"""Unusual input and malformed replies raise KimiErrors, in all four ways."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiConnectionError, KimiError, KimiUsageError
from langchain_kimi.testing import Emulator, Reply
from tests.conftest import KEY
from tests.faults.ways import WAYS, ask

FOUR_WAYS = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def model() -> Iterator[ChatKimi]:
    with Emulator() as openrouter:
        yield ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)


@FOUR_WAYS
def test_a_host_name_with_an_empty_label(way: str) -> None:
    try:
        model = ChatKimi(api_key=KEY, base_url="https://a..b", max_retries=0)
    except ValidationError:
        # Refused when the model is made, which is earlier.
        return
    assert isinstance(ask(model, way).error, KimiError)


@FOUR_WAYS
def test_a_model_that_is_not_a_text(model: ChatKimi, way: str) -> None:
    assert isinstance(ask(model.bind(model=5), way).error, KimiUsageError)
    assert ask(model, way).error is None


def _cyclic() -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    schema["properties"]["self"] = schema
    return schema


def _nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@FOUR_WAYS
@pytest.mark.parametrize("parameters", [_cyclic(), _nested(600)], ids=["cyclic", "600 deep"])
def test_a_tool_with_a_schema_that_cannot_be_sent(model: ChatKimi, way: str, parameters: Any) -> None:
    tool = {"type": "function", "function": {"name": "search", "parameters": parameters}}
    with pytest.raises(KimiUsageError):
        model.bind_tools([tool])
    assert isinstance(ask(model, way, tools=[tool]).error, KimiUsageError)
    assert ask(model, way).error is None


@contextmanager
def proxy_that_sends(*replies: bytes) -> Iterator[str]:
    """Yield the URL of a socks proxy that answers each connection with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    for reply in replies:
                        connection.recv(1024)
                        connection.sendall(reply)
                    connection.recv(1024)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"socks5://127.0.0.1:{listener.getsockname()[1]}"
        # Closing a socket does not end an accept of another thread.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@FOUR_WAYS
@pytest.mark.parametrize(
    "replies",
    [
        (b"\x05\x00", b"\x05\x00\x00\x07"),
        (b"\x05\x00", b"\x05\x63\x00\x01\x00\x00\x00\x00\x00\x00"),
        (b"HTTP/1.1 400\r\n",),
    ],
    ids=["an unknown kind of address", "an unknown code", "not SOCKS"],
)
def test_a_malformed_reply_of_a_socks_proxy(replies: tuple[bytes, ...], way: str) -> None:
    pytest.importorskip("socksio", reason="socksio is not installed")
    with proxy_that_sends(*replies) as proxy:
        model = ChatKimi(api_key=KEY, base_url="https://openrouter.example/api/v1", proxy=proxy, max_retries=0)
        assert isinstance(ask(model, way).error, KimiConnectionError)


def test_a_stream_that_continues_on_another_loop() -> None:
    with Emulator() as openrouter:
        openrouter.behave(pause=0.01)
        openrouter.script(Reply(text="word " * 100))
        model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
        stream: Any = model.astream("Go on.")

        async def next_chunk() -> Any:
            return await anext(stream)

        def read_on(loop: asyncio.AbstractEventLoop) -> None:
            # Some chunks may have come already.
            for _ in range(100):
                loop.run_until_complete(next_chunk())

        # `asyncio.run` would end the stream with its loop.
        first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
        assert first.run_until_complete(next_chunk()) is not None
        with pytest.raises(KimiUsageError):
            read_on(second)
        for loop in (first, second):
            loop.run_until_complete(loop.shutdown_asyncgens())
            # The loop closes its sockets in its next step.
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
        assert asyncio.run(model.ainvoke("Hello.")).text
