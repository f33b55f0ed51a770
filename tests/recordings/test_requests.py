"""Every recorded request, through LangChain's messages and ChatKimi, is sent as it was recorded.

Not byte for byte: values that mean the same in a request are normalized first (`canonical`).
"""

import json
from typing import Any

import pytest

from langchain_kimi.chat_models import ChatKimi
from tests.recordings.conversation import messages_from, model_of
from tests.recordings.exchanges import EXCHANGES, Exchange, Reply, needs_recordings
from tests.recordings.replay import ReplayServer
from tests.rows import each_row

pytestmark = needs_recordings

ANSWER = Reply(
    status=200,
    headers={"content-type": "application/json"},
    body=json.dumps(
        {
            "id": "gen-1",
            "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}],
        }
    ).encode(),
)

OTHER_MESSAGES = {
    "160-fantasy-thinking-avian-kimi-thinking-streaming-1": "blanks beside calls, which other hosts refuse, stay here",
}
OTHER_SETTINGS: dict[str, str] = {}

OWN_BUSINESS = frozenset({"messages", "model", "stream", "stream_options"})
"""Keys of a body that are not settings of the caller."""


def cases(key: str, deviations: dict[str, str]) -> list[Any]:
    """Return the exchanges whose request has this key; an exchange with an excuse must fail, or lose its excuse."""
    return [
        pytest.param(
            exchange,
            id=exchange.name,
            marks=[pytest.mark.xfail(reason=deviations[exchange.name], strict=True)]
            if exchange.name in deviations
            else [],
        )
        for exchange in EXCHANGES
        if exchange.request.get(key)
    ]


@each_row("exchange", cases("messages", OTHER_MESSAGES))
def test_messages_are_sent_as_recorded(server: ReplayServer, exchange: Exchange) -> None:
    recorded = exchange.request["messages"]
    server.serve(ANSWER, "whole")
    model_for(server, exchange).invoke(messages_from(recorded))
    renamed = exchange.meta["is_kimi"]
    assert canonical(server.received[0]["messages"], renamed=renamed) == canonical(recorded, renamed=renamed)


@each_row("exchange", cases("model", OTHER_SETTINGS))
def test_settings_are_sent_as_recorded(server: ReplayServer, exchange: Exchange) -> None:
    recorded = {key: value for key, value in exchange.request.items() if key not in OWN_BUSINESS}
    if recorded.get("n") == 1:
        # One answer is what comes without asking.
        del recorded["n"]
    server.serve(ANSWER, "whole")
    model_for(server, exchange).invoke("Hello", **recorded)
    sent = {key: value for key, value in server.received[0].items() if key not in OWN_BUSINESS}
    assert sent == recorded


def model_for(server: ReplayServer, exchange: Exchange) -> ChatKimi:
    return ChatKimi(model=model_of(exchange), api_key="planted", base_url=server.url, max_retries=0)


def canonical(messages: list[dict[str, Any]], *, renamed: bool) -> list[dict[str, Any]]:
    """Return the messages with values normalized that mean the same in a request.

    Tool-call ids are rewritten for the models that stumble over foreign ones (`renamed`); what counts is then which
    result answers which call.
    """
    names: dict[str, str] = {}
    normalized = [_canonical(message, names if renamed else None) for message in messages]
    # Hosts refuse an assistant's turn with nothing in it.
    return [message for message in normalized if message != {"role": "assistant"}]


def _canonical(message: dict[str, Any], names: dict[str, str] | None) -> dict[str, Any]:
    fields = {key: value for key, value in message.items() if value not in (None, "", [])}
    if isinstance(fields.get("content"), list):
        fields["content"] = _content(fields["content"])
    if fields["role"] == "tool":
        # OpenRouter has no name for tool results and would put it in front of the text.
        fields.pop("name", None)
    if "tool_calls" in fields:
        fields["tool_calls"] = [_call(call, names) for call in fields["tool_calls"]]
    if "tool_call_id" in fields and names is not None:
        fields["tool_call_id"] = names.get(fields["tool_call_id"])
    return fields


def _content(parts: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Join texts into one, with line ends between them, unless a part has more than its text."""
    if any(part.keys() != {"type", "text"} for part in parts):
        return parts
    text: str = parts[0]["text"]
    for part in parts[1:]:
        touching = text[-1:].strip() and part["text"][:1].strip()
        text += ("\n" if touching else "") + part["text"]
    return text


def _call(call: dict[str, Any], names: dict[str, str] | None) -> dict[str, Any]:
    function = call["function"]
    name = call["id"] if names is None else names.setdefault(call["id"], f"call {len(names)}")
    return {"id": name, "name": function["name"], "arguments": json.loads(function["arguments"] or "{}")}
