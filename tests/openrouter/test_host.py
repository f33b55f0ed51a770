"""The hosts: how they are chosen, and what each of them is sent over a real socket."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from langchain_core.load import dumpd, load
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import ValidationError

from langchain_kimi import ChatKimi, load_arguments
from langchain_kimi._keys import resolve
from langchain_kimi._openrouter.host import (
    COMPATIBLE,
    HOSTS,
    MOONSHOT,
    OPENROUTER,
    OPENROUTER_FIELDS,
    Host,
    check_key,
    for_host,
    host_for,
    missing_key,
)
from langchain_kimi._openrouter.wire import WireBody
from langchain_kimi.errors import KimiAuthenticationError
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask
from tests.conftest import KEY

ROUTED: dict[str, Any] = {
    "provider": {"only": ["novita"]},
    "plugins": [{"id": "web"}],
    "models": ["moonshotai/kimi-k2"],
    "route": "fallback",
    "session_id": "s",
    "cache_control": {"type": "ephemeral"},
    "trace": {"trace_id": "t"},
    "preset": "mine",
    "debug": {"echo_upstream_body": True},
    "model_kwargs": {"usage": {"include": True}, "transforms": ["middle-out"]},
}
STREAMS = ("stream", "astream")


@pytest.fixture
def server() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def model(server: Emulator, host: Any, **settings: Any) -> ChatKimi:
    """Return a model that sends requests to the emulator as if it was that host."""
    return ChatKimi(
        api_key=KEY, base_url=server.base_url, host=host, model="somebody/some-model", max_retries=0, **settings
    )


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("", "openrouter"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://EU.OpenRouter.ai/api/v1/", "openrouter"),
        ("https://openrouter.helicone.ai/api/v1", "openrouter"),
        ("https://gateway.example.com/v1/me/openrouter", "openrouter"),
        ("http://127.0.0.1:8080/api/v1", "openrouter"),
        ("https://api.moonshot.ai/v1", "moonshot"),
        ("https://api.moonshot.cn/v1/", "moonshot-cn"),
        ("http://localhost:8000/v1", "openai-compatible"),
        ("http://127.0.0.1:4000", "openai-compatible"),
        ("https://api.groq.com/openai/v1", "openai-compatible"),
    ],
)
def test_the_base_url_chooses_the_host(base_url: str, name: str) -> None:
    assert host_for(None, base_url).name == name


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_a_host_can_be_named(host: Host) -> None:
    assert host_for(host.name, "https://openrouter.ai/api/v1") is host
    assert host_for(host.name.upper(), "") is host
    assert host_for(host, "") is host
    assert host_for(host.to_dict(), "") == host
    assert hash(host) == hash(host_for(host.name, ""))


@pytest.mark.parametrize("host", ["nowhere", {"name": "x", "typo": 1}])
def test_unknown_hosts_are_refused(host: Any) -> None:
    with pytest.raises(ValidationError, match="host must be a Host"):
        ChatKimi(api_key=KEY, host=host)


def test_a_named_host_has_a_base_url() -> None:
    assert ChatKimi(host="vllm").openrouter_api_base == "http://localhost:8000/v1"
    assert ChatKimi(host="moonshot", api_key=KEY).openrouter_api_base == MOONSHOT.base_url


@pytest.mark.parametrize(("host", "variable"), [("openrouter", "OPENROUTER_API_KEY"), ("moonshot", "MOONSHOT_API_KEY")])
def test_a_host_has_its_own_key(monkeypatch: pytest.MonkeyPatch, host: str, variable: str) -> None:
    with pytest.raises(ValidationError, match=f"set {variable}"):
        ChatKimi(host=host)
    monkeypatch.setenv(variable, KEY)
    kimi = ChatKimi(host=host)
    assert resolve(kimi.openrouter_api_key, MOONSHOT) == KEY
    assert kimi.lc_secrets == {"openrouter_api_key": variable}


def test_the_key_of_openrouter_is_sent_to_no_other_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    assert "Authorization" not in ChatKimi(base_url="http://localhost:8000/v1").request_headers()
    monkeypatch.setenv("OPENROUTER_API_BASE", "http://localhost:8000/v1")
    assert resolve(ChatKimi().openrouter_api_key, OPENROUTER) == KEY


def test_a_local_server_needs_no_key(server: Emulator) -> None:
    kimi = ChatKimi(base_url=server.base_url, host="vllm", max_retries=0)
    with pytest.raises(KimiAuthenticationError):
        # The emulator is OpenRouter, which needs one.
        kimi.invoke("hi")
    assert "authorization" not in {name.lower() for name in server.requests[0].headers}


def test_attribution_is_for_openrouter(server: Emulator) -> None:
    for host in ("openrouter", "litellm"):
        model(server, host, app_title="Trips", app_url="https://example.com").invoke("hi")
    sent = [{name.lower() for name in request.headers} for request in server.requests]
    assert [{"http-referer", "x-openrouter-title"} <= names for names in sent] == [True, False]


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("host", ["moonshot", "vllm", "sglang", "llama.cpp", "litellm", "openai-compatible"])
async def test_fields_of_openrouter_are_sent_to_openrouter_only(server: Emulator, host: str, way: Way) -> None:
    await ask(model(server, host, temperature=0.5, **ROUTED), way)
    [body] = server.bodies
    assert not OPENROUTER_FIELDS & body.keys()
    assert body["temperature"] == 0.5


@pytest.mark.parametrize(("host", "name"), [(MOONSHOT, "kimi-k2.6"), (COMPATIBLE, "moonshotai/kimi-k2.6")])
def test_moonshot_names_models_without_an_author(host: Host, name: str) -> None:
    body = cast("WireBody", {"model": "moonshotai/kimi-k2.6", "messages": []})
    assert for_host(body, host, streamed=False, with_usage=False)["model"] == name


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("host", ["openrouter", "moonshot", "vllm"])
async def test_streams_and_only_streams_ask_for_their_usage(server: Emulator, host: str, way: Way) -> None:
    options = {"include_usage": True} if way in STREAMS else None
    await ask(model(server, host), way)
    await ask(model(server, host, stream_usage=False), way)
    await ask(model(server, host, stream_usage=False), way, stream_usage=True)
    await ask(model(server, host, stream_options={"include_usage": False, "x": 1}), way)
    own = {"include_usage": False, "x": 1} if way in STREAMS else None
    assert [body.get("stream_options") for body in server.bodies] == [options, None, options, own]


@pytest.mark.parametrize(
    ("reasoning", "moonshot", "other"),
    [
        (
            {"reasoning": {"enabled": False}},
            {"thinking": {"type": "disabled"}},
            {"chat_template_kwargs": {"thinking": False}},
        ),
        (
            {"reasoning_effort": "none"},
            {"thinking": {"type": "disabled"}},
            {"chat_template_kwargs": {"thinking": False}},
        ),
        (
            {"reasoning": {"enabled": True}},
            {"thinking": {"type": "enabled"}},
            {"chat_template_kwargs": {"thinking": True}},
        ),
        ({"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
        ({"reasoning_effort": "high"}, {"reasoning_effort": "high"}, {"reasoning_effort": "high"}),
        ({"reasoning": {"max_tokens": 100}}, {}, {}),
        (
            {"reasoning": {"enabled": False}, "chat_template_kwargs": {"thinking": True, "x": 1}},
            {"thinking": {"type": "disabled"}, "chat_template_kwargs": {"thinking": True, "x": 1}},
            {"chat_template_kwargs": {"thinking": True, "x": 1}},
        ),
    ],
)
def test_reasoning_is_switched_as_the_host_wants_it(
    reasoning: dict[str, Any], moonshot: dict[str, Any], other: dict[str, Any]
) -> None:
    for host, expected in ((MOONSHOT, moonshot), (COMPATIBLE, other)):
        body = cast("WireBody", {"model": "m", "messages": [], **reasoning})
        assert for_host(body, host, streamed=False, with_usage=True) == {"model": "m", "messages": [], **expected}


@pytest.mark.parametrize("own", ["mine", False, 0, {}])
def test_an_own_value_for_a_switch_is_sent(own: Any) -> None:
    host = replace(COMPATIBLE, reasoning_on={"enable_thinking": True})
    body = cast("WireBody", {"model": "m", "messages": [], "reasoning": {"enabled": True}, "enable_thinking": own})
    assert cast("Any", for_host(body, host, streamed=False, with_usage=False))["enable_thinking"] == own


def test_reasoning_of_earlier_turns_has_the_name_that_other_servers_read(server: Emulator) -> None:
    thought = {"reasoning_content": "Hm.", "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]}
    history = [
        HumanMessage("hi"),
        AIMessage("Hello.", additional_kwargs=thought),
        HumanMessage("and?"),
        AIMessage("Well.", additional_kwargs={"reasoning_details": thought["reasoning_details"]}),
        HumanMessage("go on"),
    ]
    model(server, "moonshot").invoke(history)
    first, second = (message for message in server.bodies[0]["messages"] if message["role"] == "assistant")
    assert first == {"role": "assistant", "content": "Hello.", "reasoning_content": "Hm."}
    assert second == {"role": "assistant", "content": "Well."}


def test_server_tools_of_openrouter_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    body = cast(
        "WireBody",
        {"model": "m", "messages": [], "tools": [tool, {"type": "openrouter:web_search"}], "provider": {"zdr": True}},
    )
    with caplog.at_level(logging.INFO, "langchain_kimi"):
        assert for_host(body, COMPATIBLE, streamed=False, with_usage=False)["tools"] == [tool]
    assert caplog.messages == ["openai-compatible does not understand provider: not sent."]
    assert for_host(body, OPENROUTER, streamed=False, with_usage=False) == body


def test_a_choice_among_server_tools_alone_is_left_out_with_them() -> None:
    tools = {"tools": [{"type": "openrouter:web_search"}], "tool_choice": "auto", "parallel_tool_calls": True}
    body = cast("WireBody", {"model": "m", "messages": [], **tools})
    assert for_host(body, COMPATIBLE, streamed=False, with_usage=False) == {"model": "m", "messages": []}


@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
def test_a_host_of_the_users_own(server: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    own = Host(name="mine", base_url=server.base_url, key_variable="MY_KEY", unsupported=frozenset({"seed"}))
    kimi = ChatKimi(host=own, seed=7, temperature=0)
    kimi.invoke("hi")
    assert "seed" not in server.bodies[0]
    loaded = load(dumpd(kimi), **load_arguments())
    assert loaded.host == own.to_dict()
    loaded.invoke("hi")
    assert server.bodies[0] == server.bodies[1]


def test_the_text_for_a_missing_key_names_its_variable() -> None:
    assert missing_key(MOONSHOT) == "There is no key for moonshot: pass api_key=... or set MOONSHOT_API_KEY."
    assert missing_key(Host(name="x", base_url="y")) == "There is no key for x: pass api_key=..."


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "é", "\0"])
def test_keys_that_no_header_can_hold(key: str) -> None:
    with pytest.raises(ValueError, match="api_key must be printable ASCII") as caught:
        check_key(key)
    assert key not in str(caught.value)
