from typing import Any

import pytest

from langchain_kimi.chat_models import ChatKimi
from tests.conftest import KEY

LANGSMITH: list[tuple[dict[str, Any], list[str] | None, dict[str, Any], dict[str, Any]]] = [
    # The model's settings, the stop argument, the call's arguments, and what LangSmith is told.
    ({}, None, {}, {}),
    ({"temperature": 0}, None, {}, {"ls_temperature": 0}),
    ({"temperature": 0.5}, None, {"temperature": 0.7}, {"ls_temperature": 0.7}),
    ({"temperature": 0.5}, None, {"temperature": None}, {}),
    ({"max_tokens": 5}, None, {}, {"ls_max_tokens": 5}),
    ({"max_completion_tokens": 5}, None, {}, {"ls_max_tokens": 5}),
    ({"max_tokens": 5}, None, {"max_tokens": 6}, {"ls_max_tokens": 6}),
    ({"max_tokens": 5}, None, {"max_completion_tokens": 6}, {"ls_max_tokens": 6}),
    ({"stop": "a"}, None, {}, {"ls_stop": ["a"]}),
    ({"stop": ["a"]}, ["b"], {}, {"ls_stop": ["b"]}),
    ({}, None, {"model": "moonshotai/kimi-k2.5"}, {"ls_model_name": "moonshotai/kimi-k2.5"}),
    ({}, None, {"model_name": "moonshotai/kimi-k2.5"}, {"ls_model_name": "moonshotai/kimi-k2.5"}),
    ({"model": "moonshotai/kimi-k3"}, None, {"model": None}, {"ls_model_name": "moonshotai/kimi-k3"}),
]


@pytest.mark.parametrize(("settings", "stop", "kwargs", "expected"), LANGSMITH)
def test_langsmith_gets_provider_model_and_settings(
    settings: Any, stop: Any, kwargs: Any, expected: dict[str, Any]
) -> None:
    usual = {"ls_provider": "openrouter", "ls_model_name": "moonshotai/kimi-k2-0905", "ls_model_type": "chat"}
    assert ChatKimi(api_key=KEY, **settings)._get_ls_params(stop=stop, **kwargs) == {**usual, **expected}
