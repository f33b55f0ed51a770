"""The aiohttp transport of httpx, passed to the model by the user."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport

from langchain_kimi import ChatKimi
from langchain_kimi.errors import (
    KimiConnectionError,
    KimiIncompleteStreamError,
    KimiRateLimitError,
    KimiReplyError,
    KimiTimeoutError,
)
from langchain_kimi.testing import Emulator, Fault, Reply, faults
from tests.chat.asking import Way, ask
from tests.conftest import KEY
from tests.plain_http import NO_TLS
from tests.waiting import until

WAYS: tuple[Way, ...] = ("ainvoke", "astream")


@asynccontextmanager
async def model_on_aiohttp(base_url: str, idle: float = 5.0) -> AsyncIterator[ChatKimi]:
    async with httpx.AsyncClient(transport=AiohttpTransport(verify=NO_TLS)) as client:
        yield ChatKimi(api_key=KEY, base_url=base_url, http_async_client=client, timeout=idle, max_retries=0)


@pytest.mark.parametrize("way", WAYS)
async def test_calls_on_aiohttp_are_answered(way: Way) -> None:
    with Emulator() as openrouter:
        openrouter.script(Reply(text="Grüezi 🧀 mitenand."), times=None)
        async with model_on_aiohttp(openrouter.base_url) as model:
            for _ in range(3):
                assert (await ask(model, way)).content == "Grüezi 🧀 mitenand."


@pytest.mark.parametrize("way", WAYS)
async def test_failures_on_aiohttp_are_typed_errors(way: Way) -> None:
    with Emulator() as openrouter:
        async with model_on_aiohttp(openrouter.base_url) as model:
            openrouter.fail_next(faults.rate_limited())
            with pytest.raises(KimiRateLimitError):
                await ask(model, way)
            openrouter.fail_next(faults.connection_cut())
            with pytest.raises((KimiIncompleteStreamError, KimiConnectionError)):
                await ask(model, way)
        async with model_on_aiohttp(openrouter.base_url, idle=0.1) as model:
            openrouter.fail_next(faults.silence())
            with pytest.raises(KimiTimeoutError):
                await ask(model, way)
    async with model_on_aiohttp("http://127.0.0.1:9/api/v1") as model:
        with pytest.raises(KimiConnectionError):
            await ask(model, way)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reset", [False, True])
async def test_a_broken_connection_is_not_a_timeout(way: Way, *, reset: bool) -> None:
    with Emulator() as openrouter:
        openrouter.fail_next(faults.unanswered(reset=reset), times=2)
        async with model_on_aiohttp(openrouter.base_url) as model:
            with pytest.raises(KimiConnectionError, match="broke before a reply came") as caught:
                await ask(model, way)
    assert not isinstance(caught.value, KimiTimeoutError)


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", [faults.chunk_damaged(), faults.chunk_cut(), faults.compressed()])
async def test_a_damaged_body_on_aiohttp_is_a_typed_error(way: Way, fault: Fault) -> None:
    with Emulator() as openrouter:
        openrouter.fail_next(fault)
        async with model_on_aiohttp(openrouter.base_url) as model:
            with pytest.raises((KimiReplyError, KimiConnectionError)) as caught:
                await ask(model, way)
    error: BaseException | None = caught.value
    while error is not None:
        # aiohttp's errors contain the request with its headers.
        assert KEY not in repr(error) + str(error) + repr(vars(error))
        error = error.__cause__ or error.__context__


async def test_leaving_a_stream_closes_its_connection() -> None:
    with Emulator() as openrouter:
        openrouter.fail_next(faults.silence())
        async with model_on_aiohttp(openrouter.base_url) as model:
            chunks: Any = model.astream("Go.")
            task = asyncio.ensure_future(anext(chunks))
            await until(lambda: openrouter.requests)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await chunks.aclose()
            await until(lambda: not openrouter.open_connections)
