"""How the outcomes of a transport may differ from those of httpx, which the tables state.

`pytest --transport NAME` runs any test on a transport. llhttp, the parser of httptools and aiohttp, refuses more
replies than h11 does. aiohttp drops the head of a reply if a fault of the body arrives with it.
"""

from collections.abc import Mapping
from typing import Any

from langchain_kimi import ChatKimi

FAILS_TO_CONNECT = "KimiConnectionError"
AIOHTTP_REFUSES = frozenset({"chunk: rubbish after the last", "trailer: a length", "trailer: without end"})
"""Hostile replies that aiohttp refuses, because of what follows the body."""
AIOHTTP_CASES = frozenset({"a Content-Length that is too small", "a chunk without a length"})
"""Failures of the table whose fault arrives with the head."""


def transport_of(settings: Mapping[str, Any]) -> str:
    """Return the transport of a model with these settings."""
    name: str = settings.get("transport") or ChatKimi.model_fields["transport"].default
    return name


def may_be(name: str, client: str, transport: str) -> set[str]:
    """Return the other outcomes that a hostile reply may have on a transport.

    Args:
        name: The name of the reply.
        client: What a client should do: "answers", "fails", "either" or "stops".
        transport: The transport.
    """
    if transport == "httpx":
        return set()
    others = {"answer", FAILS_TO_CONNECT} if client == "either" else set()
    if transport == "aiohttp" and (client == "fails" or name in AIOHTTP_REFUSES):
        others.add(FAILS_TO_CONNECT)
    return others
