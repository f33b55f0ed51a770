"""The messages between workers and their run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from langchain_kimi import KimiConnectionError
from langchain_kimi.bulk.frames import Address, Frames


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Frames, Frames, asyncio.StreamWriter]]:
    """Yield both ends of a connection, and the writer of the first."""
    accepted: asyncio.Future[Frames] = asyncio.get_running_loop().create_future()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(Frames(reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
    one, other = Frames(reader, writer), await accepted
    yield one, other, writer
    await one.close()
    await other.close()
    server.close()


async def test_messages_arrive_in_order_whatever_their_size() -> None:
    async with pair() as (one, other, _):
        messages = [{"text": "é" * size} for size in (0, 1, 100_000)]
        for message in messages:
            one.send(message)
        assert [await other.receive() for _ in messages] == messages


async def test_only_the_secret_is_a_proof() -> None:
    async with pair() as (one, other, _):
        _, is_proven = await asyncio.gather(one.prove("right"), other.is_proven("right"))
        assert is_proven
    for answer in ({"nothing": 1}, {"proof": "é"}):
        async with pair() as (one, other, _):
            one.send(answer)
            assert not await other.is_proven("right")


async def test_a_worker_with_a_wrong_secret_is_not_accepted() -> None:
    async with pair() as (one, other, _):
        proving = asyncio.create_task(one.prove("wrong"))
        assert not await other.is_proven("right")
        other.end()
        with pytest.raises(KimiConnectionError, match="was closed"):
            await proving


async def test_a_worker_reads_nothing_from_a_program_without_the_secret() -> None:
    async with pair() as (one, other, _):
        proving = asyncio.create_task(one.prove("right"))
        other.send({"nonce": "n"})
        proof = (await other.receive())["proof"]
        # The proof of the worker is not one of the run.
        other.send({"proof": proof})
        with pytest.raises(KimiConnectionError, match="does not have its secret"):
            await proving


async def test_a_value_that_is_not_a_message_is_an_error() -> None:
    for content in (b"", b"\0\0\0\2{]", b"\0\0\0\5{}", b"\0\0\0\2[]"):
        async with pair() as (_, other, writer):
            writer.write(content)
            writer.write_eof()
            with pytest.raises(KimiConnectionError, match=r"was closed|is not an object"):
                await other.receive()


async def test_a_message_that_is_too_large_is_not_read() -> None:
    async with pair() as (one, other, _):
        one.send({"text": "x" * 100})
        with pytest.raises(KimiConnectionError, match="too large"):
            await other.receive(100)


async def test_nothing_is_sent_after_the_end() -> None:
    async with pair() as (one, other, _):
        await one.close()
        one.send({"text": "x"})
        with pytest.raises(KimiConnectionError):
            await other.receive()


def test_the_secret_is_not_shown() -> None:
    assert "s3cret" not in repr(Address("127.0.0.1", 1, "s3cret"))
