"""Plays every hostile connection in each of the four ways, and calls another server with another key after it."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi.errors import KimiConnectionError, KimiError, KimiIncompleteStreamError, KimiTimeoutError
from langchain_kimi.testing import Emulator, Reply
from langchain_kimi.testing.faults import CONNECTIONS, HostileConnection, listening
from langchain_kimi.testing.faults.hostile.connections import read_request
from langchain_kimi.testing.faults.hostile.entries import SMUGGLED
from tests.conftest import KEY
from tests.faults.relay import certificate
from tests.faults.test_hostile import LONG, OTHER_KEY, quick_way
from tests.faults.ways import WAYS, QuickKimi, ask, model_of
from tests.rows import each_row

SHORT = {"connect": 0.4, "idle": 0.4, "total": 1.0}
LARGE = "x" * 2**22
"""A prompt that no buffer of the system takes at once."""


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"))


def model_at(port: int, hostile: HostileConnection, verify: str | None, **settings: Any) -> QuickKimi:
    scheme = "http" if hostile.tls == "none" else "https"
    return QuickKimi(
        api_key=KEY,
        base_url=f"{scheme}://127.0.0.1:{port}/v1",
        max_retries=0,
        timeout=SHORT if hostile.client == "stops" else LONG,
        **({} if verify is None else {"verify": verify}),
        **settings,
    )


def connections() -> Iterator[Any]:
    for number, hostile in enumerate(CONNECTIONS.values()):
        for way in WAYS:
            marks = [] if way == quick_way(number) else [pytest.mark.long]
            yield pytest.param(hostile, way, id=f"{hostile.name}-{way}", marks=marks)


@pytest.mark.waits
@pytest.mark.covered
@each_row("hostile, way", connections())
def test_a_hostile_connection_affects_neither_its_own_call_nor_the_next(
    openrouter: Emulator, certified: tuple[Path, ssl.SSLContext], hostile: HostileConnection, way: str
) -> None:
    check_connection(openrouter, certified, hostile, way)


def check_connection(
    openrouter: Emulator,
    certified: tuple[Path, ssl.SSLContext],
    hostile: HostileConnection,
    way: str,
    **settings: Any,
) -> None:
    file, context = certified
    with listening(hostile, context if hostile.tls == "served" else None) as port:
        model = model_at(port, hostile, str(file) if hostile.tls == "served" else None, **settings)
        outcome = ask(model, way, LARGE if hostile.name.startswith(("never reads", "reads")) else "Hello.")
        model.close()
    check_outcome(hostile, outcome.message.text if outcome.message else "", outcome.error)
    openrouter.script(Reply(text="right"))
    after = ask(model_of(openrouter, api_key=OTHER_KEY, **settings), way)
    assert after.message is not None
    assert after.message.text == "right"
    assert openrouter.requests[-1].sent_key(OTHER_KEY)


def check_outcome(hostile: HostileConnection, text: str, error: Exception | None) -> None:
    if error is None:
        assert hostile.client in {"answers", "either"}
        # A reply before the request cannot be told from an early one.
        assert text == ("smuggled" if hostile.name == "replies before the request" else "one two")
        return
    assert hostile.client != "answers"
    assert isinstance(error, KimiError)
    assert str(error).isprintable()
    kinds = (KimiTimeoutError,) if hostile.client == "stops" else (KimiConnectionError, KimiIncompleteStreamError)
    assert isinstance(error, kinds) or error.status in {200, 302, 413, 500, 502}
    assert KEY not in str(error)


@pytest.mark.parametrize("way", WAYS)
def test_a_reply_on_an_idle_connection_is_not_the_answer_to_the_next_call(way: str) -> None:
    has_sent, played = threading.Event(), CONNECTIONS["a reply later"]

    def play(connection: Any, stop: threading.Event) -> None:
        if has_sent.is_set():
            played.play(connection, stop)
            return
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(FIRST) + FIRST)
        # The client has the answer before anything follows it.
        is_answered.wait()
        connection.sendall(SMUGGLED)
        has_sent.set()
        stop.wait()

    is_answered = threading.Event()
    hostile = HostileConnection("later", play, what="", client="answers")
    with listening(hostile) as port, model_at(port, hostile, None) as model, asyncio.Runner() as runner:
        outcomes = [ask(model, way, run=runner.run)]
        is_answered.set()
        assert has_sent.wait(30)
        outcomes.append(ask(model, way, run=runner.run))
        texts = [outcome.message.text for outcome in outcomes if outcome.message]
    assert texts == ["first", "one two"]


FIRST = b'{"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "first"}}]}'
