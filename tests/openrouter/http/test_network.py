"""The network streams of the shared clients, over sockets of this machine."""

import asyncio
import os
import select
import socket
from collections.abc import Iterator

import httpcore
import pytest

from langchain_kimi._openrouter.http.network import PIECE, AsyncNetwork, AsyncStream, Network, is_readable
from langchain_kimi.errors import KimiUsageError
from tests.waiting import until

HOST = "127.0.0.1"
INVALID_HOST = "a" * 64 + ".example"
"""A label of a host name has at most 63 bytes, so Python raises UnicodeError."""
LARGE = bytes(2**24)
"""More bytes than the buffers of both sockets take."""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0)) as listening:
        yield listening


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def received(connection: socket.socket) -> int:
    """Return the number of bytes that come until the other side closes the connection."""
    total = 0
    while piece := connection.recv(2**20):
        total += len(piece)
    return total


def test_a_host_name_that_cannot_be_encoded_is_a_connect_error() -> None:
    with pytest.raises(httpcore.ConnectError):
        Network().connect_tcp(INVALID_HOST, 443)


async def test_a_host_name_that_cannot_be_encoded_is_an_async_connect_error() -> None:
    network = AsyncNetwork()
    with pytest.raises(httpcore.ConnectError):
        await network.connect_tcp(INVALID_HOST, 443)
    assert not network.streams


async def test_the_connect_timeout_ends_the_opening_of_a_connection(listener: socket.socket) -> None:
    network = AsyncNetwork()
    with pytest.raises(httpcore.ConnectTimeout):
        await network.connect_tcp(HOST, port_of(listener), timeout=0.0)
    assert not network.streams


class PassedLimits:
    """The time limits of a call whose time is over."""

    def time_left(self) -> float:
        return 0.0

    def read_left(self) -> float:
        return -1.0

    def restart(self) -> None:
        """Leave the limits as they are."""


def test_no_time_left_ends_each_sync_operation(listener: socket.socket) -> None:
    network = Network()
    stream = network.connect_tcp(HOST, port_of(listener))
    network.limits = PassedLimits()
    with pytest.raises(httpcore.ConnectTimeout):
        network.connect_tcp(HOST, port_of(listener), timeout=9.0)
    with pytest.raises(httpcore.ReadTimeout):
        stream.read(1)
    stream.close()


async def test_no_time_left_ends_each_async_operation(listener: socket.socket) -> None:
    network = AsyncNetwork()
    stream = await network.connect_tcp(HOST, port_of(listener))
    network.limits = PassedLimits()
    with pytest.raises(httpcore.ConnectTimeout):
        await network.connect_tcp(HOST, port_of(listener), timeout=9.0)
    with pytest.raises(httpcore.ReadTimeout):
        await stream.read(1)
    await stream.aclose()


async def test_a_cancelled_opening_leaves_no_stream() -> None:
    network = AsyncNetwork()
    stream = AsyncStream(network, asyncio.get_running_loop())
    with pytest.raises(asyncio.CancelledError):
        async with stream.opening(None):
            raise asyncio.CancelledError
    assert not network.streams


async def test_socket_options_are_set(listener: socket.socket) -> None:
    option = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    stream = await AsyncNetwork().connect_tcp(HOST, port_of(listener), socket_options=[option])
    assert stream.get_extra_info("socket").getsockopt(*option[:2])
    await stream.aclose()


async def test_only_the_process_of_a_network_closes_its_streams(listener: socket.socket) -> None:
    network = AsyncNetwork()
    stream = await network.connect_tcp(HOST, port_of(listener))
    network.process = os.getppid()
    network.close()
    assert network.streams == {stream}
    network.process = os.getpid()
    network.close()
    assert not network.streams


async def test_a_write_times_out_when_nobody_reads(listener: socket.socket) -> None:
    stream = await AsyncNetwork().connect_tcp(HOST, port_of(listener))
    with pytest.raises(httpcore.WriteTimeout):
        await stream.write(LARGE, timeout=0.05)
    await stream.aclose()


async def test_a_write_continues_when_the_other_side_reads(listener: socket.socket) -> None:
    stream = await AsyncNetwork().connect_tcp(HOST, port_of(listener))
    assert isinstance(stream, AsyncStream)
    with listener.accept()[0] as connection:
        reading = asyncio.create_task(asyncio.to_thread(received, connection))
        await stream.write(LARGE)
        # To abort the stream would lose the bytes that are still in its buffer.
        stream.protocol.transport.close()
        assert await reading == len(LARGE)


async def test_a_write_to_a_closed_connection_is_an_error(listener: socket.socket) -> None:
    stream = await AsyncNetwork().connect_tcp(HOST, port_of(listener))
    listener.accept()[0].close()
    assert await stream.read(1) == b""
    await stream.write(b"head")
    with pytest.raises(httpcore.WriteError, match="The connection is closed"):
        await stream.write(b"body")
    await stream.aclose()


def test_a_read_sends_buffered_data_first(listener: socket.socket) -> None:
    network = Network()
    stream = network.connect_tcp(HOST, port_of(listener))
    with listener.accept()[0] as connection:
        stream.write(b"head")
        connection.sendall(b"answer")
        assert stream.read(6) == b"answer"
        assert connection.recv(4) == b"head"
    network.close()


async def test_an_async_read_sends_buffered_data_first(listener: socket.socket) -> None:
    stream = await AsyncNetwork().connect_tcp(HOST, port_of(listener))
    with listener.accept()[0] as connection:
        await stream.write(b"head")
        connection.sendall(b"answer")
        assert await stream.read(6) == b"answer"
        assert connection.recv(4) == b"head"
    await stream.aclose()


async def test_bytes_that_nobody_reads_stay_at_the_server(listener: socket.socket) -> None:
    stream = await AsyncNetwork().connect_tcp(HOST, port_of(listener))
    assert isinstance(stream, AsyncStream)
    with listener.accept()[0] as connection:
        sending = asyncio.create_task(asyncio.to_thread(connection.sendall, LARGE))
        await until(lambda: not stream.protocol.transport.is_reading())
        assert not sending.done()
        total = 0
        while total < len(LARGE):
            total += len(await stream.read(PIECE))
        await sending
        assert stream.protocol.transport.is_reading()
    await stream.aclose()


async def test_a_write_longer_than_a_piece_arrives_whole(listener: socket.socket) -> None:
    network = Network()
    stream = network.connect_tcp(HOST, port_of(listener))
    with listener.accept()[0] as connection:
        reading = asyncio.create_task(asyncio.to_thread(received, connection))
        await asyncio.to_thread(stream.write, bytes(2 * PIECE + 1))
        network.close()
        assert await reading == 2 * PIECE + 1


def test_a_stream_cannot_be_read_on_another_loop(listener: socket.socket) -> None:
    loop = asyncio.new_event_loop()
    stream = loop.run_until_complete(AsyncNetwork().connect_tcp(HOST, port_of(listener)))
    with pytest.raises(KimiUsageError, match="another event loop"):
        asyncio.run(stream.read(1))
    loop.run_until_complete(stream.aclose())
    # The loop closes the socket in its next step.
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


class Transport:
    """The part of an asyncio transport that `is_readable` uses."""

    def __init__(self, sock: socket.socket | None) -> None:
        self._socket = sock

    def get_extra_info(self, name: str) -> socket.socket | None:
        assert name == "socket"
        return self._socket


@pytest.mark.parametrize("has_poll", [True, False])
def test_bytes_that_wait_on_a_socket_are_noticed(monkeypatch: pytest.MonkeyPatch, has_poll: bool) -> None:  # noqa: FBT001 - a parametrized case
    if not has_poll:
        monkeypatch.delattr(select, "poll", raising=False)
    near, far = socket.socketpair()
    with near, far:
        assert not is_readable(Transport(near))
        far.sendall(b"x")
        assert is_readable(Transport(near))


def test_a_connection_without_an_open_socket_counts_as_readable() -> None:
    near, far = socket.socketpair()
    near.close()
    far.close()
    assert is_readable(Transport(None))
    assert is_readable(Transport(near))
