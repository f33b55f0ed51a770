import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from langchain_kimi.testing import Behavior, Emulator, RawReply, Reply, ToolCall, faults
from tests.conftest import KEY
from tests.testing.chat import DONE, body, data, events, message, post, reply, text


def test_a_plain_reply_has_the_fields_of_real_replies(openrouter: Emulator, client: httpx.Client) -> None:
    response = post(client)
    assert response.text.startswith("\n         \n")
    answer = response.json()
    assert answer["object"] == "chat.completion"
    assert answer["id"] == response.headers["x-generation-id"] == openrouter.requests[0].generation_id
    assert answer["provider"] == "Moonshot AI"
    assert answer["choices"][0]["finish_reason"] == answer["choices"][0]["native_finish_reason"] == "stop"
    assert answer["choices"][0]["message"]["content"]
    assert answer["usage"]["cost"] == answer["usage"]["cost_details"]["upstream_inference_cost"] > 0


def test_a_stream_has_the_fields_of_real_streams(client: httpx.Client) -> None:
    response = post(client, stream=True)
    assert response.headers["content-type"] == "text/event-stream"
    lines = [line for line in response.text.split("\n\n") if line]
    assert lines[0] == ": OPENROUTER PROCESSING"
    assert ": OPENROUTER PROCESSING" in lines[2:-3]
    assert data(response.text)[-1] == DONE
    sent = events(client)
    assert text(sent) == message(client)["content"]
    assert {choice["delta"]["role"] for event in sent for choice in event["choices"]} == {"assistant"}
    assert len({(event["id"], event["model"], event["provider"], event["created"]) for event in sent}) == 1
    assert [event["choices"][0]["finish_reason"] for event in sent[-3:]] == [None, "stop", "stop"]
    assert ["usage" in event for event in sent] == [False] * (len(sent) - 1) + [True]


async def test_async_clients_are_served(openrouter: Emulator) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=openrouter.base_url, headers=headers) as client:
        async with client.stream("POST", "/chat/completions", json=body(stream=True)) as response:
            lines = [line async for line in response.aiter_lines() if line]
        assert lines[-1] == f"data: {DONE}"
        assert (await client.post("/chat/completions", json=body())).status_code == 200


def test_the_script_is_followed_in_order_before_the_rules(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.script(Reply(text="one"), RawReply(body=b'{"raw": 1}'), faults.internal_error())
    openrouter.script(Reply(text="two"), times=2)
    assert message(client)["content"] == "one"
    assert post(client).json() == {"raw": 1}
    assert post(client).status_code == 500
    assert [message(client)["content"] for _ in range(2)] == ["two", "two"]
    assert "Hello" in message(client)["content"]


def test_parts_of_a_script_can_wait_for_their_requests(openrouter: Emulator, client: httpx.Client) -> None:
    def asks(word: str) -> Callable[[Any], bool]:
        return lambda body: word in body["messages"][-1]["content"]

    openrouter.script(Reply("tide 1"), Reply("tide 2"), when=asks("tide"))
    openrouter.script(Reply("quay"), times=2, when=asks("quay"))
    openrouter.script(Reply("other"))
    prompts = ["quay?", "tide?", "bread?", "tide?", "quay?"]
    assert [message(client, prompt)["content"] for prompt in prompts] == ["quay", "tide 1", "other", "tide 2", "quay"]
    assert message(client, "tide?")["content"].startswith("You said")


def test_an_endless_script_can_be_cleared(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.fail_next(faults.overloaded(), times=None)
    assert [post(client).status_code for _ in range(3)] == [529] * 3
    openrouter.clear()
    assert openrouter.requests == []
    assert post(client).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_a_scripted_reply_is_streamed_if_requested(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    call = ToolCall("add", {"a": 1}, id="mine")
    openrouter.script(Reply(text="Sure.", reasoning="Hm.", tool_calls=[call, {"name": "add", "arguments": '{"a": 2}'}]))
    if stream:
        sent = events(client)
        assert text(sent) == "Sure."
        pieces = [one for event in sent for c in event["choices"] for one in c["delta"].get("tool_calls", ())]
        assert [piece["id"] for piece in pieces if "id" in piece] == ["mine", "add:1"]
        assert "".join(p["function"]["arguments"] for p in pieces if p["index"] == 1) == '{"a": 2}'
    else:
        answer = message(client)
        assert (answer["content"], answer["reasoning"]) == ("Sure.", "Hm.")
        assert [one["function"]["arguments"] for one in answer["tool_calls"]] == ['{"a": 1}', '{"a": 2}']


def test_raw_replies_are_sent_byte_for_byte(openrouter: Emulator, client: httpx.Client) -> None:
    raw = RawReply(
        status=418,
        headers={"Content-Type": "text/x-odd", "Content-Length": "999", "X-Odd": "yes"},
        body="äöü: odd".encode(),
        pieces=[1, 4],
    )
    openrouter.script(raw)
    with client.stream("POST", "/chat/completions", json=body()) as response:
        pieces = list(response.iter_raw())
    assert response.status_code == 418
    assert (response.headers["content-type"], response.headers["x-odd"]) == ("text/x-odd", "yes")
    assert b"".join(pieces) == raw.body
    assert [len(piece) for piece in pieces] == [1, 4, 6]
    openrouter.script(RawReply(body=b"abc", pieces=[1], pause=0.001))
    assert post(client).content == b"abc"


def test_a_fault_can_have_its_own_reply(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.fail_next(faults.stream_ends().on(Reply(text="All of this, but no end")))
    response = post(client, stream=True)
    sent = [json.loads(event) for event in data(response.text)]
    assert text(sent) == "All of this, but no end"


def test_received_requests_are_recorded(openrouter: Emulator, client: httpx.Client) -> None:
    post(client, "Good day", temperature=0.5)
    (received,) = openrouter.requests
    assert received.wait()
    assert (received.method, received.path, received.status) == ("POST", "/api/v1/chat/completions", 200)
    assert received.body["temperature"] == 0.5
    assert openrouter.bodies == [received.body]
    assert b'"Good day"' in received.raw
    assert received.finished
    assert received.hung_up_at is None


def test_keys_can_be_compared_but_are_not_stored(openrouter: Emulator, client: httpx.Client) -> None:
    post(client)
    (received,) = openrouter.requests
    assert received.sent_key(KEY)
    assert not received.sent_key("another")
    assert KEY not in repr(received) + repr(vars(type(received))) + str(received.headers)
    assert not any(KEY in str(getattr(received, name)) for name in ("headers", "body", "raw", "_key"))


def test_a_closed_connection_is_recorded(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.fail_next(faults.silence("middle"))
    with client.stream("POST", "/chat/completions", json=body(stream=True)) as response:
        lines = response.iter_lines()
        assert next(line for line in lines if line.startswith("data: "))
        assert openrouter.open_connections == 1
    (received,) = openrouter.requests
    assert received.wait()
    assert not received.finished
    assert received.received_at < (received.hung_up_at or 0) <= time.monotonic()


def test_waiting_for_the_end_can_time_out(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.fail_next(faults.silence("headers"))
    with pytest.raises(httpx.ReadTimeout):
        client.post("/chat/completions", json=body(), timeout=0.05)
    openrouter.fail_next(faults.silence("first_event"))
    with client.stream("POST", "/chat/completions", json=body()):
        assert not openrouter.requests[1].wait(timeout=0)


def test_key_and_port_can_be_set() -> None:
    with Emulator(api_key="right") as first:
        port = httpx.URL(first.base_url).port
        assert _status(first, "right") == 200
        assert _status(first, "wrong") == 401
    with Emulator(port=port or 0, behavior=Behavior(provider="Groq")) as second:
        assert httpx.URL(second.base_url).port == port
        assert second.behavior.provider == "Groq"
        assert (second.open_connections, second.connections_opened) == (0, 0)


def _status(emulator: Emulator, key: str) -> int:
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(f"{emulator.base_url}/chat/completions", json=body(), headers=headers).status_code


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic abc"}, {"authorization": "Bearer"}])
def test_a_request_without_a_key_is_rejected(openrouter: Emulator, headers: dict[str, str]) -> None:
    response = httpx.post(f"{openrouter.base_url}/chat/completions", json=body(), headers=headers)
    assert response.status_code == 401
    assert response.json() == {"error": {"message": "Missing Authentication header", "code": 401}}


def test_an_unknown_key_is_rejected() -> None:
    with Emulator(api_key="right") as emulator:
        headers = {"authorization": "Bearer wrong"}
        response = httpx.post(f"{emulator.base_url}/chat/completions", json=body(), headers=headers)
    assert response.json()["error"] == {"message": "User not found.", "code": 401}


def test_behavior_changes_apply_to_the_next_request(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.behave(provider="Novita", comments=False)
    assert post(client).text.startswith('{"id":')
    assert reply(client)["provider"] == "Novita"
    with pytest.raises(TypeError):
        openrouter.behave(unheard_of=True)


def test_any_messages_are_answered_if_not_strict(openrouter: Emulator, client: httpx.Client) -> None:
    odd = body(temperature=99, messages=[{"role": "assistant", "content": ""}])
    assert client.post("/chat/completions", json=odd).status_code == 400
    openrouter.behave(strict=False)
    assert client.post("/chat/completions", json=odd).status_code == 200


@pytest.mark.parametrize(
    ("more", "model"),
    [
        ({"model": "moonshotai/kimi-k2.5"}, "moonshotai/kimi-k2.5-0127"),
        ({"model": "moonshotai/kimi-k2.5-0127"}, "moonshotai/kimi-k2.5-0127"),
        ({"model": "moonshotai/kimi-k2-0905:exacto"}, "moonshotai/kimi-k2-0905:exacto"),
        ({"model": "~moonshotai/kimi-latest"}, "moonshotai/kimi-k3-20260715"),
        ({"model": "openrouter/auto"}, "moonshotai/kimi-k2-0905"),
        ({"model": "@preset/mine"}, "moonshotai/kimi-k2-0905"),
        ({"model": "moonshotai/kimi-k2.5@preset/mine"}, "moonshotai/kimi-k2.5-0127"),
        ({"model": "somebody/model:free"}, "somebody/model:free"),
        ({"model": None, "models": ["moonshotai/kimi-k2.6"]}, "moonshotai/kimi-k2.6-20260420"),
        ({"model": None}, "moonshotai/kimi-k2-0905"),
    ],
)
def test_replies_have_the_dated_model_name(client: httpx.Client, more: dict[str, object], model: str) -> None:
    assert reply(client, **more)["model"] == model


def test_replies_can_have_the_requested_model_name(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.behave(canonical_model=False)
    assert reply(client, model="moonshotai/kimi-k2.5")["model"] == "moonshotai/kimi-k2.5"
