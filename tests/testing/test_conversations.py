import json
from typing import Any

import httpx
import pytest

from tests.testing.chat import called, post, result, tool, user

CALL = ("w:0", "weather", '{"city": "Oslo"}')
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
TEXT = {"type": "text", "text": "hi"}


def rejected(client: httpx.Client, *messages: Any, **more: Any) -> tuple[int, str]:
    """Return the status and the message of a rejection; the provider's own message if it rejected the request."""
    response = post(client, messages=list(messages), **more)
    error = response.json().get("error") or {"message": ""}
    raw = (error.get("metadata") or {}).get("raw")
    return response.status_code, json.loads(raw)["error"]["message"] if raw else error["message"]


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}, user("c"), user("d")],
        [{"role": "developer", "content": [TEXT]}, {"role": "user", "content": [TEXT], "name": "me"}],
        [user("a"), {"role": "assistant", "content": "b"}, user("c")],
        [user("a"), called(CALL), result("w:0")],
        [user("a"), called(CALL, content="I will."), result("w:0"), {"role": "assistant", "content": "b"}, user("c")],
        [user("a"), called(CALL, ("w:1", "weather", "{}")), result("w:1"), result("w:0")],
        [user("a"), called(CALL), result("w:0"), called(CALL), result("w:0")],
        [user("a"), called(CALL, reasoning="Hm.", reasoning_details=[{"type": "reasoning.text"}]), result("w:0")],
        [called(CALL), {"role": "tool", "tool_call_id": "w:0", "content": [TEXT]}],
        [user("a"), {"role": "assistant", "content": [TEXT], "tool_calls": []}, user("b")],
        [{"role": "user", "content": [TEXT, {"type": "file", "file": {"file_data": "data:application/pdf;base64,"}}]}],
    ],
)
def test_valid_requests_are_accepted(client: httpx.Client, messages: list[Any]) -> None:
    assert rejected(client, *messages, tools=[tool("weather")]) == (200, "")


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "at least 1 token"),
        ([{"role": "wizard", "content": "a"}], "messages.0.role"),
        (["hello"], "messages.0.role"),
        ([user("a"), {"role": "user"}], "messages.1.content: expected a string"),
        ([{"role": "user", "content": 3}], "expected a string"),
        ([{"role": "user", "content": ["hi"]}], "invalid part type None"),
        ([{"role": "user", "content": [{"type": "UNKNOWN"}]}], "invalid part type 'UNKNOWN'"),
        ([{"role": "system", "content": [PICTURE]}], "invalid part type 'image_url' in a system message"),
        ([{"role": "user", "content": [{"type": "text"}]}], "has no text"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": "data:"}]}], "has no image_url"),
        ([user("a"), {"role": "assistant", "content": ""}], "position 1 with role 'assistant' must not be empty"),
        ([user("a"), {"role": "assistant"}], "must not be empty"),
        ([user("a"), {"role": "assistant", "content": "b", "tool_calls": {"a": 1}}], "expected a list"),
        ([user("a"), {"role": "assistant", "tool_calls": ["b"]}], "expected function calls"),
        ([user("a"), {"role": "assistant", "tool_calls": [{"type": "function"}]}], "expected function calls"),
        (
            [{"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "b", "arguments": "{}"}}]}],
            "function calls",
        ),
        ([called((None, "b", "{}"))], "needs an id and a name"),  # type: ignore[arg-type] # an invalid request
        ([called(("a", "", "{}"))], "needs an id and a name"),
        ([called(("a", "b", {"c": 1}))], "expected the arguments to be a string"),  # type: ignore[arg-type] # an invalid request
        ([called(("a", "b", '{"c":'))], "function b are not a JSON object"),
        ([called(("a", "b", "[1]"))], "function b are not a JSON object"),
        ([called(CALL, reasoning=["a"])], "reasoning must be a string"),
        ([called(CALL, reasoning_details=["a"])], "reasoning must be a string"),
        ([called(CALL, reasoning_details="a")], "reasoning must be a string"),
        ([user("a"), called(CALL)], "must be followed by tool messages"),
        ([user("a"), called(CALL), user("b")], "did not have response messages: w:0"),
        ([user("a"), called(CALL, ("w:1", "weather", "{}")), result("w:0"), user("b")], "messages: w:1"),
        ([called(CALL, CALL), result("w:0")], "duplicated"),
        ([called(("", "b", "{}")), result("")], "tool_call_id  is not found"),
        ([user("a"), result("w:0")], "tool_call_id w:0 is not found"),
        ([called(CALL), result("w:0"), result("w:0")], "tool_call_id w:0 is not found"),
        ([called(CALL), {"role": "tool", "content": "a"}], "needs a tool_call_id"),
    ],
)
def test_invalid_requests_are_rejected(client: httpx.Client, messages: list[Any], words: str) -> None:
    status, text = rejected(client, *messages)
    assert status == 400
    assert words in text


@pytest.mark.parametrize(
    ("model", "part", "expected"),
    [
        ("moonshotai/kimi-k2-0905", PICTURE, (404, "No endpoints found that support image input")),
        ("moonshotai/kimi-k2.5", PICTURE, (200, "")),
        (
            "moonshotai/kimi-k2.5",
            {"type": "video_url", "video_url": {}},
            (404, "No endpoints found that support video input"),
        ),
        ("moonshotai/kimi-k3", {"type": "input_video", "video_url": {}}, (200, "")),
        (
            "moonshotai/kimi-k3",
            {"type": "input_audio", "input_audio": {}},
            (404, "No endpoints found that support input audio"),
        ),
        ("somebody/else", {"type": "input_audio", "input_audio": {}}, (200, "")),
    ],
)
def test_unsupported_modalities_are_rejected(
    client: httpx.Client, model: str, part: Any, expected: tuple[int, str]
) -> None:
    assert rejected(client, {"role": "user", "content": [TEXT, part]}, model=model) == expected
