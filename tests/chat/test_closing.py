"""A model can be closed, by hand or by `with`; what it shares opens again when it is needed."""

import asyncio

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.conftest import KEY


def test_a_closed_model_hangs_up_and_answers_again() -> None:
    with Emulator() as openrouter:
        with ChatKimi(api_key=KEY, base_url=openrouter.base_url) as model:
            assert model.invoke("Hello.").text
            assert openrouter.connections_opened == 1
        assert model.invoke("Hello.").text
        assert openrouter.connections_opened == 2
        model.close()


def test_a_model_closed_on_its_loop_hangs_up_and_answers_again() -> None:
    async def ask(openrouter: Emulator) -> None:
        async with ChatKimi(api_key=KEY, base_url=openrouter.base_url) as model:
            assert (await model.ainvoke("Hello.")).text
            assert openrouter.connections_opened == 1
        assert (await model.ainvoke("Hello.")).text
        assert openrouter.connections_opened == 2
        await model.aclose()

    with Emulator() as openrouter:
        asyncio.run(ask(openrouter))


def test_closing_what_was_never_used_is_no_error() -> None:
    model = ChatKimi(api_key=KEY)
    model.close()
    asyncio.run(model.aclose())
