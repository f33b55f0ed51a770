import re
from typing import Any

import httpx
import pytest

from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.testing.chat import called, message, reply, result, tool, user

THINKING = "moonshotai/kimi-k2.5"
LONG = Reply(text="one two three four five six")
TWO = Reply(tool_calls=[ToolCall("add"), ToolCall("add")])


def ids(client: httpx.Client, **more: Any) -> list[str]:
    return [call["id"] for call in message(client, **more)["tool_calls"]]


def test_ids_look_real_and_differ(client: httpx.Client) -> None:
    first, second = (reply(client)["id"] for _ in range(2))
    assert re.fullmatch(r"gen-\d{10}-[A-Za-z0-9]{20}", first)
    assert first != second


@pytest.mark.parametrize(
    ("limit", "text"),
    [({"max_tokens": 3}, "one two three"), ({"max_completion_tokens": 2, "max_tokens": 9}, "one two")],
)
def test_the_token_limit_cuts_the_text(
    openrouter: Emulator, client: httpx.Client, limit: dict[str, int], text: str
) -> None:
    openrouter.script(LONG)
    answer = reply(client, **limit)
    assert answer["choices"][0]["message"]["content"] == text
    assert answer["choices"][0]["finish_reason"] == answer["choices"][0]["native_finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == len(text.split())


def test_reasoning_may_use_up_the_token_limit(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.script(Reply(text="one", reasoning="a b c d e f"))
    answer = reply(client, max_tokens=4)
    assert answer["choices"][0]["message"]["reasoning"] == "a b c d"
    assert answer["choices"][0]["message"]["content"] == ""
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] == 4


def test_the_token_limit_cuts_tool_arguments_and_drops_later_calls(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.script(Reply(tool_calls=[ToolCall("add", {"city": "Oslo"}), ToolCall("add")]))
    answer = reply(client, max_tokens=4)
    (call,) = answer["choices"][0]["message"]["tool_calls"]
    assert '{"city": "Oslo"}'.startswith(call["function"]["arguments"])
    assert answer["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("stop", "text"),
    [
        ("three", "one two "),
        (["six", " four"], "one two three"),
        ("absent", LONG.text),
        (None, LONG.text),
        ("", LONG.text),
    ],
)
def test_stop_sequences_end_the_text(openrouter: Emulator, client: httpx.Client, stop: Any, text: str) -> None:
    openrouter.script(LONG)
    answer = reply(client, stop=stop)["choices"][0]
    assert answer["message"]["content"] == text
    assert answer["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("style", "pattern"),
    [
        ("name:index", r"add:[01]"),
        ("functions.name:index", r"functions\.add:[01]"),
        ("call", r"call_[0-9a-f]{24}"),
        ("hex", r"[0-9a-f]{32}"),
        ("repeated", r"add:0"),
    ],
)
def test_call_ids_have_the_chosen_style(openrouter: Emulator, client: httpx.Client, style: str, pattern: str) -> None:
    openrouter.behave(call_ids=style)
    openrouter.script(TWO)
    call_ids = ids(client)
    assert all(re.fullmatch(pattern, call_id) for call_id in call_ids)
    assert len(set(call_ids)) == (1 if style == "repeated" else 2)


@pytest.mark.parametrize(
    ("numbering", "expected"), [("conversation", ["add:1", "add:2"]), ("turn", ["add:0", "add:1"])]
)
def test_call_numbers_follow_the_chosen_numbering(
    openrouter: Emulator, client: httpx.Client, numbering: str, expected: list[str]
) -> None:
    openrouter.behave(call_numbering=numbering)
    openrouter.script(TWO)
    assert ids(client, messages=[user("a"), called(("add:0", "add", "{}")), result("add:0")]) == expected


@pytest.mark.parametrize(
    ("more", "behavior", "thinks"),
    [
        ({}, None, False),
        ({"reasoning": {"enabled": True}}, None, False),
        ({"model": THINKING}, None, True),
        ({"model": THINKING, "reasoning": {"effort": "high"}}, None, True),
        ({"model": THINKING, "reasoning": {"enabled": False}}, None, False),
        ({"model": THINKING, "reasoning_effort": "none"}, None, False),
        ({"model": "moonshotai/kimi-k2-thinking", "reasoning": {"enabled": False}}, None, True),
        ({"model": THINKING}, False, False),
        ({}, True, True),
    ],
)
def test_models_reason_as_the_request_demands(
    openrouter: Emulator, client: httpx.Client, more: dict[str, Any], behavior: Any, *, thinks: bool
) -> None:
    openrouter.behave(reasoning=behavior)
    answer = reply(client, **more)
    message = answer["choices"][0]["message"]
    assert (message["reasoning"] is not None) is thinks
    assert ("reasoning_details" in message) is thinks
    assert (answer["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0) is thinks


@pytest.mark.parametrize("more", [{"reasoning": {"exclude": True}}, {"include_reasoning": False}])
def test_hidden_reasoning_is_charged(client: httpx.Client, more: dict[str, Any]) -> None:
    answer = reply(client, model=THINKING, **more)
    assert answer["choices"][0]["message"]["reasoning"] is None
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


def test_finish_reasons(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.script(TWO, Reply(text="No.", finish_reason="content_filter", native_finish_reason="SAFETY"))
    assert reply(client)["choices"][0]["finish_reason"] == "tool_calls"
    choice = reply(client)["choices"][0]
    assert (choice["finish_reason"], choice["native_finish_reason"]) == ("content_filter", "SAFETY")


@pytest.mark.parametrize(
    ("wishes", "provider"),
    [
        ({}, "Moonshot AI"),
        ({"order": ["unheard-of", "groq/fast", "novita"]}, "Groq"),
        ({"only": ["novita"]}, "Novita"),
        ({"ignore": ["moonshotai"]}, "Novita"),
    ],
)
def test_the_provider_follows_the_routing(client: httpx.Client, wishes: dict[str, Any], provider: str) -> None:
    assert reply(client, provider=wishes)["provider"] == provider


def test_a_repeated_prompt_is_cached(openrouter: Emulator, client: httpx.Client) -> None:
    more = {"messages": [user("a" * 400)], "tools": [tool("weather")]}
    first, second = (reply(client, **more)["usage"] for _ in range(2))
    assert first["prompt_tokens_details"]["cached_tokens"] == 0
    assert second["prompt_tokens_details"]["cached_tokens"] == second["prompt_tokens"] > 100
    assert second["cost"] < first["cost"]
    openrouter.behave(prompt_cache=False)
    assert reply(client, **more)["usage"]["prompt_tokens_details"]["cached_tokens"] == 0
