"""The default method of every model, with and without reasoning, for any provider preferences, and its request."""

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
from tests.rows import each_row
from tests.structured.cases import ADA, JSON, Person

# The method by default, with reasoning off, and with reasoning on.
METHODS = {
    "moonshotai/kimi-k2": ("function_calling", "function_calling", "function_calling"),
    "moonshotai/kimi-k2-0905": ("function_calling", "function_calling", "function_calling"),
    "moonshotai/kimi-k2-thinking": ("json_schema", "json_schema", "json_schema"),
    "moonshotai/kimi-k2.5": ("json_schema", "function_calling", "json_schema"),
    "moonshotai/kimi-k2.6": ("json_schema", "function_calling", "json_schema"),
    "moonshotai/kimi-k2.7-code": ("json_schema", "json_schema", "json_schema"),
    "moonshotai/kimi-k3": ("json_schema", "json_schema", "json_schema"),
    "moonshotai/kimi-k3.1-pro": ("json_schema", "json_schema", "json_schema"),
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


class MethodRecorder(BaseCallbackHandler):
    """Records the method that callbacks see."""

    def __init__(self) -> None:
        self.formats: list[dict[str, Any]] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.formats.append(kwargs["options"]["ls_structured_output_format"]["kwargs"])


@pytest.fixture(scope="module")
def openrouter() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.behave(refuses_forced_tool_choice=True)
        yield emulator


def request_of(openrouter: Emulator, model: ChatKimi) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the request body and the traced format of one model; no warning is issued."""
    openrouter.clear()
    openrouter.script(Reply(text=JSON, tool_calls=[]))
    recorder = MethodRecorder()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = model.with_structured_output(Person).invoke("Who?", {"callbacks": [recorder]})
    assert value == Person(**ADA)
    [body], [traced] = openrouter.bodies, recorder.formats
    return body, traced


@pytest.mark.uncovered
@each_row("provider", PROVIDERS, ids=str)
@pytest.mark.parametrize("thinking", range(3), ids=["as it is", "off", "on"])
@pytest.mark.parametrize("slug", METHODS)
def test_every_model_gets_its_method(openrouter: Emulator, slug: str, thinking: int, provider: dict[str, Any]) -> None:
    method = METHODS[slug][thinking]
    if thinking and provider.get("require_parameters") and slug in NEVER_THINK:
        pytest.skip("No host of a model without reasoning supports `reasoning`, but the user requires it.")
    settings = {**THINKING[thinking], **({"provider": provider} if provider else {})}
    model = ChatKimi(model=slug, api_key=KEY, base_url=openrouter.base_url, max_retries=0, **settings)
    body, traced = request_of(openrouter, model)
    names_hosts = bool({"only", "order"} & provider.keys())
    assert traced == {"method": method, "strict": True if method == "json_schema" and not names_hosts else None}
    if method == "function_calling":
        assert body["tool_choice"]["function"]["name"] == "Person"
        assert ("parallel_tool_calls" in body) != bool(provider.get("require_parameters"))
        assert body.get("provider", {}) == provider
    else:
        assert body["response_format"]["json_schema"].get("strict") is traced["strict"]
        assert body["provider"] == {"require_parameters": True, **provider}


def test_every_profile_is_in_the_table() -> None:
    assert set(METHODS) == set(
        json.loads(files("langchain_kimi._kimi").joinpath("profiles.json").read_text())["models"]
    )


@pytest.mark.parametrize(
    "more", [{"profile": {"tool_choice": False, "structured_output": False}}, {"models": ["moonshotai/kimi-k2"]}]
)
def test_models_without_either_method_get_json_mode_and_an_instruction(openrouter: Emulator, more: Any) -> None:
    model = ChatKimi(model="moonshotai/kimi-k2.6", api_key=KEY, base_url=openrouter.base_url, max_retries=0, **more)
    body, traced = request_of(openrouter, model)
    assert traced == {"method": "json_mode", "strict": None}
    assert body["response_format"] == {"type": "json_object"}
    assert body["provider"] == {"require_parameters": True}
    assert '"age"' in body["messages"][0]["content"]


def test_a_call_that_is_forced_is_read(openrouter: Emulator) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url)
    openrouter.script(Reply(tool_calls=[ToolCall("Person", ADA)]))
    assert model.with_structured_output(Person).invoke("Who?") == Person(**ADA)
