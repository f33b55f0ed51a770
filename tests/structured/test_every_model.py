"""Which method every Kimi is asked by when none is said, thinking or not, at any provider, and what then goes out."""

import json
import warnings
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.conftest import KEY
from tests.structured.cases import ADA, JSON, Person

# What a Kimi is asked by: as it is, told not to think, told to think.
PICKED = {
    "moonshotai/kimi-k2": ("function_calling", "function_calling", "function_calling"),
    "moonshotai/kimi-k2-0905": ("function_calling", "function_calling", "function_calling"),
    "moonshotai/kimi-k2-thinking": ("json_schema", "json_schema", "json_schema"),
    "moonshotai/kimi-k2.5": ("json_schema", "function_calling", "json_schema"),
    "moonshotai/kimi-k2.6": ("json_schema", "function_calling", "json_schema"),
    "moonshotai/kimi-k2.7-code": ("json_schema", "json_schema", "json_schema"),
    "moonshotai/kimi-k3": ("json_schema", "json_schema", "json_schema"),
}
NEVER_THINK = ("moonshotai/kimi-k2", "moonshotai/kimi-k2-0905")
THINKING: tuple[dict[str, Any], ...] = ({}, {"reasoning": {"enabled": False}}, {"reasoning": {"effort": "high"}})
PROVIDERS: tuple[dict[str, Any], ...] = (
    {},
    {"sort": "price"},
    {"only": ["moonshotai"]},
    {"order": ["novita"], "allow_fallbacks": False},
    {"require_parameters": True},
    {"require_parameters": False},
)


class Told(BaseCallbackHandler):
    """What callbacks are told of the method."""

    def __init__(self) -> None:
        self.formats: list[dict[str, Any]] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.formats.append(kwargs["options"]["ls_structured_output_format"]["kwargs"])


@pytest.fixture(scope="module")
def openrouter() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.behave(refuses_forced_tool_choice=True)
        yield emulator


def asked(openrouter: Emulator, model: ChatKimi) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body that one model sends, and what callbacks are told; nothing is warned of."""
    openrouter.clear()
    openrouter.script(Reply(text=JSON, tool_calls=[]))
    told = Told()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = model.with_structured_output(Person).invoke("Who?", {"callbacks": [told]})
    assert value == Person(**ADA)
    [body], [traced] = openrouter.bodies, told.formats
    return body, traced


@pytest.mark.parametrize("provider", PROVIDERS, ids=str)
@pytest.mark.parametrize("thinking", range(3), ids=["as it is", "off", "on"])
@pytest.mark.parametrize("slug", PICKED)
def test_every_kimi_is_asked_by_the_method_picked_for_it(
    openrouter: Emulator, slug: str, thinking: int, provider: dict[str, Any]
) -> None:
    method = PICKED[slug][thinking]
    if thinking and provider.get("require_parameters") and slug in NEVER_THINK:
        pytest.skip("No host of a Kimi that never thinks knows `reasoning`, and the user asks for one that does.")
    settings = {**THINKING[thinking], **({"provider": provider} if provider else {})}
    model = ChatKimi(model=slug, api_key=KEY, base_url=openrouter.base_url, max_retries=0, **settings)
    body, traced = asked(openrouter, model)
    names_hosts = bool({"only", "order"} & provider.keys())
    assert traced == {"method": method, "strict": True if method == "json_schema" and not names_hosts else None}
    if method == "function_calling":
        assert body["tool_choice"]["function"]["name"] == "Person"
        assert ("parallel_tool_calls" in body) != bool(provider.get("require_parameters"))
        assert body.get("provider", {}) == provider
    else:
        assert body["response_format"]["json_schema"].get("strict") is traced["strict"]
        assert body["provider"] == {"require_parameters": True, **provider}


def test_every_kimi_of_the_list_is_there() -> None:
    assert set(PICKED) == set(json.loads(files("langchain_kimi._kimi").joinpath("profiles.json").read_text())["models"])


@pytest.mark.parametrize(
    "more", [{"profile": {"tool_choice": False, "structured_output": False}}, {"models": ["moonshotai/kimi-k2"]}]
)
def test_where_neither_fits_json_is_asked_for_in_words(openrouter: Emulator, more: Any) -> None:
    model = ChatKimi(model="moonshotai/kimi-k2.6", api_key=KEY, base_url=openrouter.base_url, max_retries=0, **more)
    body, traced = asked(openrouter, model)
    assert traced == {"method": "json_mode", "strict": None}
    assert body["response_format"] == {"type": "json_object"}
    assert body["provider"] == {"require_parameters": True}
    assert '"age"' in body["messages"][0]["content"]


def test_a_call_that_is_forced_is_read(openrouter: Emulator) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url)
    openrouter.script(Reply(tool_calls=[ToolCall("Person", ADA)]))
    assert model.with_structured_output(Person).invoke("Who?") == Person(**ADA)
