"""A user's own HTTP clients: httpx, or its fork httpx2."""

import asyncio
from typing import Any

import pytest

from langchain_kimi.errors import (
    KimiConnectionError,
    KimiError,
    KimiIncompleteStreamError,
    KimiServerError,
    KimiTimeoutError,
    KimiUsageError,
)
from langchain_kimi.testing.http1 import Cut, Hang, Response
from tests.conftest import KEY
from tests.openrouter.events import WHOLE, event, text_event
from tests.openrouter.http.calling import Ask, Recorded, call, serving, streamed

LIBRARIES = ["httpx", "httpx2"]
"""httpx2 is only installed if another package requires it."""
GOOD = streamed(*WHOLE)
LIMITED = Response(429, {}, (b"slow down",))


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Any:
    return pytest.importorskip(request.param, reason=f"{request.param} is not installed")


CLIENT_ERRORS: list[tuple[str, type[KimiError], str]] = [
    ("ConnectTimeout", KimiTimeoutError, "No connection within 10 seconds (ConnectTimeout)"),
    ("PoolTimeout", KimiTimeoutError, "No connection within 10 seconds (PoolTimeout)"),
    ("WriteTimeout", KimiTimeoutError, "No content came for 5 seconds."),
    ("ReadTimeout", KimiTimeoutError, "No content came for 5 seconds."),
    ("ConnectError", KimiConnectionError, "No connection to host.example (ConnectError: refused)"),
    ("ProxyError", KimiConnectionError, "No connection to host.example (ProxyError: refused)"),
    ("ReadError", KimiConnectionError, "The connection to host.example broke before a reply came (ReadError: refused)"),
    ("RemoteProtocolError", KimiConnectionError, "The connection to host.example broke before a reply came"),
    ("InvalidURL", KimiUsageError, "The request cannot be sent (InvalidURL: refused)"),
    ("UnsupportedProtocol", KimiUsageError, "The request cannot be sent (UnsupportedProtocol: refused)"),
    ("LocalProtocolError", KimiUsageError, "The request cannot be sent (LocalProtocolError)"),
    ("StreamClosed", KimiConnectionError, "The connection to host.example broke before a reply came (StreamClosed"),
]


@pytest.mark.uncovered
@pytest.mark.parametrize(("name", "kind", "text"), CLIENT_ERRORS)
def test_exceptions_of_a_users_client_become_typed_errors(
    ask: Ask, library: Any, name: str, kind: type[KimiError], text: str
) -> None:
    problem = getattr(library, name)
    problem = problem() if name == "StreamClosed" else problem("refused")

    def fail(_: Any) -> None:
        raise problem

    connection = ask.own(library, transport=library.MockTransport(fail))
    [error] = ask(call("https://host.example", connection=connection, idle=5.0))
    assert type(error) is kind
    assert error.reason.startswith(text)
    assert error.__cause__ is problem
    assert "(connect" not in str(error)


def test_a_users_client_is_used_unchanged_and_never_closed(ask: Ask, library: Any) -> None:
    own = ask.own(library, headers={"X-Client": "mine"}, auth=("user", "password"), follow_redirects=True)
    with serving(GOOD, LIMITED, GOOD) as server:
        assert ask(*[call(server.url, connection=own, retries=1, clock=Recorded())] * 2) == ["Hello"] * 2
    assert ask.closed_after_calls == [False]
    assert [request.headers["x-client"] for request in server.requests] == ["mine"] * 3
    assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {KEY}"}


def test_a_users_client_obeys_the_total_timeout(ask: Ask, library: Any) -> None:
    own = ask.own(library)
    with serving(GOOD, streamed(Hang())) as server:
        text, error = ask(call(server.url, connection=own, total=60.0), call(server.url, connection=own, total=0.2))
    assert text == "Hello"
    assert type(error) is KimiTimeoutError
    assert "total" in error.reason


AFTER_CONTENT: dict[str, tuple[Any, type[KimiError]]] = {
    "an error event": (event({"error": {"message": "x"}}), KimiServerError),
    "a cut body": (Cut(reset=False), KimiIncompleteStreamError),
    "a reset": (Cut(), KimiIncompleteStreamError),
}


@pytest.mark.uncovered
@pytest.mark.parametrize(("after", "kind"), AFTER_CONTENT.values(), ids=AFTER_CONTENT.keys())
def test_failures_of_a_users_client_are_typed_errors(ask: Ask, library: Any, after: Any, kind: type[KimiError]) -> None:
    with serving(streamed(text_event("Hel"), after)) as server:
        shown, error = ask.shows(call(server.url, connection=ask.own(library)))
    assert (shown, type(error)) == (["Hel"], kind)


def test_a_closed_users_client_is_a_clear_error(ask: Ask, library: Any) -> None:
    own = ask.own(library)
    [client] = own.values()
    if ask.is_async:
        asyncio.run(client.aclose())
    else:
        client.close()
    [error] = ask(call("https://host.example", connection=own, retries=1, clock=Recorded()))
    assert type(error) is KimiUsageError
    assert "is closed" in error.reason
