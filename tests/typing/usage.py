"""How a user writes it: checked by mypy (strict) and pyright (strict), never run."""

import httpx
from langchain_core.language_models import LanguageModelInput
from langchain_core.load import dumps, loads
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import Runnable
from langchain_core.tools import tool
from pydantic import BaseModel, SecretStr
from typing_extensions import TypedDict

from langchain_kimi import ChatKimi, Host, KimiError, ProviderPreferences, Reasoning, Timeout, WebPlugin, load_arguments
from langchain_kimi.errors import KimiRateLimitError
from langchain_kimi.testing import Emulator, Reply, ToolCall, faults


class HostFields(TypedDict):
    """The fields of a host."""

    name: str
    base_url: str


HOST: HostFields = {"name": "mine", "base_url": "https://example.com/v1"}


class Trip(BaseModel):
    """A trip."""

    city: str
    days: int


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"Sunny in {city}."


def build() -> list[ChatKimi]:
    return [
        ChatKimi(),
        ChatKimi(model="moonshotai/kimi-k2.6:nitro", api_key=SecretStr("key"), base_url="https://openrouter.ai/api/v1"),
        ChatKimi(temperature=0.6, top_p=0.9, max_tokens=100, stop=["END"], seed=7, n=1),
        ChatKimi(provider=ProviderPreferences(only=["novita"], sort="throughput"), reasoning=Reasoning(effort="low")),
        ChatKimi(provider={"only": ["novita"]}, reasoning={"effort": "low"}, plugins=[WebPlugin(max_results=3)]),
        ChatKimi(timeout=60, max_retries=3, models=["moonshotai/kimi-k2"], session_id="conversation-1"),
        ChatKimi(timeout=Timeout(connect=5, idle=60, total=300), http_client=httpx.Client()),
        ChatKimi(model_name="moonshotai/kimi-k3", openrouter_api_key="key", openrouter_api_base="https://a.example"),
        ChatKimi(api_key="key", base_url=None, request_timeout=60, stop_sequences=["END"], host="vllm"),
        ChatKimi(api_key=lambda: SecretStr("key")),
        ChatKimi(openrouter_provider={"only": ["novita"]}, repairs={"markup", "call_ids"}),
        ChatKimi(openrouter_provider=ProviderPreferences(zdr=True), repairs=["all", "orphans"], host=Host(**HOST)),
        ChatKimi(repairs="none", stop_sequences="END", output_version="v1", cache=False, name="mine"),
        ChatKimi(timeout=httpx.Timeout(60, connect=5), logit_bias={100: -1}),
        ChatKimi(request_timeout=(5, 60.0), logit_bias={"100": -0.5}),
        ChatKimi(timeout={"idle": 60, "total": None}, default_headers={"x-trace": "1"}, app_title="Trips"),
    ]


def ask(model: ChatKimi) -> str:
    message: AIMessage = model.invoke("Hello.", temperature=0.2)
    cost: float = message.response_metadata["cost"]
    return f"{message.text} {cost}"


def stream(model: ChatKimi) -> str:
    return "".join(chunk.text for chunk in model.stream("Hello."))


async def ask_async(model: ChatKimi) -> AIMessage:
    async with model:
        chunks: list[AIMessageChunk] = [chunk async for chunk in model.astream("Hello.")]
        return chunks[0] if chunks else await model.ainvoke("Hello.")


def with_tools(model: ChatKimi) -> AIMessage:
    bound = model.bind_tools([get_weather, Trip], tool_choice="auto", parallel_tool_calls=False)
    return bound.invoke("What is the weather in Oslo?")


def structured(model: ChatKimi) -> Trip:
    plan: Runnable[LanguageModelInput, Trip] = model.with_structured_output(Trip)
    trip: Trip = plan.invoke("Plan a trip.")
    return trip


def structured_raw(model: ChatKimi) -> AIMessage:
    reply = model.with_structured_output(Trip, include_raw=True).invoke("Plan a trip.")
    raw: AIMessage = reply["raw"]
    return raw


def structured_dict(model: ChatKimi) -> str:
    schema = {"title": "trip", "type": "object", "properties": {"city": {"type": "string"}}}
    return str(model.with_structured_output(schema, method="json_schema").invoke("Plan a trip.")["city"])


def blocks(model: ChatKimi) -> list[str]:
    typed = ChatKimi(output_version="v1", profile=model.profile).invoke("Hello.")
    return [block["type"] for block in typed.content_blocks]


def limits(model: ChatKimi) -> int | None:
    return model.profile.get("max_input_tokens") if model.profile else None


def composed(model: ChatKimi, other: ChatKimi) -> list[AIMessage]:
    sturdy: Runnable[LanguageModelInput, AIMessage] = model.bind(temperature=0.2).with_retry().with_fallbacks([other])
    return sturdy.batch(["Hello.", "Goodbye."])


def loaded(model: ChatKimi) -> object:
    return loads(dumps(model), **load_arguments())


def failing(model: ChatKimi) -> str | None:
    try:
        model.invoke("Hello.")
    except KimiRateLimitError as error:
        wait: float | None = error.retry_after
        return f"wait {wait}"
    except KimiError as error:
        return error.provider if error.partial is None else error.partial.text
    return None


def emulated() -> str:
    with Emulator() as openrouter:
        openrouter.script(Reply(tool_calls=[ToolCall("get_weather", {"city": "Oslo"})]), faults.rate_limited(2))
        with ChatKimi(api_key=SecretStr("key"), base_url=openrouter.base_url) as model:
            return model.invoke("Hello.").text
