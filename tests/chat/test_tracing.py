"""LangChain's callbacks, tracers and counters: what they receive, and no secrets."""

import json
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, UsageMetadataCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.outputs import LLMResult
from tenacity import RetryCallState

from langchain_kimi._version import __version__
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, Reply, faults
from tests.chat.asking import WAYS, Tracer, Way, ask, chunks_of
from tests.conftest import KEY

DEFAULT_HEADER = "planted-default-header"
EXTRA_HEADER = "planted-extra-header"
SECRETS = (KEY, DEFAULT_HEADER, EXTRA_HEADER)


class Recorder(BaseCallbackHandler):
    """Records the arguments of callbacks."""

    def __init__(self) -> None:
        self.started: dict[str, Any] = {}
        self.tokens: list[Any] = []
        self.ended: LLMResult | None = None
        self.retries: list[RetryCallState] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.started = {"serialized": serialized, "messages": messages, **kwargs}

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.tokens.append((token, kwargs["chunk"]))

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        self.ended = response

    def on_retry(self, retry_state: RetryCallState, **kwargs: Any) -> None:
        self.retries.append(retry_state)


def with_secrets(openrouter: Emulator, **more: Any) -> ChatKimi:
    return ChatKimi(
        api_key=KEY, base_url=openrouter.base_url, default_headers={"X-Secret": DEFAULT_HEADER}, max_retries=0, **more
    )


def as_text(value: Any) -> str:
    return json.dumps(value, default=str) + repr(value)


@pytest.mark.parametrize("way", WAYS)
async def test_no_secret_reaches_a_trace(openrouter: Emulator, way: Way) -> None:
    recorder, tracer = Recorder(), Tracer()
    model = with_secrets(openrouter, tags=["mine"], metadata={"run": 1})
    config = {"callbacks": [recorder, tracer]}
    message = await ask(model, way, "hi", config, extra_headers={"X-More": EXTRA_HEADER}, temperature=0.5)
    assert {"x-secret", "x-more"} <= openrouter.requests[0].headers.keys()
    [run] = tracer.runs
    everything = as_text([recorder.started, recorder.tokens, recorder.ended, run.model_dump(), message])
    assert [secret for secret in SECRETS if secret in everything] == []
    assert recorder.started["invocation_params"]["temperature"] == 0.5
    assert recorder.started["tags"] == ["mine"]


@pytest.mark.parametrize("way", WAYS)
async def test_no_secret_is_in_the_trace_of_an_error(openrouter: Emulator, way: Way) -> None:
    tracer = Tracer()
    openrouter.fail_next(faults.unauthorized())
    with pytest.raises(KimiError) as caught:
        await ask(with_secrets(openrouter), way, "hi", {"callbacks": [tracer]}, extra_headers={"X-More": EXTRA_HEADER})
    everything = as_text([tracer.runs[0].model_dump(), str(caught.value), repr(caught.value), vars(caught.value)])
    assert [secret for secret in SECRETS if secret in everything] == []


@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("reply", [Reply(text="one two three"), Reply(tool_calls=[{"name": "f"}], reasoning="Hm.")])
async def test_callbacks_receive_every_chunk_once(
    openrouter: Emulator, model: ChatKimi, reply: Reply, way: Way
) -> None:
    recorder = Recorder()
    openrouter.script(reply)
    chunks = await chunks_of(model, way, "hi", {"callbacks": [recorder]})
    assert [chunk.message for _, chunk in recorder.tokens] == chunks
    assert [token for token, _ in recorder.tokens] == [chunk.content for chunk in chunks]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("settings", [{}, {"streaming": True}], ids=["", "streaming"])
async def test_the_run_ends_with_the_sum_of_its_chunks(openrouter: Emulator, way: Way, settings: Any) -> None:
    recorder = Recorder()
    openrouter.script(Reply(text="one two three", reasoning="Hm. Well, then.", tool_calls=[{"name": "f"}]))
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0, **settings)
    first, *rest = await chunks_of(model, way, "hi", {"callbacks": [recorder]})
    assert recorder.ended is not None
    generation: Any = recorder.ended.generations[0][0]
    # Added one by one.
    assert generation.message == reduce(add, rest, first)
    assert generation.message.additional_kwargs["reasoning_content"] == "Hm. Well, then."
    assert (generation.message.text, len(generation.message.tool_calls)) == ("one two three", 1)


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_retries_are_reported(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    recorder = Recorder()
    openrouter.fail_next(faults.rate_limited(retry_after=0), times=2)
    await ask(model, way, "hi", {"callbacks": [recorder]}, max_retries=2)
    assert [state.attempt_number for state in recorder.retries] == [1, 2]


@pytest.mark.parametrize("way", WAYS)
async def test_usage_is_counted_by_model(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    counter = UsageMetadataCallbackHandler()
    openrouter.script(Reply(text="one two three"), times=3)
    config = {"callbacks": [counter]}
    first = await ask(model, way, "hi", config)
    second = await ask(model, way, "hello there", config)
    await ask(model, way, "hi", config, model="moonshotai/kimi-k2.5")
    names = [sent["model"] for sent in openrouter.bodies]
    assert names == ["moonshotai/kimi-k2-0905"] * 2 + ["moonshotai/kimi-k2.5"]
    assert len(counter.usage_metadata) == 2
    counted = counter.usage_metadata["moonshotai/kimi-k2-0905"]
    assert counted["output_tokens"] == 6
    assert counted["total_tokens"] == sum(one.usage_metadata["total_tokens"] for one in (first, second))


def test_usage_of_a_batch_is_counted(openrouter: Emulator, model: ChatKimi) -> None:
    counter = UsageMetadataCallbackHandler()
    openrouter.script(Reply(text="one two three"), times=4)
    model.batch(["hi"] * 4, {"callbacks": [counter]})
    assert counter.usage_metadata["moonshotai/kimi-k2-0905"]["output_tokens"] == 12


def test_outputs_of_several_prompts_are_combined(openrouter: Emulator, model: ChatKimi) -> None:
    openrouter.script(Reply(text="one two three"), times=2)
    output = model.generate([[HumanMessage("hi")], [HumanMessage("hi")]]).llm_output
    assert output is not None
    assert output["token_usage"]["completion_tokens"] == 6
    assert output["model_name"] == "moonshotai/kimi-k2-0905"


@pytest.mark.parametrize("way", WAYS)
async def test_langsmith_metadata_has_bound_parameters(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    recorder = Recorder()
    bound = model.bind(model="moonshotai/kimi-k2.5", temperature=0.5)
    await ask(bound, way, "hi", {"callbacks": [recorder]})
    metadata = recorder.started["metadata"]
    ls = {key: metadata[key] for key in ("ls_provider", "ls_model_name", "ls_model_type", "ls_temperature")}
    assert ls == {
        "ls_provider": "openrouter",
        "ls_model_name": "moonshotai/kimi-k2.5",
        "ls_model_type": "chat",
        "ls_temperature": 0.5,
    }
    assert metadata["lc_versions"]["langchain-kimi-openrouter"] == __version__


@pytest.mark.covered
def test_the_parameters_of_a_run_are_those_of_langchain() -> None:
    class WithDict(ChatKimi):
        def dict(self, **_: Any) -> Any:
            return {"own": True}

    model, own = (kind(api_key=KEY, temperature=0.5, n=1) for kind in (ChatKimi, WithDict))

    params = model._get_invocation_params(stop=["."], extra_headers={"X-Secret": "s"}, seed=1)
    assert params == BaseChatModel._get_invocation_params(model, stop=["."], seed=1)
    assert own._get_invocation_params() == {"own": True, "stop": None}
