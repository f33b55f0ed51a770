from typing import Any, get_args

import httpx
import pytest
from openrouter.components import ChatRequestReasoningEffort, ChatRequestServiceTier, MaxPrice, ProviderPreferences

from tests.testing.chat import post, tool

NAMED = {"type": "function", "function": {"name": "a"}}


def json_schema(**changes: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}} | changes}


DEFERRED = {"protocol": "v1", "profile": "portable", "search": {"type": "bm25"}, "validation": "runtime"}


def test_deferred_tools_do_not_count_for_the_limit(client: httpx.Client) -> None:
    deferred = {"type": "function", "function": {"name": "a", "defer_loading": True}}
    assert post(client, tools=[deferred] * 200, deferred_tools=DEFERRED).status_code == 200


def test_the_words_and_keys_of_the_official_sdk_are_accepted(client: httpx.Client) -> None:
    words = {"service_tier": ChatRequestServiceTier, "reasoning_effort": ChatRequestReasoningEffort}
    for name, kind in words.items():
        for word in get_args(get_args(kind)[0]):
            assert post(client, **{name: word}).status_code == 200, word
    keys: dict[str, Any] = dict.fromkeys(ProviderPreferences.model_fields)
    prices = dict.fromkeys(MaxPrice.model_fields, "1")
    assert post(client, provider={**keys, "max_price": prices}).status_code == 200


@pytest.mark.parametrize(
    "more",
    [
        {"temperature": 0, "top_p": 1.0, "top_k": 0, "frequency_penalty": -2, "seed": -5, "max_tokens": None},
        {"stop": "a", "user": "me", "session_id": "s" * 256, "stream": False, "metadata": {"a": "b"}},
        {"stop": ["a", "b", "c", "d"], "logprobs": True, "top_logprobs": 20, "logit_bias": {"1": -100}},
        {"models": ["moonshotai/kimi-k2.6", "a/b:free"], "route": "fallback", "unheard_of": {"a": 1}},
        {"tools": [tool("a-B_9")], "tool_choice": NAMED | {"function": {"name": "a-B_9"}}},
        {"tools": [{"type": "openrouter:web_search"}], "tool_choice": {"type": "openrouter:web_search"}},
        {"tool_choice": "auto"},
        {"response_format": {"type": "text"}},
        {"response_format": json_schema(strict=True)},
        {"response_format": {"type": "grammar", "grammar": "root ::= 'a'"}},
        {"reasoning": {"effort": "high", "enabled": True}, "reasoning_effort": "high"},
        {"reasoning": {"max_tokens": 10, "exclude": False}},
        {"provider": None},
        {
            "provider": {
                "order": ["moonshotai", "groq/x"],
                "allow_fallbacks": False,
                "sort": {"by": "price", "partition": "none"},
                "max_price": {"prompt": "0.7", "completion": 3},
                "preferred_max_latency": {"p90": 4},
                "preferred_min_throughput": 20,
                "data_collection": "deny",
                "quantizations": None,
            }
        },
        {"provider": {"options": {"moonshotai": {"a": 1}}}},
        {"provider": {"sort": "throughput", "require_parameters": True}, "temperature": 1, "max_completion_tokens": 5},
        {"model": "somebody/else", "provider": {"only": ["elsewhere"], "require_parameters": True}, "top_a": 1},
    ],
)
def test_valid_requests_are_accepted(client: httpx.Client, more: dict[str, Any]) -> None:
    response = post(client, **more)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"temperature": 5}, "Expected temperature to be at most 2, received 5"),
        ({"top_p": -1}, "Expected top_p to be at least 0, received -1"),
        ({"temperature": "hot"}, "temperature: expected a number"),
        ({"top_k": 1.5}, "top_k: expected a number"),
        ({"seed": True}, "received a boolean"),
        ({"max_tokens": 0}, "max_tokens to be at least 1"),
        ({"top_logprobs": 3}, "needs logprobs"),
        ({"logit_bias": [1]}, "logit_bias: expected numbers"),
        ({"logit_bias": {"1": "a"}}, "logit_bias: expected numbers"),
        ({"logit_bias": {"1": 101}}, "logit_bias: at most 100"),
        ({"stream": "yes"}, "stream: expected a boolean"),
        ({"session_id": "s" * 257}, "session_id: at most 256"),
        ({"user": 5}, "user: at most 128"),
        ({"service_tier": "gold"}, "service_tier: expected one of"),
        ({"stop": 5}, "stop: expected a string or"),
        ({"stop": [5]}, "stop: expected strings"),
        ({"stop": list("abcde")}, "stop: at most 4"),
        ({"metadata": "a"}, "metadata: at most 16 pairs"),
        ({"metadata": {str(i): "a" for i in range(17)}}, "metadata: at most 16 pairs"),
        ({"metadata": {"a": 1}}, "metadata: expected strings"),
        ({"metadata": {"a" * 65: "1"}}, "metadata: expected strings"),
        ({"metadata": {"a": "1" * 513}}, "metadata: expected strings"),
        ({"reasoning": "high"}, "reasoning: expected an object"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort: expected one of"),
        ({"reasoning": {"effort": "low", "max_tokens": 5}}, "Only one of"),
        ({"reasoning": {"effort": "low"}, "reasoning_effort": "high"}, "differ"),
        ({"reasoning": {"enabled": "yes"}}, "reasoning.enabled: expected a boolean"),
        ({"models": "a/b"}, "models: expected a list"),
        ({"tools": []}, "tools: expected between 1 and 128"),
        ({"tools": [tool("a")] * 129}, "tools: expected between 1 and 128"),
        ({"tools": ["a"]}, "each needs a type"),
        ({"tools": [tool("a")], "deferred_tools": {"protocol": "v1"}}, "deferred_tools: unknown protocol"),
        ({"tools": [tool("a")], "deferred_tools": {**DEFERRED, "search": {"type": "magic"}}}, "search: unknown type"),
        ({"tools": [tool("a")] * 129, "deferred_tools": DEFERRED}, "tools: expected between 1 and 128"),
        ({"tools": [{"type": "magic"}]}, "unknown type magic"),
        ({"tools": [{"type": "function"}]}, "needs a function"),
        ({"tools": [tool("a b")]}, "'a b' is not a valid function name"),
        ({"tools": [tool("a" * 65)]}, "is not a valid function name"),
        ({"tools": [{"type": "function", "function": {"name": "a", "description": None}}]}, "description of a"),
        (
            {"tools": [{"type": "function", "function": {"name": "a", "parameters": {"type": "array"}}}]},
            "not the schema",
        ),
        ({"tools": [{"type": "function", "function": {"name": "a", "parameters": "{}"}}]}, "not the schema"),
        ({"tool_choice": "required"}, "only allowed when tools are specified"),
        ({"tools": [tool("a")], "tool_choice": "any"}, "unknown choice"),
        ({"tools": [tool("a")], "tool_choice": {"name": "a"}}, "unknown choice"),
        ({"tools": [tool("b")], "tool_choice": NAMED}, "no tool is called a"),
        ({"tools": [tool("b")], "tool_choice": {"type": "function"}}, "no tool is called None"),
        ({"tools": [tool("b")], "tool_choice": {"type": "magic"}}, "unknown type"),
        ({"response_format": "json"}, "response_format: expected an object"),
        ({"response_format": {"type": "yaml"}}, "response_format: unknown type"),
        ({"response_format": {"type": "json_schema"}}, "needs its json_schema"),
        ({"response_format": json_schema(name=None)}, "needs a name"),
        ({"response_format": json_schema(name="a b")}, "needs a name"),
        ({"response_format": json_schema(schema=None)}, "needs a schema"),
        ({"response_format": {"type": "grammar"}}, "needs a grammar"),
        ({"provider": "moonshotai"}, "provider: expected an object"),
        ({"provider": {"orders": []}}, "Unrecognized key: 'orders'"),
        ({"provider": {"order": "groq"}}, "provider.order: invalid"),
        ({"provider": {"only": [1]}}, "provider.only: invalid"),
        ({"provider": {"zdr": "yes"}}, "provider.zdr: invalid"),
        ({"provider": {"sort": "speed"}}, "provider.sort: invalid"),
        ({"provider": {"sort": {"by": "speed"}}}, "provider.sort: invalid"),
        ({"provider": {"max_price": {"tokens": 1}}}, "provider.max_price: invalid"),
        ({"provider": {"max_price": {"prompt": "cheap"}}}, "provider.max_price: invalid"),
        ({"provider": {"max_price": {"prompt": None}}}, "provider.max_price: invalid"),
        ({"provider": {"max_price": 5}}, "provider.max_price: invalid"),
        ({"provider": {"preferred_max_latency": {"p42": 1}}}, "provider.preferred_max_latency: invalid"),
        ({"provider": {"options": {"moonshotai": 1}}}, "provider.options: invalid"),
        ({"provider": {"options": []}}, "provider.options: invalid"),
        ({"provider": {"data_collection": "maybe"}}, "provider.data_collection: invalid"),
        ({"model": "moonshotai/kimi-k2-thinking", "reasoning_effort": "none"}, "Reasoning is mandatory"),
    ],
)
def test_invalid_requests_are_rejected(client: httpx.Client, more: dict[str, Any], words: str) -> None:
    response = post(client, **more)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == 400
    assert error["metadata"] == {"provider_name": None}
    assert words in error["message"]


@pytest.mark.parametrize("model", ["kimi-k2", "moonshotai/kimi-k2:fastest", "", "a/b/c", 5])
@pytest.mark.parametrize("listed", [False, True])
def test_invalid_model_ids_are_rejected(client: httpx.Client, model: Any, *, listed: bool) -> None:
    response = post(client, **({"models": [model]} if listed else {"model": model}))
    assert response.status_code == 400
    assert response.json()["error"]["message"] == f"{model} is not a valid model ID"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"provider": {"only": ["elsewhere"]}}, "No allowed providers are available"),
        ({"provider": {"only": ["groq"], "ignore": ["groq"]}}, "No allowed providers are available"),
        ({"provider": {"require_parameters": True}, "reasoning": {}}, "can handle the requested parameters"),
        ({"provider": {"require_parameters": True}, "reasoning_effort": "low"}, "can handle the requested parameters"),
        ({"provider": {"require_parameters": True}, "parallel_tool_calls": True}, "can handle the requested"),
    ],
)
def test_requests_that_no_provider_can_serve_are_rejected(
    client: httpx.Client, more: dict[str, Any], words: str
) -> None:
    response = post(client, **more)
    assert response.status_code == 404
    assert words in response.json()["error"]["message"]
