"""Checks a request's parameters: types, ranges, tools, response formats and provider routing."""

import re
from collections.abc import Callable, Collection
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.catalog import PROVIDERS, Model, is_kimi, is_slug
from langchain_kimi.testing.rejections import RejectedRequestError, invalid
from langchain_kimi.testing.tokens import visible_tools

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EFFORTS = ("max", "xhigh", "high", "medium", "low", "minimal", "none")
_MOST_TOOLS = 128
_MOST_BIAS = 100

_RANGES: dict[str, tuple[type, float, float]] = {
    "temperature": (float, 0, 2),
    "top_p": (float, 0, 1),
    "top_k": (int, 0, float("inf")),
    "min_p": (float, 0, 1),
    "top_a": (float, 0, 1),
    "frequency_penalty": (float, -2, 2),
    "presence_penalty": (float, -2, 2),
    "repetition_penalty": (float, 0, 2),
    "top_logprobs": (int, 0, 20),
    "max_tokens": (int, 1, float("inf")),
    "max_completion_tokens": (int, 1, float("inf")),
    "seed": (int, float("-inf"), float("inf")),
}
_FLAGS = ("stream", "logprobs", "parallel_tool_calls", "include_reasoning")
_LONGEST = {"session_id": 256, "user": 128, "prompt_cache_key": 1024}
_CHOICES: dict[str, tuple[str, ...]] = {
    "reasoning_effort": _EFFORTS,
    "service_tier": ("auto", "default", "fast", "flex", "priority", "scale", "ultrafast"),
    "route": ("fallback", "sort"),
    "verbosity": ("low", "medium", "high", "xhigh", "max"),
}
_MOST_STOPS, _MOST_METADATA, _LONGEST_KEY, _LONGEST_VALUE = 4, 16, 64, 512

_PROVIDER_LISTS = ("order", "only", "ignore", "quantizations")
_PROVIDER_FLAGS = ("allow_fallbacks", "require_parameters", "zdr", "enforce_distillable_text")
_PROVIDER_THRESHOLDS = ("preferred_min_throughput", "preferred_max_latency")
_SORTS = ("price", "throughput", "latency", "exacto")
_PRICES = ("prompt", "completion", "image", "audio", "request")

_OPTIONS = ("parallel_tool_calls", "reasoning", "response_format", "stop", "tools", "tool_choice")
_LISTED = frozenset((*_RANGES, *_OPTIONS, "logit_bias", "logprobs")) - {"max_completion_tokens"}
"""The parameters whose support the list of models states."""


def check_parameters(body: JSONObject) -> None:
    """Check everything except the messages.

    Raises:
        RejectedRequestError: A parameter is invalid.
    """
    for check in _CHECKS:
        check(body)
    _provider(body.get("provider"))


def check_routing(body: JSONObject, model: Model, tags: Collection[str] = tuple(PROVIDERS)) -> None:
    """Check that a provider of a known Kimi model can serve the request.

    Raises:
        RejectedRequestError: No provider can (status 404), or mandatory reasoning is switched off (status 400).
    """
    if not is_kimi(model):
        return
    routing = body.get("provider") or {}
    allowed = {slug.partition("/")[0] for slug in routing.get("only") or tags}
    if not (allowed & set(tags)) - set(routing.get("ignore") or ()):
        raise RejectedRequestError(404, "No allowed providers are available for the selected model.")
    if routing.get("require_parameters"):
        needed = {name for name in _LISTED if body.get(name) is not None}
        needed |= {"reasoning"} if body.get("reasoning_effort") else set()
        if needed - set(model.supported_parameters):
            raise RejectedRequestError(404, "No endpoints found that can handle the requested parameters.")
    efforts = ((body.get("reasoning") or {}).get("effort"), body.get("reasoning_effort"))
    if model.must_think and "none" in efforts:
        raise invalid("Reasoning is mandatory for this endpoint and cannot be disabled.")


def _require(condition: object, message: str) -> None:
    if not condition:
        raise invalid(message)


def _models(body: JSONObject) -> None:
    model, models = body.get("model"), body.get("models")
    _require(models is None or isinstance(models, list), "models: expected a list")
    for slug in ([] if model is None else [model]) + (models or []):
        if not is_slug(slug):
            raise RejectedRequestError(400, f"{slug} is not a valid model ID")


def _numbers(body: JSONObject) -> None:
    for name, (kind, least, most) in _RANGES.items():
        value = body.get(name)
        if value is None:
            continue
        _require(isinstance(value, kind if kind is int else (int, float)), f"{name}: expected a number")
        _require(not isinstance(value, bool), f"{name}: expected a number, received a boolean")
        _require(value <= most, f"Expected {name} to be at most {most:g}, received {value:g}")
        _require(value >= least, f"Expected {name} to be at least {least:g}, received {value:g}")
    _require(body.get("top_logprobs") is None or body.get("logprobs"), "top_logprobs needs logprobs to be true")
    _logit_bias(body.get("logit_bias") or {})


def _logit_bias(bias: Any) -> None:
    has_numbers = isinstance(bias, dict) and all(isinstance(value, (int, float)) for value in bias.values())
    _require(has_numbers, "logit_bias: expected numbers")
    _require(all(abs(value) <= _MOST_BIAS for value in bias.values()), f"logit_bias: at most {_MOST_BIAS}")


def _strings(body: JSONObject) -> None:
    for name in _FLAGS:
        _require(isinstance(body.get(name), bool | None), f"{name}: expected a boolean")
    for name, longest in _LONGEST.items():
        value = body.get(name)
        _require(
            value is None or (isinstance(value, str) and len(value) <= longest), f"{name}: at most {longest} characters"
        )
    for name, allowed in _CHOICES.items():
        _require(body.get(name) in (None, *allowed), f"{name}: expected one of {', '.join(allowed)}")


def _stop(body: JSONObject) -> None:
    stop = body.get("stop")
    stops = stop if isinstance(stop, list) else []
    _require(isinstance(stop, str | list | None), "stop: expected a string or a list of strings")
    _require(all(isinstance(one, str) for one in stops), "stop: expected strings")
    _require(len(stops) <= _MOST_STOPS, f"stop: at most {_MOST_STOPS} sequences")


def _metadata(body: JSONObject) -> None:
    metadata = body.get("metadata") or {}
    _require(
        isinstance(metadata, dict) and len(metadata) <= _MOST_METADATA, f"metadata: at most {_MOST_METADATA} pairs"
    )
    for key, value in metadata.items():
        is_short = isinstance(value, str) and len(key) <= _LONGEST_KEY and len(value) <= _LONGEST_VALUE
        _require(is_short, "metadata: expected strings, keys of up to 64 and values of up to 512 characters")


def _reasoning(body: JSONObject) -> None:
    reasoning, effort = body.get("reasoning"), body.get("reasoning_effort")
    if reasoning is None:
        return
    _require(isinstance(reasoning, dict), "reasoning: expected an object")
    inner = reasoning.get("effort")
    _require(inner in (None, *_EFFORTS), f"reasoning.effort: expected one of {', '.join(_EFFORTS)}")
    both = inner is not None and reasoning.get("max_tokens") is not None
    _require(not both, 'Only one of "reasoning.effort" and "reasoning.max_tokens" may be specified')
    _require(None in (inner, effort) or inner == effort, "reasoning.effort and reasoning_effort differ")
    for name in ("enabled", "exclude"):
        _require(isinstance(reasoning.get(name), bool | None), f"reasoning.{name}: expected a boolean")


def _tools(body: JSONObject) -> None:
    tools = body.get("tools")
    if tools is None:
        return
    _require(isinstance(tools, list) and tools, "tools: expected between 1 and 128 tools")
    for tool in tools:
        _require(isinstance(tool, dict) and isinstance(tool.get("type"), str), "tools: each needs a type")
        if tool["type"] == "function":
            _function(tool.get("function"))
        else:
            server = tool["type"].startswith(("openrouter:", "web_search"))
            _require(server, f"tools: unknown type {tool['type']}")
    _require(len(visible_tools(body)) <= _MOST_TOOLS, "tools: expected between 1 and 128 tools")


def _deferred_tools(body: JSONObject) -> None:
    control = body.get("deferred_tools")
    if control is None:
        return
    control = control if isinstance(control, dict) else {}
    search: Any = control.get("search")
    fixed = {"protocol": "v1", "profile": "portable", "validation": "runtime"}
    is_known = isinstance(search, dict) and {**control, **fixed} == control
    _require(is_known, "deferred_tools: unknown protocol, profile or validation")
    _require(search.get("type") in ("bm25", "regex", "custom"), "deferred_tools.search: unknown type")


def _function(function: Any) -> None:
    _require(isinstance(function, dict), "tools: a function tool needs a function")
    name = function.get("name")
    _require(isinstance(name, str) and _NAME.fullmatch(name), f"tools: {name!r} is not a valid function name")
    _require(isinstance(function.get("description", ""), str), f"tools: the description of {name} is not a string")
    parameters = function.get("parameters", {})
    is_object = isinstance(parameters, dict) and parameters.get("type", "object") == "object"
    _require(is_object, f"tools: the parameters of {name} are not the schema of an object")


def _tool_choice(body: JSONObject) -> None:
    choice = body.get("tool_choice")
    if choice in (None, "none", "auto"):
        return
    names = [tool["function"]["name"] for tool in body.get("tools") or () if tool["type"] == "function"]
    _require(body.get("tools"), "tool_choice is only allowed when tools are specified")
    if choice == "required":
        return
    _require(isinstance(choice, dict) and isinstance(choice.get("type"), str), "tool_choice: unknown choice")
    if choice["type"] == "function":
        name = (choice.get("function") or {}).get("name")
        _require(name in names, f"tool_choice: no tool is called {name}")
    else:
        _require(choice["type"].startswith(("openrouter:", "web_search")), "tool_choice: unknown type")


def _response_format(body: JSONObject) -> None:
    form = body.get("response_format")
    if form is None:
        return
    _require(isinstance(form, dict), "response_format: expected an object")
    kind = form.get("type")
    _require(kind in ("text", "json_object", "json_schema", "grammar", "python"), "response_format: unknown type")
    if kind == "json_schema":
        schema = form.get("json_schema")
        _require(isinstance(schema, dict), "response_format: json_schema needs its json_schema")
        name = schema.get("name")
        _require(isinstance(name, str) and _NAME.fullmatch(name), "response_format: json_schema needs a name")
        _require(isinstance(schema.get("schema"), dict), "response_format: json_schema needs a schema")
    if kind == "grammar":
        _require(isinstance(form.get("grammar"), str), "response_format: grammar needs a grammar")


def _provider(routing: Any) -> None:
    if routing is None:
        return
    _require(isinstance(routing, dict), "provider: expected an object")
    checks: dict[str, Callable[[Any], bool]] = dict.fromkeys(_PROVIDER_LISTS, _is_list_of_strings)
    checks |= dict.fromkeys(_PROVIDER_FLAGS, lambda value: isinstance(value, bool))
    checks |= dict.fromkeys(_PROVIDER_THRESHOLDS, _is_threshold)
    checks |= {"data_collection": ("allow", "deny").__contains__, "sort": _is_sort, "max_price": _is_price}
    checks["options"] = lambda value: isinstance(value, dict) and all(isinstance(one, dict) for one in value.values())
    for name, value in routing.items():
        _require(name in checks, f"provider: Unrecognized key: {name!r}")
        _require(value is None or checks[name](value), f"provider.{name}: invalid value")


def _is_list_of_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_threshold(value: Any) -> bool:
    if isinstance(value, dict):
        return set(value) <= {"p50", "p75", "p90", "p99"}
    return isinstance(value, (int, float))


def _is_sort(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get("by") in (None, *_SORTS) and value.get("partition") in (None, "model", "none")
    return value in _SORTS


def _is_price(value: Any) -> bool:
    return isinstance(value, dict) and set(value) <= set(_PRICES) and all(map(_is_amount, value.values()))


def _is_amount(value: Any) -> bool:
    try:
        return float(value) >= 0
    except (TypeError, ValueError):
        return False


_CHECKS = (
    _models,
    _numbers,
    _strings,
    _stop,
    _metadata,
    _reasoning,
    _tools,
    _deferred_tools,
    _tool_choice,
    _response_format,
)
