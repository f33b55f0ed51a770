import json
from typing import Any

import httpx
import pytest

from langchain_kimi.testing import Emulator
from tests.testing.chat import body, called, post, result, tool, user

THINKING = "moonshotai/kimi-k2.5"
CALLS = [user("Weather?"), called(("w:0", "weather", "{}")), result("w:0")]


def raw(response: httpx.Response) -> str:
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["message"] == "Provider returned error"
    return str(json.loads(error["metadata"]["raw"])["error"]["message"])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"hi"', b'{"model": "a/b"}', b'{"messages": "hi"}'])
def test_a_body_without_messages_is_rejected(client: httpx.Client, content: bytes) -> None:
    response = client.post("/chat/completions", content=content)
    assert response.status_code == 400
    assert response.json()["error"] == {"message": 'Input required: specify "prompt" or "messages"', "code": 400}


LATER = {"role": "system", "tools": [tool("weather")]}


@pytest.mark.parametrize(
    ("model", "later_tools", "message", "expected"),
    [
        ("moonshotai/kimi-k3", True, LATER, ""),
        ("moonshotai/kimi-k3", False, LATER, "tokenization failed"),
        (THINKING, True, LATER, "tokenization failed"),
        ("moonshotai/kimi-k3", True, {**LATER, "content": ""}, "must not have content"),
        ("moonshotai/kimi-k3", True, {**LATER, "tools": []}, "expected a list of tools"),
    ],
)
def test_only_some_models_take_later_tools(  # noqa: PLR0913, PLR0917 - parametrized values
    openrouter: Emulator,
    client: httpx.Client,
    model: str,
    later_tools: bool,  # noqa: FBT001 - a parametrized value
    message: Any,
    expected: str,
) -> None:
    openrouter.behave(later_tools=later_tools)
    response = post(client, model=model, messages=[user("Weather?"), message])
    assert response.status_code == (400 if expected else 200)
    assert expected in response.text


@pytest.mark.parametrize("reasoning", [{"reasoning": "Hm."}, {"reasoning_content": ""}, {"reasoning_details": []}])
def test_missing_reasoning_can_be_rejected(
    openrouter: Emulator, client: httpx.Client, reasoning: dict[str, Any]
) -> None:
    openrouter.behave(requires_reasoning=True)
    message = raw(post(client, model=THINKING, messages=CALLS))
    assert message.endswith("reasoning_content is missing in assistant tool call message at index 1")
    replayed = [CALLS[0], CALLS[1] | reasoning, CALLS[2]]
    assert post(client, model=THINKING, messages=replayed).status_code == 200
    assert post(client, model=THINKING, messages=CALLS, reasoning={"enabled": False}).status_code == 200
    assert post(client, messages=CALLS).status_code == 200


@pytest.mark.parametrize(
    ("choice", "kind"),
    [("required", "required"), ({"type": "function", "function": {"name": "weather"}}, "specified")],
)
def test_a_forced_tool_can_be_rejected(openrouter: Emulator, client: httpx.Client, choice: Any, kind: str) -> None:
    more = {"tools": [tool("weather")], "tool_choice": choice}
    assert post(client, model=THINKING, **more).status_code == 200
    openrouter.behave(refuses_forced_tool_choice=True)
    assert raw(post(client, model=THINKING, **more)) == f"tool_choice '{kind}' is incompatible with thinking enabled"
    assert post(client, model=THINKING, **more, reasoning={"effort": "none"}).status_code == 200
    assert post(client, model=THINKING, tools=[tool("weather")], tool_choice="auto").status_code == 200
    assert post(client, model="somebody/else", **more).status_code == 200


def test_only_kimi_models_have_these_restrictions(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.behave(moonshot_schemas=True)
    odd = tool("weather", city={"anyOf": [{"type": "string"}], "type": "string"})
    assert post(client, tools=[odd], model="somebody/else").status_code == 200
    assert "moonshot flavored json schema" in raw(post(client, tools=[odd]))
    assert client.post("/chat/completions", json=body()).status_code == 200
