"""Settings that no model uses any more, and connections that no call uses any more, are given up."""

import asyncio
import gc
import ssl
import time
import weakref
from typing import Any

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.chat.asking import Way, ask
from tests.conftest import KEY

MODELS = 40
MOST = 20
"""More than the settings that stay open without a call."""
LONGEST = 40
"""Seconds. An idle connection is closed after 30."""


def model_for(openrouter: Emulator, **settings: Any) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0, **settings)


def context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("setting", ["verify", "max_connections"])
async def test_models_with_settings_of_their_own_leave_few_connections(setting: str, way: Way) -> None:
    contexts: list[weakref.ref[ssl.SSLContext]] = []
    with Emulator() as openrouter:
        for number in range(MODELS):
            value: Any = context() if setting == "verify" else number + 1
            if setting == "verify":
                contexts.append(weakref.ref(value))
            assert (await ask(model_for(openrouter, **{setting: value}), way)).text
        del value
        gc.collect()
        for _ in range(2000):
            if openrouter.open_connections <= MOST:
                break
            await asyncio.sleep(0.001)
        assert openrouter.open_connections <= MOST
        assert sum(reference() is not None for reference in contexts) <= MOST


@pytest.mark.long
@pytest.mark.waits
def test_idle_connections_close_without_a_next_call() -> None:
    with Emulator() as openrouter:
        model = model_for(openrouter)
        assert model.invoke("Hello.").text
        assert openrouter.open_connections == 1
        for _ in range(LONGEST * 10):
            if not openrouter.open_connections:
                break
            time.sleep(0.1)
        assert openrouter.open_connections == 0
        assert model.invoke("Hello.").text
        model.close()


@pytest.mark.long
@pytest.mark.waits
async def test_idle_async_connections_close_without_a_next_call() -> None:
    with Emulator() as openrouter:
        model = model_for(openrouter)
        assert (await model.ainvoke("Hello.")).text
        assert openrouter.open_connections == 1
        for _ in range(LONGEST * 10):
            if not openrouter.open_connections:
                break
            await asyncio.sleep(0.1)
        assert openrouter.open_connections == 0
        assert (await model.ainvoke("Hello.")).text
        await model.aclose()
