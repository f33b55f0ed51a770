import json
from typing import Any

import pytest

from langchain_kimi._openrouter.advice import advice_on_tool
from langchain_kimi._openrouter.errors import error_from_response
from langchain_kimi.errors import KimiError


def refused(status: int, message: str, **more: Any) -> KimiError:
    body = {"error": {"message": message, "code": status, **more}}
    return error_from_response(status, {}, json.dumps(body), now=0.0)


def refused_by_host(raw: Any) -> KimiError:
    metadata = {"provider_name": "Moonshot AI", "raw": json.dumps(raw)}
    return refused(400, "Provider returned error", metadata=metadata)


@pytest.mark.parametrize(
    ("words", "knobs"),
    [
        (
            "tool_choice 'specified' is incompatible with thinking enabled",
            ["tool_choice at 'auto'", "reasoning={'enabled': False}", "method='json_schema'"],
        ),
        ("tool_choice 'required' is incompatible with thinking enabled", ["tool_choice at 'auto'"]),
        ("invalid temperature: only 1 is allowed for this model", ["leave temperature out"]),
        ("Invalid request: invalid temperature: only 0.6 is allowed for this model", ["leave temperature out"]),
        (
            "tools.function.parameters is not a valid moonshot flavored json schema, details: <At path 'x'>",
            ["anyOf", "$ref", "enum", "provider={'ignore': ['moonshotai']}"],
        ),
        (
            "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2",
            ["additional_kwargs", "reasoning={'enabled': False}"],
        ),
        ("the message at position 3 with role 'assistant' must not be empty", ["from the history"]),
        ("cannot specify both 'thinking' and 'reasoning_effort'", ["reasoning={...}"]),
    ],
)
def test_a_message_of_a_provider_gives_specific_advice(words: str, knobs: list[str]) -> None:
    for error in (
        refused_by_host({"error": {"message": words, "type": "invalid_request_error"}}),
        refused_by_host({"message": words}),
        refused(400, words),
    ):
        text = str(error)
        assert text.startswith(words)
        assert all(knob in error.advice for knob in knobs)
        assert text.endswith(error.advice)


OTHERS = ("moonshotai/kimi-k2.6", "moonshotai/kimi-k2.7-code", "models=[...]")


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "moonshotai/kimi-k9 is not a valid model ID"),
        (404, "No endpoints found for moonshotai/kimi-k2.5."),
        (404, "The alpha period for this model has ended."),
        (404, "No endpoints found that support tool use. To learn more"),
        (404, "No endpoints found that support image input"),
        (404, "No endpoints found that can handle the requested parameters."),
        (404, "No allowed providers are available for the selected model."),
        (404, "No endpoints available matching your guardrail restrictions and data policy"),
    ],
)
def test_an_unavailable_model_gives_alternatives(status: int, message: str) -> None:
    advice = refused(status, message).advice
    assert all(other in advice for other in OTHERS)


@pytest.mark.parametrize(
    ("message", "knob"),
    [
        ("No endpoints found that support tool use", "loosen provider={...}"),
        ("No allowed providers are available for the selected model.", "loosen provider={...}"),
        ("No endpoints found for moonshotai/kimi-k2.5.", "misspelled or retired"),
    ],
)
def test_a_filter_and_a_misspelled_slug_give_different_advice(message: str, knob: str) -> None:
    assert knob in refused(404, message).advice


@pytest.mark.parametrize(
    ("status", "message", "advice"),
    [
        (400, "x", "Change the request"),
        (400, "prompt is too long", "Shorten the messages"),
        (401, "x", "OPENROUTER_API_KEY"),
        (402, "x", "Add credits"),
        (403, "Key limit exceeded (total limit)", "raise the key's limit"),
        (403, "x", "guardrails"),
        (407, "x", "The proxy asks for a user name and a password"),
        (429, "x", "list fallbacks with models=[...]"),
        (429, "Rate limit exceeded: free-models-per-day", "wait until the limit resets"),
        (502, "x", "Trying again may help"),
        (404, "Not Found", "Check base_url"),
        (404, "Invalid URL (POST /chat/completions)", "Check base_url"),
        (404, "The model `kimi-k9` does not exist", "Check the model's slug"),
        (418, "x", ""),
    ],
)
def test_each_error_class_has_advice(status: int, message: str, advice: str) -> None:
    assert advice in refused(status, message).advice


def test_moderation_names_the_attributes_with_its_reasons() -> None:
    assert "metadata['reasons']" in refused(403, "x", metadata={"reasons": ["violence"]}).advice


@pytest.mark.parametrize(
    ("availability", "text"),
    [
        ({"excluded_by": ["max_price", "quantization"]}, "Providers were excluded by: max_price, quantization."),
        ({"constraint": {"field": "zdr", "detail": "none has it"}}, "Constraint: zdr: none has it."),
        ({"fallback_models": ["moonshotai/kimi-k3"]}, "OpenRouter suggests: moonshotai/kimi-k3."),
        ({"retryable": True, "retry_after": 12}, "Wait 12 s before the next attempt."),
        ({"retryable": False, "retry_after": 12}, ""),
        ({"excluded_by": [], "constraint": {}, "fallback_models": []}, ""),
        ({"excluded_by": "x", "constraint": "y", "fallback_models": 7}, ""),
    ],
)
def test_availability_is_part_of_the_advice(availability: dict[str, Any], text: str) -> None:
    plain = refused(404, "x").advice
    advice = refused(404, "x", availability=availability).advice
    assert advice == f"{plain} {text}".strip()


@pytest.mark.parametrize(
    ("status", "message", "advice"),
    [
        (400, "tools[1].function.name is invalid", "tools[1] is the tool 'b c'."),
        (400, "tools.0.function.parameters is invalid", "tools[0] is the tool 'a'."),
        (400, "tools[2].type is invalid", ""),
        (400, "tools[9] is invalid", ""),
        (400, "messages[1] is invalid", ""),
        (502, "tools[1] is invalid", ""),
    ],
)
def test_a_tool_is_named_if_a_refusal_gives_its_position(status: int, message: str, advice: str) -> None:
    tools = [{"function": {"name": "a"}}, {"function": {"name": "b_c"}}, {"type": "web_search"}]
    body = json.dumps({"tools": tools}).encode()
    assert advice_on_tool(refused(status, message), body, lambda: {"b_c": "b c"}) == advice
