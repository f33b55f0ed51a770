from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration

from langchain_kimi import ChatKimi
from langchain_kimi._reply.cached import as_cached, copies
from langchain_kimi.callbacks import track_costs
from langchain_kimi.testing import Emulator, Reply
from tests.chat.asking import Way, ask
from tests.conftest import KEY

USAGE: Any = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}


def test_a_cached_answer_costs_nothing_and_says_so() -> None:
    wire = {"prompt_tokens": 1, "cost": 0.5, "cost_details": {"upstream_inference_cost": 0.5}}
    metadata = {
        "cost": 0.5,
        "cost_details": {"upstream_inference_cost": 0.5, "note": "x", "is_known": True},
        "token_usage": wire,
        "kimi": {"repairs": {"markup": 1}},
    }
    [generation] = stored = [ChatGeneration(message=AIMessage("hi", response_metadata=metadata, usage_metadata=USAGE))]
    [cached] = as_cached(stored)
    assert cached.message.response_metadata == {
        "cost": 0.0,
        "cost_details": {"upstream_inference_cost": 0.0, "note": "x", "is_known": True},
        "token_usage": {"prompt_tokens": 1, "cost": 0.0, "cost_details": {"upstream_inference_cost": 0.0}},
        "kimi": {"repairs": {"markup": 1}, "from_cache": True},
    }
    assert generation.message.response_metadata is not cached.message.response_metadata
    assert metadata["cost"] == 0.5
    assert copies(stored)[0] is not generation


@pytest.mark.parametrize("metadata", [{}, {"token_usage": None, "kimi": "odd"}])
def test_a_cached_answer_without_cost_is_marked(metadata: Any) -> None:
    [cached] = as_cached([ChatGeneration(message=AIMessage("hi", response_metadata=metadata))])
    assert cached.message.response_metadata["kimi"] == {"from_cache": True}
    human = ChatGeneration(message=HumanMessage("hi"))
    assert as_cached([human]) == [human]


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_ten_cached_answers_cost_as_much_as_one(openrouter: Emulator, way: Way) -> None:
    openrouter.script(Reply(text="Here."), times=None)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, cache=InMemoryCache())
    with track_costs() as costs:
        answers = [await ask(model, way) for _ in range(10)]
    first, *cached = answers
    assert first.response_metadata["cost"] > 0
    assert "kimi" not in first.response_metadata
    assert [answer.response_metadata["cost"] for answer in cached] == [0.0] * 9
    assert all(answer.response_metadata["kimi"]["from_cache"] for answer in cached)
    assert [answer.usage_metadata["input_tokens"] for answer in cached] == [first.usage_metadata["input_tokens"]] * 9
    assert costs.total.cost == pytest.approx(first.response_metadata["cost"])
