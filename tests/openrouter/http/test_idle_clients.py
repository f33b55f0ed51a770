"""Idle clients are closed after their time by a timer of their loop, or by a thread."""

import asyncio
import time
from collections.abc import Callable

import pytest

from langchain_kimi._openrouter.http import clients
from langchain_kimi._openrouter.http.clients import ClientPools, Registry
from langchain_kimi._openrouter.http.lean_client import AsyncLeanClient, LeanClient
from langchain_kimi._openrouter.http.pool import IDLE_SECONDS, ClientPool


def async_client() -> AsyncLeanClient:
    return AsyncLeanClient(tls=None, proxy=None)


def sync_client() -> LeanClient:
    return LeanClient(tls=None, proxy=None)


def pool_with(make: Callable[[], AsyncLeanClient | LeanClient], *idle: float) -> ClientPool:
    """Return a pool with clients that have been idle for these seconds."""
    pool = ClientPool(10, make)
    pool.idle.extend((make(), time.monotonic() - seconds) for seconds in idle)
    return pool


async def test_a_timer_of_the_loop_closes_idle_clients() -> None:
    registry, pools, loop = Registry(), ClientPools(), asyncio.get_running_loop()
    pool = pools.by_key["one",] = pool_with(async_client, IDLE_SECONDS, IDLE_SECONDS - 0.2)
    idle = [client for client, _ in pool.idle]
    clients._expire_on_loop(registry, pools, loop)
    clients._expire_on_loop(registry, pools, loop)
    for _ in range(2000):
        if not pools.by_key:
            break
        await asyncio.sleep(0.01)
    assert [client.is_closed for client in idle] == [True, True]
    assert (pools.by_key, pools.is_expiring) == ({}, False)


def test_a_thread_closes_idle_clients_and_ends() -> None:
    registry = Registry()
    pool = registry.sync.by_key["one",] = pool_with(sync_client, IDLE_SECONDS, IDLE_SECONDS - 0.2)
    idle = [client for client, _ in pool.idle]
    clients._expire_in_thread(registry)
    for _ in range(2000):
        if not registry.sync.by_key and not registry.sync.is_expiring:
            break
        time.sleep(0.01)
    assert [client.is_closed for client in idle] == [True, True]
    assert (registry.sync.by_key, registry.sync.is_expiring) == ({}, False)


def test_a_second_thread_ends_at_once() -> None:
    registry = Registry()
    registry.sync.is_expiring = True
    clients._expire(registry)
    assert registry.sync.is_expiring


def test_without_idle_clients_no_thread_is_started() -> None:
    registry = Registry()
    clients._expire_in_thread(registry)
    assert not registry.sync.is_expiring


@pytest.mark.parametrize("is_expiring", [True, False])
async def test_without_idle_clients_no_timer_is_set(*, is_expiring: bool) -> None:
    pools = ClientPools(is_expiring=is_expiring)
    clients._expire_on_loop(Registry(), pools, asyncio.get_running_loop())
    assert pools.is_expiring == is_expiring
