from typing import Any

import pytest

from langchain_kimi._openrouter.wire import is_complete, provider_slug
from langchain_kimi.testing.catalog import PROVIDERS


@pytest.mark.parametrize(("slug", "name"), PROVIDERS.items())
def test_the_slugs_of_kimi_providers(slug: str, name: str) -> None:
    assert provider_slug(name) == slug
    assert provider_slug(slug) == slug


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Google", "google-vertex"),
        ("Google AI Studio", "google-ai-studio"),
        ("Amazon Bedrock", "amazon-bedrock"),
        ("Z.AI", "z-ai"),
        ("Mancer 2", "mancer"),
        ("WandB", "wandb"),
        (" Brand New ", "brand-new"),
    ],
)
def test_the_slugs_of_other_providers(name: str, slug: str) -> None:
    assert provider_slug(name) == slug


@pytest.mark.parametrize(
    "reason",
    [
        *("stop", "tool_calls", "STOP", "eos", "<|im_end|>", "end_turn", "stop-sequence"),
        *("toolCalls", "ToolUse", "endTurn", "tool calls", "FINISH_REASON_STOP", "requires_action"),
    ],
)
def test_reasons_of_the_model_complete_a_response(reason: str) -> None:
    assert is_complete(reason)


@pytest.mark.parametrize("reason", [None, "", 5, [], "length", "error", "content_filter", "abort", "maxTokens", "new"])
def test_other_reasons_do_not_complete_a_response(reason: Any) -> None:
    assert not is_complete(reason)
