import asyncio
import gc
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, aclosing, closing
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, cast

import httpx
import pytest

from langchain_kimi._openrouter.http import clients
from langchain_kimi._openrouter.http.clients import AsyncLease, aclose, close, sync_client_for
from langchain_kimi._openrouter.http.connection import Connection, Timeout
from langchain_kimi._openrouter.http.pool import MAX_IDLE, Caller
from langchain_kimi._openrouter.http.transport import aexchange, exchange
from langchain_kimi._openrouter.http.transports import sync_client_class
from langchain_kimi.errors import KimiTimeoutError
from langchain_kimi.testing.http1 import Hang, Pause
from tests.openrouter.events import WHOLE, text_event
from tests.openrouter.http.calling import call, serving, streamed

HERE = Connection("http://127.0.0.1:9")
PROXIED = Connection(proxy="http://127.0.0.1:3128")
GOOD = streamed(*WHOLE)


@pytest.fixture(autouse=True)
def no_clients() -> Iterator[None]:
    """Start and end each test without sync clients."""
    for each in (HERE, PROXIED):
        close(each)
    yield
    for each in (HERE, PROXIED):
        close(each)


def sync_client(connection: Connection = HERE) -> Any:
    with sync_client_for(connection) as client:
        return client


async def async_client(connection: Connection = HERE) -> Any:
    async with AsyncLease(connection) as client:
        return client


def test_one_client_for_the_same_settings() -> None:
    client = sync_client()
    assert client is sync_client(Connection("https://elsewhere.example", Timeout(idle=1.0)))
    assert client is not sync_client(PROXIED)
    assert not client.is_closed


async def test_one_async_client_for_the_same_settings_on_a_loop() -> None:
    client = await async_client()
    assert client is await async_client(Connection("https://elsewhere.example", Timeout(idle=1.0)))
    assert client is not await async_client(PROXIED)
    await aclose(PROXIED)


async def test_the_environment_chooses_another_client_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    direct, direct_async = sync_client(), await async_client()
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:3128")
    assert sync_client() is direct
    assert await async_client() is direct_async
    close(HERE)
    assert sync_client() is not direct
    assert await async_client() is not direct_async
    await aclose(HERE)


def test_each_loop_has_its_own_client_which_is_closed_with_it() -> None:
    first, second = asyncio.run(async_client()), asyncio.run(async_client())
    assert first is not second
    assert (first.is_closed, second.is_closed) == (True, True)


def test_a_users_own_client_is_used_and_not_closed() -> None:
    own = httpx.Client()
    assert sync_client(Connection(http_client=own)) is own
    close(Connection(http_client=own))
    assert not own.is_closed
    own.close()


async def test_a_users_own_async_client_is_used_and_not_closed() -> None:
    async with httpx.AsyncClient() as own:
        assert await async_client(Connection(http_async_client=own)) is own
        await aclose(Connection(http_async_client=own))
        assert not own.is_closed


# Closing


def test_releasing_an_unused_client_closes_it() -> None:
    client = sync_client()
    close(HERE)
    assert client.is_closed
    assert sync_client() is not client


def test_releasing_a_client_waits_for_its_calls() -> None:
    with sync_client_for(HERE) as client:
        with sync_client_for(HERE) as other:
            close(HERE)
            close(HERE)
            with sync_client_for(HERE) as newer:
                assert newer not in (client, other)
        assert (other.is_closed, client.is_closed) == (True, False)
    assert client.is_closed
    assert not newer.is_closed


async def test_releasing_an_async_client_waits_for_its_calls() -> None:
    async with AsyncLease(HERE) as client:
        async with AsyncLease(HERE) as other:
            await aclose(HERE)
            await aclose(HERE)
        assert (other.is_closed, client.is_closed) == (True, False)
        newer = await async_client()
        assert newer is not client
    assert client.is_closed
    await aclose(HERE)
    assert newer.is_closed


def test_releasing_a_client_that_was_never_made_does_nothing() -> None:
    close(PROXIED)
    asyncio.run(aclose(PROXIED))


def test_a_closed_client_is_replaced() -> None:
    client = sync_client()
    client.close()
    assert not sync_client().is_closed


async def test_a_closed_async_client_is_replaced() -> None:
    client = await async_client()
    await client.aclose()
    newer = await async_client()
    assert not newer.is_closed
    await aclose(HERE)


def test_releasing_a_client_during_a_stream_does_not_break_it() -> None:
    with serving(streamed(text_event("Hel"), Pause(0.01), *WHOLE[1:])) as server:
        parts = exchange(call(server.url))
        text = next(parts)
        close(HERE)
        assert text + "".join(parts) == "Hello"


async def test_releasing_an_async_client_during_a_stream_does_not_break_it() -> None:
    with serving(streamed(text_event("Hel"), Pause(0.01), *WHOLE[1:])) as server:
        parts = aexchange(call(server.url))
        text = await anext(parts)
        await aclose(HERE)
        assert text + "".join([part async for part in parts]) == "Hello"


def test_a_dropped_stream_may_be_collected_while_the_lock_is_held() -> None:
    with serving(streamed(text_event("Hel"), Hang())) as server:
        parts = exchange(call(server.url))
        next(parts)
        with clients._registry.lock:
            del parts
            gc.collect()
        with sync_client_for(HERE) as client:
            close(HERE)
        assert client.is_closed


# Concurrent calls


def test_concurrent_calls_have_their_own_clients_and_later_calls_reuse_them() -> None:
    with ExitStack() as stack:
        used = [stack.enter_context(sync_client_for(HERE)) for _ in range(3)]
        assert len({id(client) for client in used}) == 3
    assert not any(client.is_closed for client in used)
    with ExitStack() as stack:
        assert {stack.enter_context(sync_client_for(HERE)) for _ in range(3)} == set(used)


async def test_concurrent_async_calls_have_their_own_clients_and_later_calls_reuse_them() -> None:
    async with AsyncExitStack() as stack:
        used = [await stack.enter_async_context(AsyncLease(HERE)) for _ in range(3)]
        assert len({id(client) for client in used}) == 3
    async with AsyncExitStack() as stack:
        assert {await stack.enter_async_context(AsyncLease(HERE)) for _ in range(3)} == set(used)
    await aclose(HERE)
    assert all(client.is_closed for client in used)


def test_many_calls_leave_no_more_clients_than_the_limit() -> None:
    with ExitStack() as stack:
        used = [stack.enter_context(sync_client_for(HERE)) for _ in range(MAX_IDLE + 2)]
    assert [client.is_closed for client in used].count(True) == 2


async def test_many_async_calls_leave_no_more_clients_than_the_limit() -> None:
    async with AsyncExitStack() as stack:
        used = [await stack.enter_async_context(AsyncLease(HERE)) for _ in range(MAX_IDLE + 2)]
    assert [client.is_closed for client in used].count(True) == 2
    await aclose(HERE)


def test_max_connections_limits_the_clients_in_use() -> None:
    two = Connection("http://127.0.0.1:9", Timeout(connect=0.01), max_connections=2)
    with sync_client_for(two), sync_client_for(two), pytest.raises(httpx.PoolTimeout), sync_client_for(two):
        pytest.fail("there is a third client")
    with sync_client_for(two), sync_client_for(two):
        close(two)


def test_a_call_waits_for_the_only_connection() -> None:
    with serving(GOOD) as server, ThreadPoolExecutor(8) as pool:
        one = {"max_connections": 1}
        texts = list(pool.map(lambda _: "".join(exchange(call(server.url, connection=one))), range(24)))
        close(Connection(server.url, max_connections=1))
        assert (set(texts), len(server.requests)) == ({"Hello"}, 24)


def test_the_connect_timeout_limits_the_wait_for_a_client() -> None:
    with serving(streamed(text_event("Hel"), Hang())) as server:
        first, second = (call(server.url, connection={"max_connections": 1}, connect=0.05) for _ in range(2))
        with closing(cast("Any", exchange(first))) as parts:
            assert next(parts) == "Hel"
            with pytest.raises(KimiTimeoutError, match=r"PoolTimeout.*max_connections"):
                next(exchange(second))
        close(first.connection)


async def test_the_connect_timeout_limits_the_async_wait_for_a_client() -> None:
    with serving(streamed(text_event("Hel"), Hang())) as server:
        first, second = (call(server.url, connection={"max_connections": 1}, connect=0.05) for _ in range(2))
        async with aclosing(aexchange(first)) as parts:
            assert await anext(parts) == "Hel"
            with pytest.raises(KimiTimeoutError, match=r"PoolTimeout.*max_connections"):
                await anext(aexchange(second))
        await aclose(first.connection)


async def test_a_cancelled_wait_for_a_client_does_not_lose_the_client() -> None:
    one = Connection("http://127.0.0.1:9", max_connections=1)
    async with AsyncLease(one) as client:
        waiting = [asyncio.create_task(async_client(one)) for _ in range(3)]
        await asyncio.sleep(0)
        # One call stops waiting, and another has just received the client.
        waiting[1].cancel()
    waiting[0].cancel()
    assert await waiting[2] is client
    assert await async_client(one) is client
    await aclose(one)
    assert client.is_closed


async def test_a_cancelled_wait_closes_a_retired_client() -> None:
    one = Connection("http://127.0.0.1:9", max_connections=1)
    async with AsyncLease(one) as client:
        waiting = asyncio.create_task(async_client(one))
        await asyncio.sleep(0)
        await aclose(one)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert client.is_closed


@pytest.mark.parametrize(("stop", "raised"), [(Empty, httpx.PoolTimeout), (KeyboardInterrupt, KeyboardInterrupt)])
def test_a_thread_that_timed_out_closes_a_retired_client(
    stop: type[BaseException], raised: type[BaseException]
) -> None:
    class Late(SimpleQueue[Any]):
        def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002 - the base's
            if timeout is None:
                return super().get(block)
            pool.release(first, client, 0.0)
            raise stop

    one, waiter = Connection("http://127.0.0.1:9", max_connections=1), Late()
    registry, first, second = clients._registry, Caller(), Caller()
    pool, _ = registry.pool(registry.sync, sync_client_class, one)
    client = pool.acquire(first)
    pool.wait(second, waiter)
    close(one)
    with pytest.raises(raised):
        clients._wait_for_client(registry, pool, second, waiter, 0.01)
    assert client is not None
    assert client.is_closed


def test_a_waiting_thread_gets_the_next_free_client() -> None:
    one = Connection("http://127.0.0.1:9", max_connections=1)
    with ThreadPoolExecutor(1) as pool:
        with sync_client_for(one) as client:
            waiting = pool.submit(sync_client, one)
            while not clients._registry.pool(clients._registry.sync, sync_client_class, one)[0].waiters:
                pass
        assert waiting.result() is client
    close(one)


# Loops and threads


async def read(url: str) -> str:
    return "".join([part async for part in aexchange(call(url))])


def test_calls_on_one_loop_after_the_other() -> None:
    with serving(GOOD) as server:
        assert [asyncio.run(read(server.url)) for _ in range(4)] == ["Hello"] * 4
        assert server.loopback.connections_opened == 4


def test_calls_in_threads_with_loops_and_without() -> None:
    with serving(GOOD) as server, ThreadPoolExecutor(4) as pool:
        running = [pool.submit(lambda: asyncio.run(read(server.url))) for _ in range(8)]
        running += [pool.submit(lambda: "".join(exchange(call(server.url)))) for _ in range(8)]
        assert [each.result() for each in running] == ["Hello"] * 16
        close(HERE)


def test_many_calls_at_once_on_one_loop_all_get_a_client() -> None:
    async def together(url: str) -> list[str]:
        return await asyncio.gather(*(read(url) for _ in range(50)))

    with serving(GOOD) as server:
        assert asyncio.run(together(server.url)) == ["Hello"] * 50


def test_a_loop_that_was_not_shut_down_is_removed_with_the_next() -> None:
    loops = []
    with serving(GOOD) as server, warnings.catch_warnings():
        # Python warns about a loop that is closed with open connections.
        warnings.simplefilter("ignore", ResourceWarning)
        for _ in range(3):
            loop = asyncio.new_event_loop()
            assert loop.run_until_complete(read(server.url)) == "Hello"
            loop.close()
            loops.append(loop)
        assert [loop in clients._registry.by_loop for loop in loops] == [False, False, True]
        asyncio.run(read(server.url))
        assert not any(loop in clients._registry.by_loop for loop in loops)
        loops.clear()
        gc.collect()


def test_a_loop_that_is_shut_down_leaves_nothing_open() -> None:
    loop = asyncio.new_event_loop()
    with serving(GOOD) as server:
        assert loop.run_until_complete(read(server.url)) == "Hello"
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        del loop
        gc.collect()
        assert asyncio.run(server.settled()) == 0


async def test_a_dropped_lease_releases_its_client() -> None:
    lease = AsyncLease(HERE)
    client = await lease.__aenter__()
    del lease
    gc.collect()
    await asyncio.sleep(0)
    assert await async_client() is client
    await aclose(HERE)


async def test_a_lease_that_is_dropped_and_ended_releases_its_client_once() -> None:
    lease = AsyncLease(HERE)
    client = await lease.__aenter__()
    # The collector finalizes a lease of a cycle before a generator of the same cycle ends it.
    lease.__del__()
    lease.end()
    await asyncio.sleep(0)
    async with AsyncLease(Connection("http://127.0.0.1:9", Timeout(connect=0.01))) as other:
        assert other is client
        [pool] = clients._registry.of_loop(asyncio.get_running_loop()).by_key.values()
        assert len(pool.callers) == 1
    await aclose(HERE)


def test_many_base_urls_leave_a_limited_cache_of_proxies() -> None:
    for number in range(2 * clients.MAX_CACHED):
        sync_client(Connection(f"http://host{number}.example"))
        assert len(clients._registry.proxies) <= clients.MAX_CACHED


def test_many_certificate_directories_leave_a_limited_cache_of_contexts(tmp_path: Path) -> None:
    for number in range(2 * clients.MAX_POOLS):
        path = tmp_path / str(number)
        path.mkdir()
        sync_client(Connection("http://127.0.0.1:9", verify=str(path)))
        assert len(clients._registry.tls) <= clients.MAX_POOLS
