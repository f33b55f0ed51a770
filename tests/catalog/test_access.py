from typing import Any

import pytest

from langchain_kimi import Catalog, ChatKimi
from langchain_kimi.catalog.access import access_of
from langchain_kimi.catalog.operations import Get
from langchain_kimi.errors import KimiUsageError


@pytest.mark.parametrize("arguments", [{"timeout": 60_000}, {"max_retries": -1}])
def test_invalid_settings_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(KimiUsageError):
        Catalog("key", **arguments)


def test_an_invalid_address_is_refused() -> None:
    with pytest.raises(ValueError, match="base_url"):
        Catalog("key", base_url="openrouter.ai")


def test_a_model_gives_its_own_settings() -> None:
    model = ChatKimi(api_key="a-key-that-opens-nothing", timeout=7, proxy="http://127.0.0.1:3128", max_retries=5)
    access = access_of(model)
    assert (access.connection.timeout.idle, access.connection.proxy) == (7, "http://127.0.0.1:3128")
    assert access.retries.max_retries == 5
    assert "nothing" not in repr(access)


def test_a_call_without_a_query_has_none_in_its_url() -> None:
    access = access_of(ChatKimi(api_key="a-key", base_url="https://openrouter.ai/api/v1/"))
    assert access.call(Get("/key"), "a-key").url == "https://openrouter.ai/api/v1/key"
    assert access.call(Get("/models", {"q": "a b"}), "").url == "https://openrouter.ai/api/v1/models?q=a+b"
