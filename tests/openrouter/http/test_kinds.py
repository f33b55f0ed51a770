"""The classes of the package's own HTTP clients."""

from langchain_kimi._openrouter.http.kinds import async_kind, sync_kind
from langchain_kimi._openrouter.http.lean_client import AsyncLeanClient, LeanClient


def test_each_kind_of_call_has_a_client() -> None:
    assert sync_kind() is LeanClient
    assert async_kind() is AsyncLeanClient
