"""A real llama.cpp server answers a model, with a tiny random language model; run by `make test-servers`."""

from typing import Any

import pytest

from langchain_kimi import ChatKimi
from tests.chat.asking import WAYS, Way, ask


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reasoning", [None, {"enabled": False}, {"effort": "low"}])
async def test_a_server_without_a_key_answers_with_usage(llama_cpp: str, way: Way, reasoning: Any) -> None:
    model = ChatKimi(
        base_url=llama_cpp,
        max_tokens=8,
        seed=1,
        top_k=5,
        reasoning=reasoning,
        provider={"only": ["novita"]},
        models=["moonshotai/kimi-k2"],
        session_id="s",
        max_retries=0,
        retry_empty=0,
    )
    message = await ask(model, way)
    assert message.response_metadata["finish_reason"] in {"stop", "length"}
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_tokens"] > 0
    assert 0 < message.usage_metadata["output_tokens"] <= 8
