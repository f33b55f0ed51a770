"""LangChain's runnables: bind, batch, fallbacks, retries, configuration, caches, rate limits, graphs."""

import asyncio
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler, UsageMetadataCallbackHandler
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import ConfigurableField
from langchain_core.tools import BaseTool
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiError, KimiServerError
from langchain_kimi.testing import Emulator, faults
from tests.chat.asking import WAYS, Way, ask, chunks_of
from tests.conftest import KEY
from tests.rows import each_row

QUESTIONS: Any = [f"Question {n}?" for n in range(5)]


def test_a_chain_with_a_bound_model_sends_the_bound_parameters(model: ChatKimi, openrouter: Emulator) -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")])
    chain = prompt | model.bind(temperature=0.25, stop=["END"]) | StrOutputParser()
    assert chain.invoke({"question": "Why?"})
    assert openrouter.bodies[0]["temperature"] == pytest.approx(0.25)
    assert openrouter.bodies[0]["stop"] == ["END"]


def test_batch_keeps_the_order(model: ChatKimi) -> None:
    answers = model.batch(QUESTIONS, config={"max_concurrency": 3})
    assert [question in answer.text for question, answer in zip(QUESTIONS, answers, strict=True)] == [True] * 5


async def test_abatch_keeps_the_order(model: ChatKimi) -> None:
    answers = await model.abatch(list(QUESTIONS))
    assert [question in answer.text for question, answer in zip(QUESTIONS, answers, strict=True)] == [True] * 5


async def test_batch_as_completed_gives_each_once(model: ChatKimi) -> None:
    assert sorted(index for index, _ in model.batch_as_completed(QUESTIONS)) == list(range(5))
    completed = [index async for index, _ in model.abatch_as_completed(list(QUESTIONS))]
    assert sorted(completed) == list(range(5))


def test_a_batch_keeps_its_failures_beside_its_successes(openrouter: Emulator) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    openrouter.fail_next(faults.bad_gateway())
    answers: list[Any] = model.batch(QUESTIONS, config={"max_concurrency": 1}, return_exceptions=True)
    assert [isinstance(answer, KimiError) for answer in answers] == [True, False, False, False, False]


def test_with_retry_tries_again(openrouter: Emulator) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    openrouter.fail_next(faults.bad_gateway())
    retrying = model.with_retry(
        retry_if_exception_type=(KimiServerError,), wait_exponential_jitter=False, stop_after_attempt=2
    )
    assert retrying.invoke("Hello.").text


PERSON = {"title": "Person", "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


@each_row("way", WAYS)
async def test_tools_a_schema_and_parameters_are_bound_behind_fallbacks(
    openrouter: Emulator, weather: BaseTool, way: Way
) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    # Its type names the methods of any runnable; others are those of the first model.
    either: Any = model.with_fallbacks([ChatKimi(api_key=KEY, base_url=openrouter.base_url, temperature=0.5)])
    for bound in (either, model.bind(temperature=0.5).with_fallbacks([model.bind(temperature=0.5)])):
        openrouter.fail_next(faults.out_of_credits(), times=1)
        answer = await ask(bound.bind_tools([weather]), way, "How is the weather in Oslo?")
        assert answer.tool_calls[0]["args"] == {"city": "Oslo"}
        assert openrouter.bodies[-1]["temperature"] == pytest.approx(0.5)
        openrouter.fail_next(faults.out_of_credits(), times=1)
        assert "name" in (await chunks_of(bound.with_structured_output(PERSON), way, "Who is Ada?"))[-1]
        openrouter.fail_next(faults.out_of_credits(), times=1)
        assert (await ask(bound.bind(max_tokens=9), way)).text
        assert openrouter.bodies[-1]["max_tokens"] == 9
    assert either.count_tokens("Hello.").tokens == model.count_tokens("Hello.").tokens


def test_fields_can_be_configured(model: ChatKimi, openrouter: Emulator) -> None:
    configurable = model.configurable_fields(
        temperature=ConfigurableField(id="temperature"), model_name=ConfigurableField(id="model")
    )
    configurable.invoke("Hello.", config={"configurable": {"temperature": 0.1, "model": "moonshotai/kimi-k3"}})
    assert openrouter.bodies[0]["temperature"] == pytest.approx(0.1)
    assert openrouter.bodies[0]["model"] == "moonshotai/kimi-k3"


def test_alternatives_can_be_configured(model: ChatKimi, openrouter: Emulator) -> None:
    other = ChatKimi(model="moonshotai/kimi-k2.6", api_key=KEY, base_url=openrouter.base_url)
    either = model.configurable_alternatives(ConfigurableField(id="kimi"), default_key="k2", k26=other)
    either.invoke("Hello.", config={"configurable": {"kimi": "k26"}})
    assert openrouter.bodies[0]["model"] == "moonshotai/kimi-k2.6"


def test_the_second_answer_comes_from_the_cache(openrouter: Emulator) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, cache=InMemoryCache())
    first, second = model.invoke("Hello."), model.invoke("Hello.")
    assert first.text == second.text
    assert len(openrouter.requests) == 1
    model.invoke("Hello.", temperature=0.9)
    ChatKimi(api_key=KEY, base_url=openrouter.base_url, cache=model.cache, seed=7).invoke("Hello.")
    assert len(openrouter.requests) == 3


def test_a_rate_limiter_is_used(openrouter: Emulator) -> None:
    limiter = InMemoryRateLimiter(requests_per_second=1000, check_every_n_seconds=0.001, max_bucket_size=1)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, rate_limiter=limiter)
    assert [answer.text for answer in model.batch(["One.", "Two."])]
    assert "".join(chunk.text for chunk in model.stream("Three."))


class Tokens(BaseCallbackHandler):
    """Records every token, error and retry."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.errors: list[BaseException] = []
        self.retries = 0

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.tokens.append(token)
        assert isinstance(kwargs["chunk"].message, AIMessageChunk)

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.errors.append(error)

    def on_retry(self, retry_state: Any, **kwargs: Any) -> None:
        self.retries += 1


def test_callbacks_receive_each_token_once(model: ChatKimi) -> None:
    handler = Tokens()
    text = "".join(chunk.text for chunk in model.stream("Hello.", config={"callbacks": [handler]}))
    assert "".join(handler.tokens) == text
    streaming = ChatKimi(api_key=KEY, base_url=model.openrouter_api_base, streaming=True)
    again = Tokens()
    assert streaming.invoke("Hello.", config={"callbacks": [again]}).text == "".join(again.tokens) == text


def test_callbacks_receive_retries_and_errors(openrouter: Emulator) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=1)
    openrouter.fail_next(faults.rate_limited(retry_after=0), times=2)
    handler = Tokens()
    with pytest.raises(KimiError):
        model.invoke("Hello.", config={"callbacks": [handler]})
    assert handler.retries == 1
    assert len(handler.errors) == 1


@pytest.mark.parametrize("streaming", [False, True])
def test_usage_is_counted_once_a_call(openrouter: Emulator, streaming: bool, weather: BaseTool) -> None:  # noqa: FBT001 - a parameter of the test
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, **({"streaming": True} if streaming else {}))
    handler = UsageMetadataCallbackHandler()
    answers = model.batch(["One.", "Two."], config={"callbacks": [handler]})
    expected = sum(answer.usage_metadata["total_tokens"] for answer in answers if answer.usage_metadata)
    assert handler.usage_metadata["moonshotai/kimi-k2-0905"]["total_tokens"] == expected > 0


class State(TypedDict):
    messages: Annotated[list[BaseMessage], add_messages]


async def test_a_graph_streams_the_tokens_of_its_model(model: ChatKimi) -> None:
    graph = StateGraph(State)
    graph.add_node("kimi", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_edge(START, "kimi")
    compiled = graph.compile()
    state: State = {"messages": [HumanMessage("Hello.")]}
    parts: Any = compiled.stream(state, stream_mode="messages")
    tokens = [part.text for part, _ in parts]
    assert len([token for token in tokens if token]) > 3
    final = await asyncio.to_thread(compiled.invoke, state)
    assert "".join(tokens) == final["messages"][-1].text
