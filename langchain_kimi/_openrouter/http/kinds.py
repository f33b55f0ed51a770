"""The classes of the package's own HTTP clients, which are imported when they are needed."""

from collections.abc import Callable
from typing import Any


def sync_kind() -> Callable[..., Any]:
    """Return the class of the sync clients. The first call imports httpcore."""
    from langchain_kimi._openrouter.http.lean_client import LeanClient  # noqa: PLC0415 - imported when needed

    return LeanClient


def async_kind() -> Callable[..., Any]:
    """Return the class of the async clients; see `sync_kind`."""
    from langchain_kimi._openrouter.http.lean_client import AsyncLeanClient  # noqa: PLC0415 - imported when needed

    return AsyncLeanClient
