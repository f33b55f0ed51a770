"""Retries reach the callbacks of the run that they belong to, in all four ways."""

from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler, get_usage_metadata_callback
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.langchain import LangChainTracer
from tenacity import RetryCallState

from langchain_kimi._messages.streamed_runs import run_of
from langchain_kimi.errors import KimiServerError
from langchain_kimi.testing import Emulator, Reply, faults
from tests.chat.asking import WAYS, Tracer, Way, ask
from tests.faults.ways import QuickKimi, model_of

TEXT = "Here it is."
ANSWER = Reply(text=TEXT)
TAG = "a-tag"


class Listener(BaseCallbackHandler):
    """Keeps which run was told what."""

    def __init__(self) -> None:
        self.started: dict[str, Any] = {}
        self.retries: list[tuple[RetryCallState, dict[str, Any]]] = []

    def on_chat_model_start(self, *_: Any, **told: Any) -> None:
        self.started = told

    def on_retry(self, retry_state: RetryCallState, **told: Any) -> None:
        self.retries.append((retry_state, told))


class AsyncListener(Listener):
    """One whose methods are awaited."""

    async def on_retry(self, retry_state: RetryCallState, **told: Any) -> None:  # type: ignore[override]  # awaited by an async run
        super().on_retry(retry_state, **told)


@pytest.fixture(params=[False, True], ids=["plain", "streaming"])
def model(request: pytest.FixtureRequest, openrouter: Emulator) -> QuickKimi:
    """A model whose first two attempts fail; one that streams adds up chunks to answer `invoke`."""
    openrouter.script(faults.unavailable(), faults.bad_gateway(), ANSWER)
    return model_of(openrouter, **({"streaming": True} if request.param else {}))


def is_told(listener: Listener) -> None:
    first, second = (state for state, _ in listener.retries)
    assert [first.attempt_number, second.attempt_number] == [1, 2]
    assert [first.upcoming_sleep, second.upcoming_sleep] == [0.0, 0.0]
    for state, status in ((first, 503), (second, 502)):
        assert state.outcome is not None
        error = state.outcome.exception()
        assert isinstance(error, KimiServerError)
        assert error.status == status
    for _, told in listener.retries:
        for name in ("run_id", "parent_run_id", "tags"):
            assert told[name] == listener.started[name], name


@pytest.mark.parametrize("way", WAYS)
async def test_callbacks_of_a_call(model: QuickKimi, way: Way) -> None:
    listener = Listener()
    answer = await ask(model, way, "hi", {"callbacks": [listener], "tags": [TAG]})
    assert answer.text == TEXT
    is_told(listener)
    assert listener.started["tags"] == [TAG]


@pytest.mark.parametrize("way", WAYS)
async def test_callbacks_of_a_model(model: QuickKimi, way: Way) -> None:
    listener = Listener()
    told = model.model_copy(update={"callbacks": [listener], "tags": [TAG]})
    assert (await ask(told, way)).text == TEXT
    is_told(listener)


@pytest.mark.parametrize("way", ["ainvoke", "astream"])
async def test_callbacks_that_are_awaited(model: QuickKimi, way: Way) -> None:
    listener = AsyncListener()
    await ask(model, way, "hi", {"callbacks": [listener]})
    is_told(listener)


@pytest.mark.parametrize("way", WAYS)
async def test_a_tracer_of_a_chain(model: QuickKimi, way: Way) -> None:
    tracer = Tracer()
    chain: Any = RunnableLambda(lambda text: [HumanMessage(text)]) | model
    assert (await ask(chain, way, "hi", {"callbacks": [tracer]})).text == TEXT
    [whole] = tracer.runs
    [_, call] = whole.child_runs
    assert [event["name"] for event in call.events if event["name"] != "new_token"] == [
        "start",
        "retry",
        "retry",
        "end",
    ]


@pytest.mark.parametrize("way", WAYS)
async def test_callbacks_of_what_a_model_is_called_by(model: QuickKimi, way: Way) -> None:
    async def calling(_: str) -> str:
        return str((await ask(model, way)).text)

    listener = Listener()
    assert await RunnableLambda(calling).ainvoke("hi", {"callbacks": [listener]}) == TEXT
    assert listener.started["parent_run_id"]
    is_told(listener)


class LangSmith:
    """What LangSmith's tracer sends its runs to."""

    def __init__(self) -> None:
        self.finished: list[dict[str, Any]] = []

    def create_run(self, **run: Any) -> None:
        """Learn of a run that began."""

    def update_run(self, **run: Any) -> None:
        self.finished.append(run)


@pytest.mark.parametrize("way", WAYS)
async def test_langsmiths_tracer_gets_every_token(model: QuickKimi, way: Way) -> None:
    # LangChain copies this tracer for each run.
    langsmith: Any = LangSmith()
    await ask(model, way, "hi", {"callbacks": [LangChainTracer(client=langsmith)]})
    [run] = langsmith.finished
    told = [event["name"] for event in run["events"]]
    assert [name for name in told if name != "new_token"] == ["start", "retry", "retry", "end"]


@pytest.mark.parametrize("way", WAYS)
async def test_what_a_context_adds_is_told_once(model: QuickKimi, way: Way) -> None:
    with get_usage_metadata_callback() as counted:
        answer = await ask(model, way)
    assert list(counted.usage_metadata.values()) == [answer.usage_metadata]


@pytest.mark.parametrize("way", WAYS)
async def test_a_users_run_id_is_kept(model: QuickKimi, way: Way) -> None:
    listener = Listener()
    run_id = "00000000-0000-4000-8000-000000000001"
    await ask(model, way, "hi", {"callbacks": [listener], "run_id": run_id})
    assert str(listener.started["run_id"]) == run_id
    is_told(listener)


@pytest.mark.parametrize("way", WAYS)
async def test_a_model_that_must_not_stream(model: QuickKimi, way: Way) -> None:
    listener = Listener()
    still = model.model_copy(update={"disable_streaming": True})
    assert (await ask(still, way, "hi", {"callbacks": [listener]})).text == TEXT
    is_told(listener)


@pytest.mark.filterwarnings("ignore:.*is in beta:langchain_core._api.LangChainBetaWarning")
@pytest.mark.parametrize("version", ["v2", "v3"])
async def test_every_version_of_astream_events_shows_the_chunks(model: QuickKimi, version: Any) -> None:
    listener = Listener()
    events = model.astream_events("hi", {"callbacks": [listener]}, version=version)
    async for _ in await events if version == "v3" else events:
        pass
    is_told(listener)


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_the_cache_does_not_see_it(openrouter: Emulator, way: Way) -> None:
    openrouter.script(ANSWER)
    model = model_of(openrouter, streaming=True, cache=InMemoryCache())
    for _ in range(2):
        assert (await ask(model, way, "hi", {"callbacks": [Listener()]})).text == TEXT
    assert len(openrouter.requests) == 1


class Asking(Listener):
    """A listener that asks another model when it hears of a token."""

    def __init__(self, other: QuickKimi) -> None:
        super().__init__()
        self.other = other
        self.has_asked = False

    def on_llm_new_token(self, *_: Any, **__: Any) -> None:
        if not self.has_asked:
            self.has_asked = True
            assert "".join(chunk.text for chunk in self.other.stream("And you?")) == TEXT


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_asked_meanwhile_is_not_told(openrouter: Emulator, way: Way) -> None:
    openrouter.script(ANSWER, faults.unavailable(), ANSWER)
    listener = Asking(model_of(openrouter))
    await ask(model_of(openrouter, streaming=True), way, "hi", {"callbacks": [listener]})
    assert listener.has_asked
    assert len(openrouter.requests) == 3
    assert listener.retries == []


def test_a_manager_that_was_given_comes_first() -> None:
    assert run_of([], "given", {"retries_told_to": "carried"}) == "given"
    assert run_of([], None, {"retries_told_to": "carried"}) == "carried"
    assert run_of([], None, {}) is None
