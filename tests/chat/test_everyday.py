"""Trimming, copies, caches and many concurrent calls, in all four ways."""

import asyncio
import copy
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, Literal

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage, trim_messages
from pydantic import BaseModel

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, Fault, Reply, ToolCall
from langchain_kimi.testing.http1 import Pause
from tests.chat.asking import HEAD, USAGE, WAYS, Tracer, Way, ask, reply
from tests.conftest import KEY

TOOL = {
    "type": "function",
    "function": {"name": "area", "description": "Area.", "parameters": {"type": "object", "properties": {}}},
}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
CROWD = 130


@pytest.mark.parametrize("way", WAYS)
async def test_a_trimmed_conversation_is_sent(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(Reply(text="Here."))
    messages: list[Any] = [HumanMessage(f"{number}: " + "word " * 100) for number in range(10)]
    limit = model.get_num_tokens_from_messages(messages[-2:])
    chain = trim_messages(max_tokens=limit, token_counter=model, strategy="last") | model
    assert (await ask(chain, way, messages)).content == "Here."
    assert [message["content"] for message in openrouter.requests[-1].body["messages"]] == [
        message.content for message in messages[-2:]
    ]


class Tenant(ChatKimi):
    """A model with a field of its own, and a value that it caches beside its fields."""

    tenant: str = "none"

    @cached_property
    def label(self) -> str:
        return f"{self.tenant}: {self.temperature}"


@pytest.mark.parametrize("way", WAYS)
async def test_a_setting_that_changes_between_calls_is_all_that_changes(openrouter: Emulator, way: Way) -> None:
    model = Tenant(api_key=KEY, base_url=openrouter.base_url, max_retries=0, tenant="a")
    assert model.label == "a: None"
    tracer = Tracer()
    await ask(model, way, "hi", {"callbacks": [tracer]})
    model.temperature, model.tenant = 0.5, "b"
    await ask(model, way, "hi", {"callbacks": [tracer]})
    await ask(model.model_copy(update={"temperature": 0.75}), way, "hi", {"callbacks": [tracer]})
    first, *others = openrouter.bodies
    assert others == [{**first, "temperature": 0.5}, {**first, "temperature": 0.75}]
    assert model.model_kwargs == {}
    traced: list[Any] = [run.serialized for run in tracer.runs]
    assert [one["kwargs"].get("temperature") for one in traced] == [None, 0.5, 0.75]


@pytest.mark.parametrize("way", WAYS)
async def test_a_tool_without_a_description_can_be_offered(model: ChatKimi, way: Way) -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    function = {"name": "get_weather", "description": None, "parameters": parameters, "strict": None}
    bound = model.bind_tools([{"type": "function", "function": function}])
    answer = await ask(bound, way, "How is the weather in Oslo?")
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [("get_weather", {"city": "Oslo"})]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("bound", [False, True])
@pytest.mark.parametrize("made", ["pickle", "deepcopy", "copy"])
async def test_copies_send_the_same_request(openrouter: Emulator, made: str, way: Way, *, bound: bool) -> None:
    openrouter.script(Reply(text="Here."), times=2)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0, seed=7)
    first: Any = model.bind_tools([TOOL]) if bound else model
    # This opens its clients.
    await ask(first, way)
    if made == "pickle":
        stored = pickle.dumps(first)
        assert KEY.encode() not in stored
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("OPENROUTER_API_KEY", KEY)
            second = pickle.loads(stored)  # noqa: S301 - our own
            answer = await ask(second, way)
    else:
        second = copy.deepcopy(first) if made == "deepcopy" else first.model_copy()
        answer = await ask(second, way)
    assert answer.content == "Here."
    one, other = openrouter.requests[-2:]
    assert one.body == other.body
    assert other.sent_key(KEY)


@pytest.mark.parametrize("way", WAYS)
async def test_a_history_of_another_model_is_sent_in_wire_form(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(Reply(text="Here."))
    invalid = {"name": "area", "args": '{"w": ', "id": "toolu_2", "error": "cut", "type": "invalid_tool_call"}
    history = [
        HumanMessage(["one ", "two"], name="ada"),
        AIMessage("", tool_calls=[{"name": "area", "args": {"w": 4}, "id": "toolu_1"}], invalid_tool_calls=[invalid]),
        ToolMessage([{"type": "text", "text": "16"}, IMAGE], tool_call_id="toolu_1"),
        ToolMessage("It was cut.", tool_call_id="toolu_2"),
        HumanMessage("and?"),
    ]
    await ask(model, way, history, model="moonshotai/kimi-k2.6")
    request = openrouter.requests[-1]
    sent = request.body["messages"]
    assert sent[0]["name"] == "ada"
    text = sent[0]["content"]
    assert (text if isinstance(text, str) else "".join(part["text"] for part in text)) == "one two"
    for call in sent[1]["tool_calls"]:
        assert isinstance(json.loads(call["function"]["arguments"]), dict)
    assert [message["tool_call_id"] for message in sent if message["role"] == "tool"] == [
        call["id"] for call in sent[1]["tool_calls"]
    ]
    assert "UNKNOWN" not in json.dumps(sent)
    assert IMAGE["image_url"] in [
        part.get("image_url") for message in sent if isinstance(message["content"], list) for part in message["content"]
    ]
    assert not {"http-referer", "x-title", "x-openrouter-title"} & set(request.headers)


class Trip(BaseModel):
    """Plan a trip."""

    city: str
    days: int | None = None
    corner: tuple[float, float] = (0.0, 0.0)
    season: Literal["summer", "winter"] | None = None


@pytest.mark.parametrize("way", WAYS)
async def test_a_pydantic_tool_has_a_schema_that_moonshot_accepts(
    openrouter: Emulator, model: ChatKimi, way: Way
) -> None:
    openrouter.behave(moonshot_schemas=True)
    openrouter.script(Reply(tool_calls=[ToolCall("Trip", {"city": "Oslo", "days": None})]))
    [call] = (await ask(model.bind_tools([Trip]), way)).tool_calls
    assert call["args"] == {"city": "Oslo", "days": None}
    [sent] = openrouter.requests[-1].body["tools"]
    assert set(sent["function"]["parameters"]["properties"]) == {"city", "days", "corner", "season"}


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_has_its_provider_and_cost(openrouter: Emulator, way: Way, *, streaming: bool) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, **({"streaming": True} if streaming else {}))
    openrouter.script(reply("stream" if streaming else way, {"content": "Here."}))
    answer = await ask(model, way)
    metadata = answer.response_metadata
    assert metadata["provider"] == HEAD["provider"]
    assert metadata["id"] == HEAD["id"]
    assert metadata["finish_reason"] == "stop"
    assert metadata["native_finish_reason"] == "end_turn"
    assert metadata["cost"] == USAGE["cost"]
    assert metadata["cost_details"] == USAGE["cost_details"]
    assert metadata["is_byok"] is False
    assert answer.usage_metadata["input_token_details"] == {"cache_read": 64, "cache_creation": 0, "audio": 0}
    assert answer.usage_metadata["output_token_details"] == {"reasoning": 12, "audio": 0}
    assert answer.usage_metadata["total_tokens"] == USAGE["total_tokens"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_cached_answer_sends_no_second_request(openrouter: Emulator, way: Way) -> None:
    openrouter.script(Reply(text="Here."), times=None)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, cache=InMemoryCache())
    before = len(openrouter.requests)
    answers = [await ask(model, way, "Hello.") for _ in range(3)]
    assert [answer.content for answer in answers] == ["Here."] * 3
    # LangChain does not use the cache for streams.
    assert len(openrouter.requests) - before == (1 if way.endswith("invoke") else 3)


@pytest.mark.parametrize(
    "way", ["invoke", "astream", *(pytest.param(way, marks=pytest.mark.long) for way in ("stream", "ainvoke"))]
)
async def test_many_concurrent_calls_are_all_answered(openrouter: Emulator, way: Way) -> None:
    late = Fault("late", lambda serving: serving.respond([Pause(0.2), *serving.items()]))
    openrouter.script(late.on(Reply(text="Here.")), times=None)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    if way.startswith("a"):
        answers = await asyncio.gather(*(ask(model, way) for _ in range(CROWD)))
    else:
        with ThreadPoolExecutor(CROWD) as pool:
            answers = list(pool.map(lambda _: asyncio.run(ask(model, way)), range(CROWD)))
    assert [answer.content for answer in answers] == ["Here."] * CROWD
    await model.aclose()
    model.close()
