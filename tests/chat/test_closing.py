"""Closing a model, with `close` or `with`. Its connections open again on demand."""

import asyncio

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.conftest import KEY


def test_a_closed_model_disconnects_and_can_be_used_again() -> None:
    with Emulator() as openrouter:
        with ChatKimi(api_key=KEY, base_url=openrouter.base_url) as model:
            assert model.invoke("Hello.").text
            assert openrouter.connections_opened == 1
        assert model.invoke("Hello.").text
        assert openrouter.connections_opened == 2
        model.close()


@pytest.mark.covered
def test_an_async_closed_model_disconnects_and_can_be_used_again() -> None:
    async def ask(openrouter: Emulator) -> None:
        async with ChatKimi(api_key=KEY, base_url=openrouter.base_url) as model:
            assert (await model.ainvoke("Hello.")).text
            assert openrouter.connections_opened == 1
        assert (await model.ainvoke("Hello.")).text
        assert openrouter.connections_opened == 2
        await model.aclose()

    with Emulator() as openrouter:
        asyncio.run(ask(openrouter))


def test_closing_an_unused_model_does_nothing() -> None:
    model = ChatKimi(api_key=KEY)
    model.close()
    asyncio.run(model.aclose())
