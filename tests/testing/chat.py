"""Sends requests to the emulator over HTTP and reads its replies."""

import json
from typing import Any

import httpx

DONE = "[DONE]"


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def tool(name: str, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": "", "parameters": parameters}}


def called(*calls: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    """Return an assistant message with calls, each given as id, name and arguments."""
    turn = [{"id": i, "type": "function", "function": {"name": n, "arguments": a}} for i, n, a in calls]
    return {"role": "assistant", "content": None, "tool_calls": turn, **more}


def result(call_id: str, content: str = "done") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def body(prompt: str = "Hello", /, **more: Any) -> dict[str, Any]:
    return {"model": "moonshotai/kimi-k2-0905", "messages": [user(prompt)], **more}


def post(client: httpx.Client, prompt: str = "Hello", /, **more: Any) -> httpx.Response:
    return client.post("/chat/completions", json=body(prompt, **more))


def reply(client: httpx.Client, prompt: str = "Hello", /, **more: Any) -> Any:
    """Return the body of a plain reply."""
    response = post(client, prompt, **more)
    assert response.status_code == 200, response.text
    return response.json()


def message(client: httpx.Client, prompt: str = "Hello", /, **more: Any) -> Any:
    return reply(client, prompt, **more)["choices"][0]["message"]


def arguments(client: httpx.Client, prompt: str, /, **more: Any) -> list[tuple[str, Any]]:
    """Return the names and parsed arguments of a plain reply's calls."""
    calls = message(client, prompt, **more).get("tool_calls") or []
    return [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]


def data(text: str) -> list[str]:
    """Return the data of a stream's events."""
    return [line.removeprefix("data: ") for line in text.split("\n\n") if line.startswith("data: ")]


def events(client: httpx.Client, prompt: str = "Hello", /, **more: Any) -> list[Any]:
    """Return the parsed events of a stream, which ends with `[DONE]`."""
    response = post(client, prompt, stream=True, **more)
    assert response.status_code == 200, response.text
    *sent, done = data(response.text)
    assert done == DONE
    return [json.loads(event) for event in sent]


def deltas(sent: list[Any]) -> list[Any]:
    return [choice["delta"] for event in sent for choice in event["choices"]]


def text(sent: list[Any]) -> str:
    return "".join(delta["content"] or "" for delta in deltas(sent))
