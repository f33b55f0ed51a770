"""The package's own HTTP clients, as the transport recognizes them."""

import httpx

from langchain_kimi._openrouter.http.lean_client import AsyncLeanClient, LeanClient
from langchain_kimi._openrouter.http.shared import is_shared


def test_the_packages_own_clients_are_shared() -> None:
    for kind in (LeanClient, AsyncLeanClient):
        client = kind(tls=None, proxy=None)
        assert is_shared(client)
        client.close()


def test_the_users_clients_are_not_shared() -> None:
    with httpx.Client() as client:
        assert not is_shared(client)
    assert not is_shared(None)
