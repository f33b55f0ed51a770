"""Tests of the restrictions that `conftest.py` and `pyproject.toml` put on all tests."""

import os
import socket
from collections.abc import Iterator

import pytest
from pytest_socket import SocketConnectBlockedError

from tests.conftest import unwanted


def test_loopback_connections_are_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


# The address belongs to the block reserved for documentation.
@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_other_connections_are_blocked() -> None:
    with pytest.raises(SocketConnectBlockedError), socket.socket() as outside:
        outside.connect(("192.0.2.1", 443))


@pytest.fixture(scope="module", autouse=True)
def developers_environment() -> Iterator[None]:
    """Set variables that a developer may have set, before `plain_environment` runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENROUTER_API_KEY", "a developer's own")
        patch.setenv("https_proxy", "http://127.0.0.1:9")
        yield


def test_keys_and_proxies_are_removed_from_the_environment() -> None:
    assert unwanted(list(os.environ)) == []


def test_other_variables_stay() -> None:
    names = ["PATH", "OPENROUTER_API_KEY", "LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "all_proxy", "HOME"]
    assert unwanted(names) == ["OPENROUTER_API_KEY", "LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "all_proxy"]
