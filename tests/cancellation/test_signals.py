"""Signal handlers that raise at random moments of a sync call."""

import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, Reply, faults
from tests.cancellation.ways import OF_PYTHON, PROMPT, SYNC_WAYS, assert_clean_sync, model_for
from tests.waiting import blocking_until

WAYS = ("invoke", "stream", "chain", "batch")
SOME = 15
MANY = 1_000
# These tests must not be marked `covered`: a signal handler that raises within coverage's code leaves its lock locked.
pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system cannot signal a thread"),
    OF_PYTHON,
]


class StoppedError(Exception):
    """Raised by the signal handler."""


def send_signal() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)


def is_waiting() -> bool:
    """Return whether the main thread stays in the function that receives bytes.

    LangChain ignores what a signal handler raises in a callback, so a signal there would end nothing.
    """
    main = threading.main_thread().ident or 0
    for _ in range(30):
        code = sys._current_frames()[main].f_code
        if (code.co_name, Path(code.co_filename).parts[-3:-1]) != ("read", ("httpcore", "_backends")):
            return False
        time.sleep(0.001)
    return True


class Interruption:
    """Lets SIGUSR1 raise an exception, once."""

    def __init__(self, error: type[BaseException]) -> None:
        self._problem = error
        self._is_armed = False

    def handle(self, *_: object) -> None:
        if self._is_armed:
            self._is_armed = False
            raise self._problem

    def run(self, function: Callable[[], Any], seconds: float) -> bool:
        """Run a function, send the main thread a signal after some time, and return whether it ended the function."""
        return self._run(function, threading.Timer(seconds, send_signal))

    def run_until_it_waits(self, function: Callable[[], Any]) -> bool:
        """Run a function, and send the main thread a signal when it waits for a server."""

        def send() -> None:
            blocking_until(is_waiting)
            send_signal()

        return self._run(function, threading.Thread(target=send))

    def _run(self, function: Callable[[], Any], sender: threading.Thread) -> bool:
        self._is_armed = was_interrupted = True
        with suppress(self._problem):
            sender.start()
            function()
            was_interrupted = False
            self._is_armed = False
        sender.join()
        return was_interrupted


@contextmanager
def interrupting(error: type[BaseException]) -> Iterator[Interruption]:
    interruption = Interruption(error)
    before = signal.signal(signal.SIGUSR1, interruption.handle)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("count", [SOME, pytest.param(MANY, marks=pytest.mark.long)], ids=["some", "many"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, StoppedError])
@pytest.mark.parametrize("way", WAYS)
def test_a_signal_at_a_random_moment(way: str, error: type[BaseException], count: int) -> None:
    chance = random.Random(way)  # noqa: S311 - no secret
    with Emulator() as openrouter, model_for(openrouter) as model, interrupting(error) as signals:
        SYNC_WAYS[way](model)
        began = time.perf_counter()
        SYNC_WAYS[way](model)
        took = time.perf_counter() - began
        interrupted = 0
        for number in range(count):
            if number % 2:
                model.close()
            interrupted += signals.run(lambda: SYNC_WAYS[way](model), chance.uniform(0, took))
            assert_clean_sync(model, openrouter)
        while not interrupted:
            # On a busy machine, all calls may have ended before their signals came.
            took /= 2
            interrupted += signals.run(lambda: SYNC_WAYS[way](model), took)
            assert_clean_sync(model, openrouter)


@pytest.mark.parametrize("error", [KeyboardInterrupt, StoppedError])
@pytest.mark.parametrize("fault", [faults.silence(), faults.silence("middle")], ids=["no reply", "a stalled reply"])
@pytest.mark.parametrize("way", ["invoke", "stream", "chain"])
def test_a_signal_ends_a_stalled_call(way: str, fault: Any, error: type[BaseException]) -> None:
    with Emulator() as openrouter, model_for(openrouter) as model, interrupting(error) as signals:
        openrouter.fail_next(fault)
        assert signals.run_until_it_waits(lambda: SYNC_WAYS[way](model))
        assert_clean_sync(model, openrouter)


def test_a_signal_while_a_call_waits_for_a_connection() -> None:
    with (
        Emulator() as openrouter,
        model_for(openrouter, max_connections=1) as model,
        interrupting(KeyboardInterrupt) as signals,
    ):
        openrouter.behave(pause=0.01)
        openrouter.script(Reply(text="word " * 100))
        chunks: Any = model.stream(PROMPT)
        next(chunks)
        assert signals.run(lambda: model.invoke(PROMPT), 0.05)
        chunks.close()
        assert_clean_sync(model, openrouter)


def _batch(model: ChatKimi) -> None:
    model.batch([PROMPT] * 6, config={"max_concurrency": 2})


def test_a_batch_that_a_signal_ends_leaves_nothing() -> None:
    # Its threads end their current calls; the calls that have not begun are not made (as in langchain-core 1.7.2).
    with (
        Emulator() as openrouter,
        model_for(openrouter, streaming=True) as model,
        interrupting(KeyboardInterrupt) as signals,
    ):
        openrouter.behave(pause=0.005)
        openrouter.script(Reply(text="word " * 100), times=6)
        assert signals.run(lambda: _batch(model), 0.05)
        openrouter.clear()
        assert_clean_sync(model, openrouter)
