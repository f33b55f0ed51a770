"""Whose certificates a client trusts."""

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
    """The TLS context of the sync client that is lent for a setting."""
    lent: list[Connection] = []

    def of(*, verify: Any = True) -> SSLContext:
        lent.append(Connection(verify=verify))
        with sync_client_for(lent[-1]) as client:
            return context(client)

    yield of
    for each in lent:
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


def test_a_file_and_a_folder_of_certificates(trusted: Any) -> None:
    file = Path(certifi.where())
    assert len(trusted(verify=str(file)).get_ca_certs()) > 10
    # Those of a folder are read when they are asked for.
    assert trusted(verify=str(file.parent)).get_ca_certs() == []


def test_certificates_that_cannot_be_read(trusted: Any) -> None:
    with pytest.raises(KimiUsageError, match="The certificates cannot be read"):
        trusted(verify=__file__)
