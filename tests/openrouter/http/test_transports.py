"""The choice of a transport, and calls on each of them."""

import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.http.lean_client import AsyncLeanClient, LeanClient
from langchain_kimi._openrouter.http.transports import TRANSPORTS, async_client_class, sync_client_class
from langchain_kimi.errors import KimiUsageError
from langchain_kimi.testing import Emulator, Reply
from tests.conftest import KEY
from tests.faults.ways import WAYS, ask

OTHERS = [name for name in TRANSPORTS if name != "httpx"]


def kimi(**settings: Any) -> ChatKimi:
    return ChatKimi(**{"api_key": KEY, **settings})


@pytest.mark.parametrize("value", ["auto", "requests", None, 1])
def test_an_unknown_transport_is_an_error_that_names_the_known_ones(value: Any) -> None:
    with pytest.raises(KimiUsageError, match="transport must be one of 'httpx', 'httptools', 'aiohttp', not") as caught:
        kimi(transport=value)
    assert not isinstance(caught.value, ValidationError)


@pytest.mark.parametrize("name", OTHERS)
def test_a_transport_without_its_package_is_an_error_with_the_command(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(KimiUsageError, match=rf"pip install 'langchain-kimi-openrouter\[{name}\]'"):
        kimi(transport=name)
    # Copies are not checked when they are made.
    copy = kimi(max_connections=91).model_copy(update={"transport": name})
    with pytest.raises(KimiUsageError, match="pip install"):
        copy.invoke("Hello.")


@pytest.mark.parametrize("name", OTHERS)
async def test_a_transport_cannot_be_combined_with_a_users_own_client(name: str) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(KimiUsageError, match=f"transport='{name}' cannot be combined with http_async_client"):
            kimi(transport=name, http_async_client=client)
        assert kimi(transport="httpx", http_async_client=client).http_async_client is client
    with httpx.Client() as sync_client:
        if name == "aiohttp":
            # Sync calls use the client.
            assert kimi(transport=name, http_client=sync_client).http_client is sync_client
        else:
            with pytest.raises(KimiUsageError, match="cannot be combined with http_client"):
                kimi(transport=name, http_client=sync_client)


def test_an_assigned_transport_is_checked() -> None:
    model = kimi()
    with pytest.raises(ValueError, match="transport must be one of"):
        setattr(model, "transport", "auto")  # noqa: B010 - type checkers forbid the value
    model.transport = "httptools"
    assert model.transport == "httptools"


@pytest.mark.parametrize("kind_of", [sync_client_class, async_client_class])
def test_the_default_and_calls_through_a_proxy_use_httpx(kind_of: Callable[[str, str | None], Any]) -> None:
    lean = LeanClient if kind_of is sync_client_class else AsyncLeanClient
    assert kind_of("httpx", None) is lean
    for name in OTHERS:
        assert kind_of(name, "http://127.0.0.1:9") is lean
        assert (kind_of(name, None) is lean) is (name == "aiohttp" and kind_of is sync_client_class)


def test_the_packages_of_other_transports_are_not_required(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OTHERS:
        monkeypatch.setitem(sys.modules, name, None)
    assert kimi().transport == "httpx"


@pytest.mark.parametrize("way", WAYS)
def test_a_request_is_the_same_on_each_transport(way: str) -> None:
    with Emulator() as openrouter:
        openrouter.script(Reply(text="Grüezi 🧀 mitenand."), times=None)
        for name in TRANSPORTS:
            model = kimi(base_url=openrouter.base_url, transport=name, default_headers={"X-Own": "a  b"})
            outcome = ask(model, way)
            assert outcome.message is not None, outcome.error
            assert outcome.message.text == "Grüezi 🧀 mitenand."
            model.close()
        first, *others = openrouter.requests
        for other in others:
            assert other.headers == first.headers
            assert (other.method, other.path, other.body) == (first.method, first.path, first.body)
