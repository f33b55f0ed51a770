"""The rules that `conftest.py` and `pyproject.toml` lay on every test, seen from inside a test."""

import os
import socket
from collections.abc import Iterator

import pytest
from pytest_socket import SocketConnectBlockedError

from tests.conftest import unwanted


def test_a_test_reaches_loopback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


# The address belongs to the block that is kept for documentation: nobody answers there.
@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_a_test_reaches_nothing_else() -> None:
    with pytest.raises(SocketConnectBlockedError), socket.socket() as outside:
        outside.connect(("192.0.2.1", 443))


@pytest.fixture(scope="module", autouse=True)
def developers_environment() -> Iterator[None]:
    """Set, before `plain_environment` runs, what a developer may have set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENROUTER_API_KEY", "a developer's own")
        patch.setenv("https_proxy", "http://127.0.0.1:9")
        yield


def test_a_test_sees_no_keys_and_no_proxies() -> None:
    assert unwanted(list(os.environ)) == []


def test_only_what_is_unwanted_goes() -> None:
    names = ["PATH", "OPENROUTER_API_KEY", "LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "all_proxy", "HOME"]
    assert unwanted(names) == ["OPENROUTER_API_KEY", "LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "all_proxy"]
