"""The request models of OpenRouter's own SDK are an oracle: this package can send all of its parameters."""

from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from langchain_kimi._openrouter.parameters.merging import PARAMETERS
from langchain_kimi._openrouter.parameters.options import (
    CacheControl,
    MaxPrice,
    Options,
    Percentiles,
    Prediction,
    ProviderPreferences,
    ProviderSort,
    Reasoning,
)
from langchain_kimi._openrouter.parameters.plugins import BY_ID

components: Any = pytest.importorskip("openrouter").components

REQUEST = "ChatRequest"
OURS: dict[str, type[Options]] = {
    "ProviderPreferences": ProviderPreferences,
    "ChatRequestReasoning": Reasoning,
    "AnthropicCacheControlDirective": CacheControl,
    "Prediction": Prediction,
    "ProviderSortConfig": ProviderSort,
    "PercentileLatencyCutoffs": Percentiles,
    "PercentileThroughputCutoffs": Percentiles,
    "MaxPrice": MaxPrice,
}
# The model, the messages and the streaming flag are arguments of their own.
OWN_ARGUMENTS = {"model", "messages", "stream"}
# Objects whose keys are not typed here: the dict of the user is sent unchanged.
PASSED_THROUGH = {
    "audio", "debug", "deferred_tools", "image_config", "prompt_cache_options", "response_format", "stream_options",
    "stop_server_tools_when", "tool_choice", "tools", "trace",
}  # fmt: skip


def keys_of(kind: Any) -> set[str]:
    return {field.alias or name for name, field in kind.model_fields.items()}


def plugins_of_the_sdk() -> dict[str, Any]:
    annotation = components.ChatRequest.model_fields["plugins"].annotation
    return {get_args(kind.model_fields["id"].annotation)[0]: kind for kind in models_in(annotation)}


def models_in(annotation: Any) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation] if "id" in annotation.model_fields else []
    if get_origin(annotation) is None:
        return []
    return [kind for argument in get_args(annotation) for kind in models_in(argument)]


def test_every_parameter_of_the_sdk_is_a_parameter_here() -> None:
    assert keys_of(components.ChatRequest) - OWN_ARGUMENTS - set(PARAMETERS) == set()


@pytest.mark.parametrize("name", OURS)
def test_every_option_of_the_sdk_is_typed_here(name: str) -> None:
    kind = getattr(components, name, None)
    if kind is None:
        pytest.skip("this version of the SDK has no such model")
    assert keys_of(kind) - set(OURS[name].model_fields) == set()


@pytest.mark.parametrize(("plugin_id", "kind"), plugins_of_the_sdk().items())
def test_every_plugin_of_the_sdk_is_typed_here(plugin_id: str, kind: Any) -> None:
    assert plugin_id in BY_ID
    assert keys_of(kind) - set(BY_ID[plugin_id].model_fields) == set()


def test_objects_of_the_sdk_are_typed_or_passed_through() -> None:
    typed = {"provider", "plugins", "reasoning", "prediction", "cache_control"}
    fields = components.ChatRequest.model_fields
    objects = {name for name, field in fields.items() if holds_models(field.annotation)} - OWN_ARGUMENTS
    assert objects - typed - PASSED_THROUGH == set()


def holds_models(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(map(holds_models, get_args(annotation)))
