"""Facts beside the answer, equal in all ways to call: the finish reason in LangChain's words, cache and router."""

import json
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask, events_of, reply

ROUTER = {"requested": "moonshotai/kimi-k2-0905", "strategy": "direct", "attempt": 1}
CALLS = [{"index": 0, "id": "f:0", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


@pytest.mark.parametrize("way", WAYS)
async def test_the_finish_reason_has_langchains_word(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    rows: list[tuple[dict[str, Any], str, str]] = [
        ({"content": "hi"}, "stop", "stop"),
        ({"content": None, "tool_calls": CALLS}, "tool_calls", "tool_call"),
        ({"content": "h"}, "length", "length"),
        ({"content": "", "refusal": "No."}, "stop", "refusal"),
    ]
    for message, finish, normalized in rows:
        openrouter.script(reply(way, message, finish))
        metadata = (await ask(model, way)).response_metadata
        assert (metadata["finish_reason"], metadata["normalized_finish_reason"]) == (finish, normalized)


@pytest.mark.parametrize("way", WAYS)
async def test_the_response_cache_and_the_router_are_on_the_message(
    openrouter: Emulator, model: ChatKimi, way: Way
) -> None:
    plain = reply(way, {"content": "hi"})
    cache = {"x-openrouter-cache-status": "HIT", "x-openrouter-cache-age": "12", "x-openrouter-cache-ttl": "300"}
    body = plain.body.replace(b'"object":', b'"openrouter_metadata": %b, "object":' % json.dumps(ROUTER).encode())
    openrouter.script(replace(plain, headers={**plain.headers, **cache}, body=body))
    metadata = (await ask(model, way)).response_metadata
    assert metadata["response_cache"] == {"status": "HIT", "age": 12, "ttl": 300}
    assert metadata["openrouter_metadata"] == ROUTER


# v3 events are in beta.
@pytest.mark.filterwarnings("ignore:.*is in beta:langchain_core._api.LangChainBetaWarning")
@pytest.mark.skipif(
    find_spec("langchain_core.language_models._finish_reason") is None, reason="langchain-core reads it since 1.8.4"
)
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_v3_events_end_with_langchains_word(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(reply(way, {"content": None, "tool_calls": CALLS}, "tool_calls"))
    events, _ = await events_of(model, way)
    assert events[-1]["normalized_finish_reason"] == "tool_call"
