"""LangChain's standard unit suite."""

import importlib
from typing import Any

import pytest
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_kimi import ChatKimi
from tests.conftest import KEY

CLASS = ("langchain_kimi", "chat_models", "ChatKimi")


@pytest.fixture(autouse=True)
def known_to_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the entry of langchain-core's list of packages that it can load.

    The suite loads with langchain-core's own allow-list alone, on which no third party's class stands; how users load
    a model is shown elsewhere.
    """
    load = importlib.import_module("langchain_core.load.load")
    monkeypatch.setitem(load.ALL_SERIALIZABLE_MAPPINGS, CLASS, CLASS)
    monkeypatch.setattr(load, "_default_class_paths_cache", {})


class TestKimiUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatKimi

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "moonshotai/kimi-k2-0905", "temperature": 0, "api_key": KEY}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        base_url = "https://eu.openrouter.ai/api/v1"
        return (
            {"OPENROUTER_API_KEY": KEY, "OPENROUTER_API_BASE": base_url},
            {"model": "moonshotai/kimi-k2-0905"},
            {"openrouter_api_key": KEY, "openrouter_api_base": base_url},
        )
