"""Every value that the request models of OpenRouter's SDK accept is sent unchanged, however it is passed."""

import enum
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.parameters.options import CacheControl, Prediction, ProviderPreferences, Reasoning
from langchain_kimi._openrouter.parameters.plugins import plugin
from langchain_kimi.errors import KimiUsageError
from scripts.whats_new import OWN_ARGUMENTS
from tests.conftest import KEY

components: Any = pytest.importorskip("openrouter").components

NAMES = {"metadata": "request_metadata"}
"""Parameters that have another name in the constructor."""
VALUES: dict[str, list[Any]] = {
    "max_price": [{"prompt": "1.5", "completion": "2", "request": "0", "image": "0", "audio": "1"}],
    "logit_bias": [{"50256": -100}],
    "top_logprobs": [],
    "response_format": [{"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}],
    "preferred_max_latency": [0.5, {"p50": 1, "p99": 2.5}],
    "preferred_min_throughput": [0.5, {"p75": 1, "p90": 2.5}],
    "from_date": ["2026-01-01"],
    "to_date": ["2026-01-01"],
    "stream_options": [{"include_usage": True}, {"include_usage": False}],
    # Functions are repaired; see the tests of schemas.
    "function": [{"name": "f", "parameters": {"type": "object", "properties": {}}}],
}
"""Values of fields whose annotation does not tell which ones are valid."""
DEEPEST = 6
OPTIONS: dict[str, Any] = {
    "provider": ProviderPreferences,
    "reasoning": Reasoning,
    "prediction": Prediction,
    "cache_control": CacheControl,
}


def values_of(annotation: Any, depth: int = 0) -> list[Any]:
    """Return JSON values that the annotation of a field accepts, at least one for each branch of it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return list(arguments)
    if origin is list:
        return [[value] for value in values_of(arguments[0], depth)]
    if origin is dict:
        return [{"k": value} for value in values_of(arguments[1], depth)[:1]]
    if arguments:
        branches = arguments[:1] if origin is Annotated else arguments
        return [value for branch in branches for value in values_of(branch, depth)]
    if hasattr(annotation, "__value__"):
        return values_of(annotation.__value__, depth)
    return values_of_class(annotation, depth) if isinstance(annotation, type) else ["anything"]


def values_of_class(kind: Any, depth: int) -> list[Any]:
    if issubclass(kind, BaseModel):
        return list(objects_of(kind, depth)) if depth < DEEPEST and kind.__name__ != "Unset" else []
    if issubclass(kind, enum.Enum):
        return [member.value for member in kind]
    plain: dict[Any, list[Any]] = {bool: [True, False], int: [1], float: [0.5], str: ["text"]}
    return plain.get(kind, [])


def objects_of(model: type[BaseModel], depth: int) -> Iterator[dict[str, Any]]:
    """Yield an object with the required fields alone, and one more for each value of each field."""
    fields = {
        (name := field.alias or own): VALUES.get(name, values_of(field.annotation, depth + 1))
        for own, field in model.model_fields.items()
    }
    required = [field.alias or own for own, field in model.model_fields.items() if field.is_required()]
    base = {name: fields[name][0] for name in required if fields[name]}
    yield base
    for name, values in fields.items():
        for value in values:
            yield {**base, name: value}


def parameters() -> Iterator[tuple[str, Any]]:
    for name, field in components.ChatRequest.model_fields.items():
        if name not in OWN_ARGUMENTS:
            yield from ((name, value) for value in VALUES.get(name, values_of(field.annotation)))


def is_valid(name: str, value: Any) -> bool:
    """Return whether the SDK would send a value."""
    try:
        components.ChatRequest.model_validate({"messages": [{"role": "user", "content": "hi"}], name: value})
    except ValidationError:
        return False
    return True


@cache
def everything() -> list[tuple[str, Any]]:
    return [case for case in parameters() if is_valid(*case)]


def typed(name: str, value: Any) -> Any:
    """Return options as an object of this package."""
    if name == "plugins":
        return [plugin(each) for each in value]
    return OPTIONS[name].model_validate(value)


def of_the_sdk(name: str, value: Any) -> Any:
    """Return options as an object of the SDK."""
    request = components.ChatRequest.model_validate({"messages": [{"role": "user", "content": "hi"}], name: value})
    return getattr(request, name)


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # The SDK's own.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        yield


FORMS = {"dict": lambda _, value: value, "typed": typed, "of the SDK": of_the_sdk}


@pytest.mark.uncovered
@pytest.mark.parametrize("form", FORMS)
def test_everything_that_the_sdk_sends_can_be_sent(form: str) -> None:
    model, wrong = ChatKimi(api_key=KEY), []
    cases = [case for case in everything() if form == "dict" or (case[0] in {*OPTIONS, "plugins"} and case[1])]
    for name, value in cases:
        passed = FORMS[form](name, value)
        binding = model.bind(**{name: passed})
        bodies = [
            ChatKimi(api_key=KEY, **{NAMES.get(name, name): passed}).request_body("hi", stream=True),
            model.request_body("hi", stream=True, **binding.kwargs),
            model.request_body("hi", stream=True, **{name: passed}),
        ]
        wrong += [(name, value, body.get(name)) for body in bodies if body.get(name) != value]
    assert len(cases) > (900 if form == "dict" else 100)
    assert wrong == []


NOT_JSON: dict[str, Any] = {
    "provider": {"options": {"x": object()}},
    "plugins": [{"id": "web", "x_search": {"x": print}}],
}


def test_values_that_are_not_json_are_refused_by_name() -> None:
    for name, value in NOT_JSON.items():
        for arguments in ({name: value}, {}):
            with pytest.raises(KimiUsageError, match="has a value that is not JSON"):
                ChatKimi(api_key=KEY, **arguments).request_body("hi", **{name: value})


def messages_of_the_sdk() -> Iterator[dict[str, Any]]:
    """Yield messages with each field that only OpenRouter has."""
    for kind in ("System", "Developer", "Assistant", "User"):
        for value in objects_of(getattr(components, f"Chat{kind}Message"), 0):
            is_plain = isinstance(value.get("content", "text"), str) and not value.keys() & {"audio", "tool_calls"}
            yield from [{"content": "text", **value}] if is_plain else []


def test_the_fields_of_messages_are_sent() -> None:
    model = ChatKimi(api_key=KEY, model="somebody/some-model")
    sent = [model.request_body([message])["messages"] for message in messages_of_the_sdk()]
    assert sent == [[message] for message in messages_of_the_sdk()]
    fields = {name for [message] in sent for name in message}
    assert {"configuration_update", "model", "reasoning", "reasoning_details", "images", "name", "refusal"} <= fields


def test_the_fields_of_videos_are_sent() -> None:
    part = {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4", "processing": "agentic"}}
    body = ChatKimi(api_key=KEY, model="somebody/some-model").request_body([{"role": "user", "content": [part]}])
    assert body["messages"][0]["content"] == [part]
