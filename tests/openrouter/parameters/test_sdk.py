"""The request models of OpenRouter's own SDK are an oracle: this package can send all of its parameters.

That each parameter, option and plugin of the SDK is typed here is checked in `tests/test_whats_new.py`.
"""

from typing import Any, get_args

import pytest
from pydantic import BaseModel

from scripts.whats_new import OWN_ARGUMENTS

components: Any = pytest.importorskip("openrouter").components

TYPED = {"provider", "plugins", "reasoning", "prediction", "cache_control"}
# Objects whose keys are not typed here: the dict of the user is sent unchanged.
PASSED_THROUGH = {
    "audio", "debug", "deferred_tools", "image_config", "prompt_cache_options", "response_format", "stream_options",
    "stop_server_tools_when", "tool_choice", "tools", "trace",
}  # fmt: skip


def test_objects_of_the_sdk_are_typed_or_passed_through() -> None:
    fields = components.ChatRequest.model_fields
    objects = {name for name, field in fields.items() if holds_models(field.annotation)} - OWN_ARGUMENTS
    assert objects - TYPED - PASSED_THROUGH == set()


def holds_models(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(map(holds_models, get_args(annotation)))
