"""Arguments of `ChatOpenRouter` (langchain-openrouter 0.2.9) have the same effect in ChatKimi.

Differences: `timeout` is in seconds, not milliseconds. The app's name and URL are sent only if they were set. The SDK's
`client` is refused.
"""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiUsageError
from langchain_kimi.testing import Emulator, Reply
from tests.conftest import KEY

MODEL = "moonshotai/kimi-k2.5"
PREFERENCES = {"order": ["moonshotai"], "allow_fallbacks": False}
ARGUMENTS: list[tuple[dict[str, Any], dict[str, Any], dict[str, str]]] = [
    # Arguments, sent body, sent headers.
    ({"model": "moonshotai/kimi-k2"}, {"model": "moonshotai/kimi-k2"}, {}),
    ({"model_name": "moonshotai/kimi-k2"}, {"model": "moonshotai/kimi-k2"}, {}),
    ({"temperature": 0.5}, {"temperature": 0.5}, {}),
    ({"max_tokens": 99}, {"max_tokens": 99}, {}),
    ({"max_completion_tokens": 99}, {"max_completion_tokens": 99}, {}),
    ({"top_p": 0.5}, {"top_p": 0.5}, {}),
    ({"frequency_penalty": 0.5}, {"frequency_penalty": 0.5}, {}),
    ({"presence_penalty": 0.5}, {"presence_penalty": 0.5}, {}),
    ({"seed": 7}, {"seed": 7}, {}),
    ({"stop": ["a"]}, {"stop": ["a"]}, {}),
    ({"stop_sequences": ["a"]}, {"stop": ["a"]}, {}),
    ({"stop_sequences": "a"}, {"stop": "a"}, {}),
    ({"n": 2}, {"n": 2}, {}),
    ({"n": 1}, {}, {}),
    ({"stream_usage": False}, {}, {}),
    ({"model_kwargs": {"brand_new": 3}}, {"brand_new": 3}, {}),
    ({"model_kwargs": {"top_k": 3, "provider": PREFERENCES}}, {"provider": PREFERENCES, "top_k": 3}, {}),
    ({"reasoning": {"effort": "high", "summary": "auto"}}, {"reasoning": {"effort": "high", "summary": "auto"}}, {}),
    ({"openrouter_provider": PREFERENCES}, {"provider": PREFERENCES}, {}),
    ({"route": "fallback"}, {"route": "fallback"}, {}),
    ({"plugins": [{"id": "web"}]}, {"plugins": [{"id": "web"}]}, {}),
    ({"session_id": "s"}, {"session_id": "s"}, {}),
    ({"session_id": ""}, {}, {}),
    ({"trace": {"trace_id": "t", "own": 1}}, {"trace": {"trace_id": "t", "own": 1}}, {}),
    ({"app_url": "https://example.com"}, {}, {"http-referer": "https://example.com"}),
    ({"app_title": "Mine"}, {}, {"x-openrouter-title": "Mine"}),
    ({"app_categories": ["cli-agent", "b"]}, {}, {"x-openrouter-categories": "cli-agent,b"}),
    ({"default_headers": {"x-grok-conv-id": "1"}}, {}, {"x-grok-conv-id": "1"}),
    ({"app_title": "Mine", "default_headers": {"x-title": "Own"}}, {}, {"x-title": "Own"}),
    ({"api_key": SecretStr(KEY)}, {}, {}),
    ({"openrouter_api_key": KEY}, {}, {}),
    ({"max_retries": 0}, {}, {}),
    ({"request_timeout": 60}, {}, {}),
    ({"timeout": 60}, {}, {}),
    ({"streaming": True}, {"stream": True, "stream_options": {"include_usage": True}}, {}),
]
ATTRIBUTION = {"http-referer", "x-openrouter-title", "x-title", "x-openrouter-categories", "x-grok-conv-id"}


def sent_with(openrouter: Emulator, model: ChatKimi) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the body of a call, and the headers that depend on constructor arguments."""
    openrouter.behave(strict=False)
    openrouter.script(Reply(text="ok"))
    model.invoke("hi")
    [request] = openrouter.requests
    assert request.sent_key(KEY)
    return request.body, {name: value for name, value in request.headers.items() if name in ATTRIBUTION}


@pytest.mark.parametrize(("arguments", "sent", "headers"), ARGUMENTS, ids="+".join)
def test_arguments_of_chat_open_router_are_accepted(
    openrouter: Emulator, arguments: dict[str, Any], sent: dict[str, Any], headers: dict[str, str]
) -> None:
    usual = {"api_key": KEY, "base_url": openrouter.base_url, "model": MODEL}
    if "openrouter_api_key" in arguments:
        del usual["api_key"]
    if "model_name" in arguments:
        del usual["model"]
    body, sent_headers = sent_with(openrouter, ChatKimi(**{**usual, **arguments}))
    assert body == {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], **sent}
    assert sent_headers == headers


@pytest.mark.parametrize(
    ("variable", "sent", "headers"),
    [
        (("OPENROUTER_APP_URL", "https://example.com"), {}, {"http-referer": "https://example.com"}),
        (("OPENROUTER_APP_TITLE", "Mine"), {}, {"x-openrouter-title": "Mine"}),
        (("OPENROUTER_SESSION_ID", "s"), {"session_id": "s"}, {}),
        (("OPENROUTER_SESSION_ID", ""), {}, {}),
    ],
)
def test_environment_variables_of_chat_open_router_are_read(
    openrouter: Emulator, monkeypatch: pytest.MonkeyPatch, variable: Any, sent: Any, headers: Any
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    monkeypatch.setenv("OPENROUTER_API_BASE", openrouter.base_url)
    monkeypatch.setenv(*variable)
    body, sent_headers = sent_with(openrouter, ChatKimi(model=MODEL))
    assert body == {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], **sent}
    assert sent_headers == headers


def test_an_argument_overrides_the_environment(openrouter: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "API_BASE", "APP_URL", "APP_TITLE", "SESSION_ID"):
        monkeypatch.setenv(f"OPENROUTER_{name}", "https://environment.example.com")
    model = ChatKimi(
        model=MODEL,
        api_key=KEY,
        base_url=openrouter.base_url,
        app_url="https://argument.example.com",
        app_title="Argument",
        session_id="argument",
    )
    body, headers = sent_with(openrouter, model)
    assert body["session_id"] == "argument"
    assert headers == {"http-referer": "https://argument.example.com", "x-openrouter-title": "Argument"}


def test_a_session_id_from_the_environment_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_SESSION_ID", "s" * 257)
    with pytest.raises(KimiUsageError, match="OPENROUTER_SESSION_ID must have at most 256 characters"):
        ChatKimi(api_key=KEY)


def test_a_timeout_in_milliseconds_is_refused() -> None:
    with pytest.raises(ValidationError, match="not milliseconds as in ChatOpenRouter"):
        ChatKimi(api_key=KEY, timeout=60_000)
    with pytest.raises(ValidationError, match="n must be 1 when streaming"):
        ChatKimi(api_key=KEY, streaming=True, n=2)


def test_properties_of_chat_open_router_exist() -> None:
    model = ChatKimi(api_key=KEY, model=MODEL, openrouter_provider=PREFERENCES)
    assert (model.model, model.model_name) == (MODEL, MODEL)
    assert model.openrouter_provider == model.provider
    assert model.lc_secrets == {"openrouter_api_key": "OPENROUTER_API_KEY"}
    assert ChatKimi.is_lc_serializable()
    assert model._llm_type == "openrouter-kimi"
