"""The functions behind a call: the bodies before and after the repairs, and the settings of the token counts."""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_kimi import ChatKimi
from langchain_kimi._calls import bodies, counting, new_call
from langchain_kimi._tracing import RetryReport
from langchain_kimi.errors import KimiContextOverflowError, KimiUsageError
from tests.conftest import KEY

MESSAGES = [HumanMessage("hi")]


def model(**settings: Any) -> ChatKimi:
    return ChatKimi(api_key=KEY, model="moonshotai/kimi-k2.6", **settings)


def test_the_repairs_change_the_second_body_only() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    arguments = {"tools": tools, "tool_choice": "required", "timeout": 5}
    unrepaired, body = bodies(model(), MESSAGES, arguments, None, streamed=False)
    assert "reasoning" not in unrepaired
    assert dict(body)["reasoning"] == {"enabled": False}
    assert "timeout" not in body


def test_arguments_of_the_call_replace_settings() -> None:
    [_, body] = bodies(model(temperature=0.5, seed=1), MESSAGES, {"temperature": 1, "seed": None}, None, streamed=True)
    assert body == {
        "model": "moonshotai/kimi-k2.6",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 1,
        "stream": True,
    }


def test_the_models_own_profile_limits_its_prompts_only() -> None:
    settings, profile = model(check_context=True), {"max_input_tokens": 1}
    with pytest.raises(KimiContextOverflowError):
        bodies(settings, MESSAGES, {}, profile, streamed=False)
    bodies(settings, MESSAGES, {"model": "moonshotai/kimi-k2"}, profile, streamed=False)


def test_a_call_has_the_limits_of_its_arguments() -> None:
    arguments = {"timeout": 5, "max_retries": 7, "retry_empty": 1, "extra_headers": {"x-mine": "1"}}
    call = new_call(model(), MESSAGES, arguments, RetryReport(None), None, streamed=True)
    assert (call.connection.timeout.idle, call.retries.max_retries, call.retries.max_empty) == (5, 7, 1)
    assert call.headers["x-mine"] == "1"
    assert b'"stream_options":{"include_usage":true}' in call.body
    with pytest.raises(KimiUsageError):
        new_call(model(), MESSAGES, {"max_retries": -1}, RetryReport(None), None, streamed=False)


def test_counts_use_the_settings() -> None:
    def encode(text: str) -> list[int]:
        return [len(text)]

    settings = model(base_url="https://api.moonshot.ai/v1", tokenizer_file="x", custom_get_token_ids=encode)
    assert (counting(settings).base_url, counting(settings).tokenizer_file) == ("https://api.moonshot.ai/v1", "x")
    assert counting(settings).encode is encode
