import copy
import json
import pickle
from typing import Any

import pytest
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import ConfigurableField
from pydantic import BaseModel, Field, SecretStr, ValidationError

from langchain_kimi._openrouter.parameters.merging import (
    PARAMETERS,
    RequestParameters,
    checked,
    merged,
    options_as_dicts,
    wire_parameters,
)
from langchain_kimi._openrouter.parameters.options import ProviderPreferences, Reasoning
from langchain_kimi._openrouter.parameters.plugins import WebPlugin

FUNCTION = {"type": "function", "function": {"name": "forecast", "parameters": {"default": None}}}

EVERYTHING: dict[str, Any] = {
    "models": ["moonshotai/kimi-k2.6"],
    "route": "fallback",
    "provider": {"order": ["moonshotai"], "sort": "price"},
    "plugins": [{"id": "web", "max_results": 3}, {"id": "new", "keys": {"none": None}}],
    "preset": "brief",
    "tools": [FUNCTION],
    "tool_choice": {"type": "function", "function": {"name": "forecast"}},
    "parallel_tool_calls": False,
    "max_tool_calls": 30,
    "stop_server_tools_when": [{"type": "step_count_is", "step_count": 3}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "x-1_Y", "schema": {}, "strict": True}},
    "structured_outputs": True,
    "temperature": 0.6,
    "top_p": 1.0,
    "top_k": 0,
    "min_p": 0.5,
    "top_a": 0.0,
    "frequency_penalty": -2.0,
    "presence_penalty": 2.0,
    "repetition_penalty": 0.1,
    "logit_bias": {"17": -100.0, "18": 100.0},
    "logprobs": True,
    "top_logprobs": 20,
    "seed": -7,
    "stop": ["\n\n"],
    "max_tokens": 1,
    "max_completion_tokens": 2,
    "n": 2,
    "reasoning": {"exclude": True},
    "reasoning_effort": "low",
    "verbosity": "max",
    "modalities": ["text", "image"],
    "image_config": {"aspect_ratio": "16:9"},
    "audio": {"voice": "alloy", "format": "wav"},
    "prediction": {"type": "content", "content": "So be it"},
    "cache_control": {"type": "ephemeral"},
    "prompt_cache_key": "k",
    "prompt_cache_options": {"mode": "explicit"},
    "service_tier": "flex",
    "session_id": "s" * 256,
    "user": "u" * 128,
    "metadata": {"k" * 64: "v" * 512},
    "trace": {"trace_id": "t", "mine": [1]},
    "stream_options": {"include_usage": True},
    "debug": {"echo_upstream_body": True},
}


class Model(RequestParameters, BaseChatModel):
    """A LangChain model, as the parameters are meant to be used."""

    model_name: str = Field(default="moonshotai/kimi-k2-0905", alias="model")
    api_key: SecretStr = SecretStr("sk-or-v1-planted")

    @property
    def _llm_type(self) -> str:
        return "test"

    @classmethod
    def is_lc_serializable(cls) -> bool:
        return True

    @property
    def lc_attributes(self) -> dict[str, Any]:
        return options_as_dicts(self)

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        sent = merged(wire_parameters(self), checked({name: kwargs[name] for name in kwargs if name != "run_manager"}))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(json.dumps(sent)))])


def as_settings(parameters: dict[str, Any]) -> dict[str, Any]:
    return {"request_metadata" if name == "metadata" else name: value for name, value in parameters.items()}


def test_every_parameter_is_sent_unchanged() -> None:
    assert tuple(EVERYTHING) == PARAMETERS
    assert json.dumps(wire_parameters(Model(**as_settings(EVERYTHING)))) == json.dumps(EVERYTHING)
    backwards = dict(reversed(EVERYTHING.items()))
    assert json.dumps(checked(backwards)) == json.dumps(EVERYTHING)
    assert json.dumps(checked(as_settings(EVERYTHING))) == json.dumps(EVERYTHING)
    assert json.dumps(merged(backwards)) == json.dumps(EVERYTHING)


def test_unset_parameters_are_not_sent() -> None:
    assert wire_parameters(Model()) == {}
    nothing = Model(stop=[], tools=[], models=[], plugins=[], session_id="", user="", tool_choice="", n=1, seed=None)
    assert wire_parameters(nothing) == {}
    assert nothing.session_id is None
    assert checked({}) == merged() == merged({}, {}) == {}


def test_aliases_are_accepted() -> None:
    model = Model(stop_sequences=["END"], openrouter_provider={"only": ["groq"]}, metadata={"trace": 1})
    assert wire_parameters(model) == {"provider": {"only": ["groq"]}, "stop": ["END"]}
    assert model.openrouter_provider is model.provider
    assert isinstance(model.provider, ProviderPreferences)
    assert model.metadata is not None
    assert model.metadata["trace"] == 1
    call = {"stop_sequences": "END", "openrouter_provider": ProviderPreferences(zdr=True), "metadata": {"a": "b"}}
    assert checked(call) == {"provider": {"zdr": True}, "stop": "END", "metadata": {"a": "b"}}
    assert checked({"stop": None, "stop_sequences": "END"}) == {"stop": "END"}
    assert checked({"stop": "END", "stop_sequences": None}) == {"stop": "END"}
    assert checked({"stop": "END", "stop_sequences": "END"}) == {"stop": "END"}


def test_equal_numbers_give_equal_bytes() -> None:
    assert json.dumps(checked({"temperature": 1})) == json.dumps(wire_parameters(Model(temperature=1.0)))


def test_a_model_made_of_the_parameters_is_a_langchain_model() -> None:
    model = Model(model="m", temperature=0.5, provider={"only": ["groq"]}, reasoning=Reasoning(), plugins=[WebPlugin()])
    sent = json.loads(str(model.bind(temperature=None, top_p=0.5).invoke("Hello").content))
    assert sent == {"provider": {"only": ["groq"]}, "plugins": [{"id": "web"}], "top_p": 0.5, "reasoning": {}}
    configurable = model.configurable_fields(temperature=ConfigurableField(id="t"))
    sent = json.loads(str(configurable.invoke("Hello", {"configurable": {"t": 1}}).content))
    assert sent["temperature"] == 1
    with pytest.raises(ValidationError, match="must be a number from 0 to 2"):
        configurable.invoke("Hello", {"configurable": {"t": 3}})


def test_a_model_made_of_the_parameters_can_be_copied_pickled_and_dumped() -> None:
    model = Model(**as_settings(EVERYTHING))
    for twin in (model.model_copy(), copy.deepcopy(model), Model(**model.model_dump(by_alias=True))):
        assert wire_parameters(twin) == EVERYTHING
    assert pickle.loads(pickle.dumps(Model(temperature=1))).temperature == 1  # noqa: S301 - our own bytes
    dumped = dumpd(model)["kwargs"]
    assert {name: dumped[name] for name in options_as_dicts(model)} == options_as_dicts(model)
    del dumped["api_key"]
    assert wire_parameters(Model(**dumped)) == EVERYTHING


def test_settings_can_be_validated_from_another_model() -> None:
    class Settings(BaseModel):
        parameters: RequestParameters

    ready = RequestParameters(temperature=1)
    assert Settings(parameters=ready).parameters is ready
