from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from langchain_kimi import AsyncCatalog, Catalog, ChatKimi
from langchain_kimi.catalog.access import access_of
from langchain_kimi.catalog.operations import Get
from langchain_kimi.errors import KimiUsageError
from langchain_kimi.testing import Emulator
from tests.conftest import KEY


@pytest.mark.parametrize(
    "arguments",
    [{"timeout": 60_000}, {"max_retries": -1}, {"proxy": "ftp://x"}, {"default_headers": {"a b": "c"}}],
)
def test_invalid_settings_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(KimiUsageError):
        Catalog("key", **arguments)


def test_an_invalid_address_is_refused() -> None:
    with pytest.raises(KimiUsageError, match="base_url must be an http or https URL"):
        Catalog("key", base_url="openrouter.ai")


PLAIN = "http://gateway.example/v1"


@pytest.mark.parametrize("kind", [Catalog, AsyncCatalog, ChatKimi])
@pytest.mark.parametrize("secrets", [{"api_key": KEY}, {"api_key": lambda: KEY}, {"default_headers": {"X-Key": "x"}}])
def test_secrets_are_not_sent_unencrypted_to_another_machine(kind: Any, secrets: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"plain http on another machine.*pass allow_insecure_http=True"):
        kind(base_url=PLAIN, **secrets)
    assert kind(base_url=PLAIN, allow_insecure_http=True, **secrets)
    assert kind(base_url="http://127.0.0.1:1/v1", **secrets)


def test_the_error_names_the_variable_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Catalog(base_url=PLAIN)
    monkeypatch.setenv("OPENROUTER_API_BASE", PLAIN)
    with pytest.raises(KimiUsageError, match=r"^The environment variable OPENROUTER_API_BASE is plain http"):
        Catalog(KEY)


@pytest.mark.parametrize("key", [5, b"key", ["key"]])
def test_a_key_of_another_type_is_refused(key: Any) -> None:
    with pytest.raises(KimiUsageError, match="api_key must be a text, a SecretStr, or a function, not "):
        Catalog(key)


async def returned() -> str:
    return KEY


KEYS = (KEY, f" {KEY}\n", f"\ufeff{KEY}", SecretStr(KEY), lambda: KEY)


@pytest.mark.uncovered
@pytest.mark.parametrize("key", KEYS, ids=["text", "white space", "byte order mark", "secret", "function"])
async def test_a_key_in_every_form(key: Any) -> None:
    with Emulator(api_key=KEY) as server, httpx.Client() as client:
        places: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
            ((key,), {}), ((client, key), {}), ((key, client), {}), ((), {"api_key": key, "http_client": client}),
        ]  # fmt: skip
        for positional, named in places:
            assert Catalog(*positional, base_url=server.base_url, **named).key().is_free_tier is False
        async with httpx.AsyncClient() as async_client:
            for one in (key, returned):
                assert (await AsyncCatalog(async_client, one, base_url=server.base_url).key()).is_free_tier is False


def test_a_key_that_is_passed_twice_is_refused() -> None:
    with pytest.raises(KimiUsageError, match="api_key is passed twice"):
        Catalog(KEY, api_key=KEY)


def test_the_address_and_the_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(api_key=KEY) as server:
        monkeypatch.setenv("OPENROUTER_API_BASE", f" {server.base_url}\n")
        monkeypatch.setenv("OPENROUTER_API_KEY", f"{KEY}\r\n")
        for base_url in (None, ""):
            assert Catalog(base_url=base_url).key().is_free_tier is False
    monkeypatch.setenv("OPENROUTER_API_BASE", "nowhere")
    with pytest.raises(KimiUsageError, match="The environment variable OPENROUTER_API_BASE must be an http"):
        Catalog(KEY)


def test_a_model_gives_its_own_settings() -> None:
    model = ChatKimi(api_key="a-key-that-opens-nothing", timeout=7, proxy="http://127.0.0.1:3128", max_retries=5)
    access = access_of(model)
    assert (access.connection.timeout.idle, access.connection.proxy) == (7, "http://127.0.0.1:3128")
    assert access.retries.max_retries == 5
    assert "nothing" not in repr(access)


def test_the_url_of_a_call_without_a_query_has_no_query() -> None:
    access = access_of(ChatKimi(api_key="a-key", base_url="https://openrouter.ai/api/v1/"))
    assert access.call(Get("/key"), "a-key").url == "https://openrouter.ai/api/v1/key"
    assert access.call(Get("/models", {"q": "a b"}), "").url == "https://openrouter.ai/api/v1/models?q=a+b"
