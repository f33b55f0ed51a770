"""The `llm_output` and the `generation_info` that callbacks get, in every way to call a model."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, CallbackManager
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.outputs import ChatResult, Generation, LLMResult
from langchain_core.runnables import RunnableLambda

from langchain_kimi import ChatKimi
from langchain_kimi._reply.stream_outputs import HANDLER, with_output, with_output_handler
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask, events_of
from tests.conftest import KEY

PROMPT: list[BaseMessage] = [HumanMessage("hi")]
EXPECTED = {"token_usage", "model_name", "model_provider", "id", "created", "object"}


class Ends(BaseCallbackHandler):
    def __init__(self) -> None:
        self.results: list[LLMResult] = []

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        self.results.append(response.model_copy())


class AsyncEnds(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.results: list[LLMResult] = []

    async def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        self.results.append(response.model_copy())


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def model_of(server: Emulator, **settings: Any) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=server.base_url, max_retries=0, **settings)


def check(ends: Any) -> None:
    [result] = ends.results
    [[generation]] = result.generations
    assert result.llm_output is not None
    assert result.llm_output.keys() >= EXPECTED
    assert result.llm_output["model_name"] == "moonshotai/kimi-k2-0905"
    assert generation.generation_info is not None
    assert generation.generation_info["finish_reason"] == "stop"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "settings", [{}, {"streaming": True}, {"streaming": False}], ids=["default", "always", "never"]
)
async def test_callbacks_get_the_output_in_all_ways(server: Emulator, way: Way, settings: dict[str, Any]) -> None:
    for callback in (Ends(), *([AsyncEnds()] if way.startswith("a") else [])):
        await ask(model_of(server, **settings), way, "hi", {"callbacks": [callback]})
        check(callback)


@pytest.mark.filterwarnings("ignore:The method .* is in beta")
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_event_streams(server: Emulator, way: Way) -> None:
    ends = Ends()
    await events_of(model_of(server, callbacks=[ends]), way)
    # The run of an async stream ends in a task of langchain-core.
    while not ends.results:  # noqa: ASYNC110 - langchain-core has no event for it
        await asyncio.sleep(0)
    check(ends)


@pytest.mark.parametrize("way", WAYS)
async def test_callbacks_of_the_model_of_a_manager_and_of_the_run_around(server: Emulator, way: Way) -> None:
    own, of_manager, of_chain = Ends(), Ends(), Ends()
    await ask(model_of(server, callbacks=[own]), way)
    await ask(model_of(server), way, "hi", {"callbacks": CallbackManager([of_manager])})
    await ask(RunnableLambda(lambda text: text) | model_of(server), way, "hi", {"callbacks": [of_chain]})
    for ends in (own, of_manager, of_chain):
        check(ends)


@pytest.mark.parametrize("streaming", [False, True])
def test_generate_returns_the_output(server: Emulator, *, streaming: bool) -> None:
    model = model_of(server, **({"streaming": True} if streaming else {}))
    for result in (model.generate([PROMPT]), asyncio.run(model.agenerate([PROMPT]))):
        assert result.llm_output is not None
        assert result.llm_output.keys() >= EXPECTED
        assert result.llm_output["token_usage"]["total_tokens"] > 0


@pytest.mark.parametrize("streaming", [False, True])
def test_an_answer_from_the_cache_has_no_llm_output(server: Emulator, *, streaming: bool) -> None:
    ends = Ends()
    model = model_of(server, cache=InMemoryCache(), callbacks=[ends], **({"streaming": True} if streaming else {}))
    model.invoke("hi")
    model.invoke("hi")
    first, second = ends.results
    assert first.llm_output
    assert not second.llm_output


def test_without_callbacks_the_config_is_unchanged() -> None:
    config = {"tags": ["a"]}
    assert with_output_handler(config, None) is config  # type: ignore[arg-type]  # a part of a config
    assert with_output_handler(None, None) is None


def test_the_callbacks_of_the_caller_are_not_changed() -> None:
    callbacks: list[BaseCallbackHandler] = [Ends()]
    manager = CallbackManager([Ends()])
    assert (with_output_handler({"callbacks": callbacks}, None) or {})["callbacks"] == [HANDLER, *callbacks]
    assert (with_output_handler(None, callbacks) or {})["callbacks"] == [HANDLER]
    changed: Any = (with_output_handler({"callbacks": manager}, None) or {})["callbacks"]
    assert changed.handlers == [HANDLER, *manager.handlers]
    assert len(callbacks) == len(manager.handlers) == 1


def test_results_without_messages_have_no_output() -> None:
    cases: list[Any] = [[], [[]], [[Generation(text="a")]]]
    for generations in cases:
        result = LLMResult(generations=generations)
        HANDLER.on_llm_end(result)
        assert result.llm_output is None
    assert with_output(ChatResult(generations=[])).llm_output is None
    assert with_output(ChatResult(generations=[], llm_output={"a": 1})).llm_output == {"a": 1}


def test_the_methods_keep_their_signatures_and_texts() -> None:
    for name in ("stream", "astream", "stream_events", "astream_events"):
        assert getattr(ChatKimi, name).__doc__ == getattr(BaseChatModel, name).__doc__
