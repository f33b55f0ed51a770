"""The certificates that a client trusts."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from ssl import CERT_NONE, SSLContext, create_default_context
from typing import Any, cast

import certifi
import pytest

from langchain_kimi._openrouter.http.clients import async_client_for, close, sync_client_for
from langchain_kimi._openrouter.http.connection import Connection
from langchain_kimi.errors import KimiUsageError


@pytest.fixture
def trusted() -> Iterator[Any]:
    """Return the TLS context of the sync client for a `verify` setting."""
    used: list[Connection] = []

    def of(*, verify: Any = True) -> SSLContext:
        used.append(Connection(verify=verify))
        with sync_client_for(used[-1]) as client:
            return context(client)

    yield of
    for each in used:
        close(each)


def context(client: Any) -> SSLContext:
    return cast("SSLContext", client._transport._pool._ssl_context)


async def acontext() -> SSLContext:
    async with async_client_for(Connection()) as client:
        return context(client)


def test_certificates_are_read_once(trusted: Any) -> None:
    first = trusted()
    close(Connection())
    assert trusted() is first
    assert asyncio.run(acontext()) is first


def test_a_users_own_ssl_context_is_used(trusted: Any) -> None:
    own = create_default_context()
    assert trusted(verify=own) is own


def test_verify_false_turns_verification_off(trusted: Any) -> None:
    assert trusted(verify=False).verify_mode == CERT_NONE


def test_a_file_and_a_directory_of_certificates(trusted: Any) -> None:
    file = Path(certifi.where())
    assert len(trusted(verify=str(file)).get_ca_certs()) > 10
    # OpenSSL reads certificates of a directory on demand.
    assert trusted(verify=str(file.parent)).get_ca_certs() == []


def test_unreadable_certificates_are_refused(trusted: Any) -> None:
    with pytest.raises(KimiUsageError, match="The certificates cannot be read"):
        trusted(verify=__file__)
