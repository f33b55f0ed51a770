"""The functions behind a call: the bodies before and after the repairs, and the settings of the token counts."""

import logging
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.prompt_values import StringPromptValue

from langchain_kimi import ChatKimi
from langchain_kimi._calls import bodies, counting, new_call
from langchain_kimi._openrouter.http.endpoint import HIDDEN
from langchain_kimi._structured.binding import ModelBinding
from langchain_kimi._tracing import RetryReport
from langchain_kimi.errors import KimiContextOverflowError, KimiUsageError
from langchain_kimi.testing import Emulator, Reply
from tests.chat.asking import WAYS, Way, ask
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
    call = new_call(model(), MESSAGES, arguments, RetryReport(None), key="k", streamed=True)
    assert (call.connection.timeout.idle, call.retries.max_retries, call.retries.max_empty) == (5, 7, 1)
    assert call.headers["x-mine"] == "1"
    assert b'"stream_options":{"include_usage":true}' in call.body
    with pytest.raises(KimiUsageError):
        new_call(model(), MESSAGES, {"max_retries": -1}, RetryReport(None), key="k", streamed=False)


def test_counts_use_the_settings() -> None:
    def encode(text: str) -> list[int]:
        return [len(text)]

    settings = model(base_url="https://api.moonshot.ai/v1", tokenizer_file="x", custom_get_token_ids=encode)
    assert (counting(settings).base_url, counting(settings).tokenizer_file) == ("https://api.moonshot.ai/v1", "x")
    assert counting(settings).encode is encode


def sent(openrouter: Emulator) -> dict[str, Any]:
    body: dict[str, Any] = openrouter.bodies[-1]
    return {name: value for name, value in body.items() if name not in {"messages", "stream", "stream_options"}}


@pytest.mark.parametrize("way", WAYS)
async def test_entries_of_extra_body_are_arguments(openrouter: Emulator, way: Way) -> None:
    kimi = ChatKimi(api_key=KEY, base_url=openrouter.base_url, temperature=0.5)
    extra = {"temperature": 1, "brand_new": {"a": 1}, "provider": {"only": ["moonshotai"]}}
    openrouter.script(Reply(text="ok"), times=2)
    with pytest.warns(UserWarning, match="extra_body is not needed"):
        await ask(kimi, way, extra_body=extra)
    assert sent(openrouter) == {"model": "moonshotai/kimi-k2-0905", **extra}
    await ask(kimi, way, extra_body=None)
    assert sent(openrouter) == {"model": "moonshotai/kimi-k2-0905", "temperature": 0.5}


@pytest.mark.parametrize("way", WAYS)
async def test_entries_of_model_kwargs_in_a_call_are_arguments(openrouter: Emulator, way: Way) -> None:
    kimi = ChatKimi(api_key=KEY, base_url=openrouter.base_url, temperature=0.5)
    with pytest.warns(UserWarning, match="model_kwargs is not needed"):
        await ask(kimi.bind(model_kwargs={"temperature": 1, "brand_new": 2}), way)
    assert sent(openrouter) == {"model": "moonshotai/kimi-k2-0905", "temperature": 1, "brand_new": 2}
    await ask(kimi.bind(model_kwargs=None), way)
    assert sent(openrouter) == {"model": "moonshotai/kimi-k2-0905", "temperature": 0.5}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("headers", [{b"x": b"y"}, {"x": 5}, {5: "x"}, {"x": None}, {"x": b"y"}, ["x"]])
async def test_headers_of_other_types_are_refused(openrouter: Emulator, way: Way, headers: Any) -> None:
    kimi = ChatKimi(api_key=KEY, base_url=openrouter.base_url)
    with pytest.raises(KimiUsageError, match="extra_headers must be a dict of strings"):
        await ask(kimi, way, extra_headers=headers)
    with pytest.raises(KimiUsageError, match="extra_headers must be a dict of strings"):
        kimi.request_headers(extra_headers=headers)
    assert openrouter.requests == []


@pytest.mark.parametrize("headers", [{None: "x"}, {"a b": "x"}, {"host": "x"}, {"x": "a\nb"}])
def test_headers_that_cannot_be_sent_are_refused(headers: Any) -> None:
    with pytest.raises(KimiUsageError, match=r"A header of extra_headers cannot be sent\. "):
        ChatKimi(api_key=KEY).request_headers(extra_headers=headers)


def test_extra_body_in_model_kwargs_is_taken_apart_too() -> None:
    with pytest.warns(UserWarning, match="extra_body is not needed"):
        kimi = ChatKimi(api_key="k", model_kwargs={"extra_body": {"new": 1, "temperature": 0.5}, "other": 2})
    sent = kimi.request_body("hi")
    assert (sent["new"], sent["other"], sent["temperature"], kimi.temperature) == (1, 2, 0.5, 0.5)
    assert "extra_body" not in sent
    with pytest.raises(ValueError, match="extra_body must be a dict"), pytest.warns(UserWarning, match="not needed"):
        ChatKimi(api_key="k", model_kwargs={"extra_body": "x"})


def test_extra_body_of_the_constructor_and_of_a_binding() -> None:
    with pytest.warns(UserWarning, match="extra_body is not needed"):
        kimi = ChatKimi(api_key=KEY, extra_body={"temperature": 1, "model_kwargs": {"brand_new": 2}})
    assert (kimi.temperature, kimi.model_kwargs) == (1, {"brand_new": 2})
    with pytest.warns(UserWarning, match="extra_body is not needed"):
        assert kimi.bind(extra_body={"seed": 3}).request_body("hi")["seed"] == 3


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"extra_body": 5}, "extra_body must be a dict, not int"),
        ({"extra_body": {"messages": []}}, "messages is not a parameter"),
        ({"model_kwargs": 5}, "model_kwargs must be a dict, not int"),
        ({"extra_body": {"seed": 1}, "seed": 2}, "seed: passed twice"),
        ({"extra_body": {"temperature": 5}}, "temperature: must be a number from 0 to 2"),
        ({"extra_query": {"a": 1}}, "extra_query is not a parameter"),
        ({"headers": {"X-Key": "a"}}, "headers is not a parameter. Pass them as extra_headers"),
        ({"proxy": "http://me:secret@proxy"}, "proxy is not a parameter. Pass it to the constructor"),
        ({"extra_body": {"verify": False}}, "verify is not a parameter. Pass it to the constructor"),
        ({"model": 5}, "model must be the slug of a model, got 5"),
        ({"model_name": ["a"]}, "model_name must be the slug of a model, got a list of 1"),
        ({"extra_body": {"model": 5}}, "model must be the slug"),
    ],
)
@pytest.mark.filterwarnings("ignore:.* is not needed")
async def test_arguments_that_cannot_be_sent(
    openrouter: Emulator, way: Way, arguments: dict[str, Any], error: str
) -> None:
    with pytest.raises(KimiUsageError, match=error):
        await ask(ChatKimi(api_key=KEY, base_url=openrouter.base_url), way, **arguments)
    assert openrouter.requests == []


@pytest.mark.parametrize("way", WAYS)
async def test_a_likely_typo_is_sent_with_a_warning(openrouter: Emulator, way: Way) -> None:
    openrouter.script(Reply(text="ok"), times=2)
    kimi = ChatKimi(api_key=KEY, base_url=openrouter.base_url)
    with pytest.warns(UserWarning, match="temprature is not a parameter .* did you mean temperature?"):
        await ask(kimi, way, temprature=1)
    assert sent(openrouter)["temprature"] == 1
    await ask(kimi, way, quite_different=1)


def test_the_body_of_a_call_can_be_seen(openrouter: Emulator) -> None:
    kimi = ChatKimi(api_key=KEY, base_url=openrouter.base_url, repairs="all", model="moonshotai/kimi-k2.6", seed=1)
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    bound = kimi.bind_tools(tools, tool_choice="any")
    assert isinstance(bound, ModelBinding)
    openrouter.script(Reply(text="ok"), times=2)
    bound.invoke("hi", stop=["a"], temperature=1)
    assert bound.request_body([("human", "hi")], stop=["a"], temperature=1) == openrouter.bodies[0]
    list(kimi.stream("hi"))
    assert kimi.request_body("hi", stream=True) == openrouter.bodies[1]


def test_the_headers_of_a_call_can_be_seen_without_secrets() -> None:
    kimi = ChatKimi(api_key=KEY, default_headers={"x-gateway": "secret"}, app_title="Trips")
    shown = kimi.request_headers(stream=True, extra_headers={"x-mine": "secret too"})
    assert shown["Authorization"] == shown["x-gateway"] == shown["x-mine"] == HIDDEN
    assert (shown["Accept"], shown["X-OpenRouter-Title"]) == ("text/event-stream", "Trips")
    assert "Authorization" not in ChatKimi(host="vllm").request_headers()


@pytest.mark.parametrize("way", WAYS)
async def test_bodies_are_logged_on_request(openrouter: Emulator, caplog: pytest.LogCaptureFixture, way: Way) -> None:
    for log_bodies in (False, True):
        kimi = ChatKimi(api_key=KEY, base_url=openrouter.base_url, log_bodies=log_bodies)
        with caplog.at_level(logging.DEBUG, "langchain_kimi"):
            await ask(kimi, way, "What is logged?")
        logged = [message for message in caplog.messages if "What is logged?" in message]
        assert len(logged) == int(log_bodies)
    assert logged[0].startswith(f"POST {openrouter.base_url}/chat/completions {{")
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "messages",
    ["hi", [("human", "hi")], [{"role": "user", "content": "hi"}], MESSAGES, StringPromptValue(text="hi"), ["hi"]],
    ids=repr,
)
def test_counts_and_estimates_accept_the_inputs_of_invoke(messages: Any) -> None:
    kimi = model()
    assert kimi.count_tokens(messages) == kimi.count_tokens(MESSAGES)
    assert kimi.estimate_cost(messages) == kimi.estimate_cost(MESSAGES)
    assert kimi.get_num_tokens_from_messages(messages) == kimi.get_num_tokens_from_messages(list(MESSAGES))


def test_system_messages_are_sent_in_their_place() -> None:
    messages = [HumanMessage("hi"), AIMessage("Hello."), SystemMessage("Be brief."), HumanMessage("Well?")]
    [_, body] = bodies(model(), messages, {}, None, streamed=False)
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "system", "user"]
