"""Plays every hostile reply in each of the four ways, and calls with another key after it."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi._openrouter.limits import MAX_REPLY_BYTES
from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, Reply
from langchain_kimi.testing.faults import HOSTILE, HostileFault
from tests.faults.cases import ANSWER
from tests.faults.deviations import may_be, transport_of
from tests.faults.hostile_outcomes import OUTCOMES, SLOWEST
from tests.faults.ways import WAYS, ask, model_of, streams
from tests.rows import each_row

OTHER_KEY = "sk-or-v1-" + "0dd0" * 8
SHORT = {"idle": 0.2, "total": 0.8}
LONG = {"idle": 300.0, "total": 600.0}
NEVER_ENDS = {"KimiTimeoutError", "KimiReplyTooLargeError"}
MOST_MEMORY = 3 * MAX_REPLY_BYTES
OF_THE_REPLY = frozenset({"interim: with a length", "events: choices of other indices"})
"""Replies whose own answer is the false one."""


def quick_way(number: int) -> str:
    """Return the way in which the tests that are not long play a reply. Replies of the same kind follow one another."""
    return [*WAYS][number % 4]


def cases() -> Iterator[Any]:
    for number, fault in enumerate(HOSTILE.values()):
        for way in WAYS:
            marks = [] if way == quick_way(number) and fault.name not in SLOWEST else [pytest.mark.long]
            yield pytest.param(fault, way, id=f"{fault.name}-{way}", marks=marks)


class Memory:
    """The peak of this process's memory, where the system can reset it."""

    def __init__(self) -> None:
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
            self._start: int | None = self._peak()
        except OSError:
            self._start = None

    def growth(self) -> int:
        """Return the bytes by which the peak grew, 0 if it is not known."""
        return self._peak() - self._start if self._start is not None else 0

    @staticmethod
    def _peak() -> int:
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
        assert peak
        return int(peak[1]) * 1024


@pytest.mark.waits
@each_row("fault, way", cases())
def test_a_hostile_reply_affects_neither_its_own_call_nor_the_next(
    openrouter: Emulator, fault: HostileFault, way: str
) -> None:
    check_fault(openrouter, fault, way)


def check_fault(openrouter: Emulator, fault: HostileFault, way: str, **settings: Any) -> None:
    memory = Memory()
    limits = SHORT if fault.client == "stops" else LONG
    model = model_of(openrouter, max_retries=0, timeout=limits, **settings)
    openrouter.clear()
    openrouter.script(fault.on(ANSWER))
    # On one event loop, the next call uses the same connections.
    with asyncio.Runner() as runner:
        outcome = ask(model, way, run=runner.run)
        more = may_be(fault.name, fault.client, transport_of(settings))
        check_outcome(fault, way, outcome.message.text if outcome.message else "", outcome.error, more)
        assert memory.growth() < MOST_MEMORY
        # Redirects and other services are not followed. A call with short limits may end before its request arrives.
        assert len(openrouter.requests) == 1 or fault.client == "stops"
        openrouter.clear()
        openrouter.script(Reply(text=f"The answer after {fault.name}."), times=None)
        after = ask(model_of(openrouter, api_key=OTHER_KEY, **settings), way, run=runner.run)
    assert after.error is None
    assert after.message is not None
    assert after.message.text == f"The answer after {fault.name}."
    sent = openrouter.requests[-1]
    assert sent.sent_key(OTHER_KEY)
    assert "cookie" not in sent.headers


def check_outcome(fault: HostileFault, way: str, text: str, error: Exception | None, more: set[str]) -> None:
    allowed = {*OUTCOMES[fault.name][streams(way)].split("|"), *more}
    if fault.client == "stops":
        allowed |= NEVER_ENDS
    assert error is None or isinstance(error, KimiError)
    assert (type(error).__name__ if error else "answer") in allowed
    if error is None:
        assert text
        assert fault.name in OF_THE_REPLY or not re.search("smuggled|evil", text)
    else:
        assert str(error).isprintable()
        assert len(str(error)) < 3000


def test_the_outcomes_are_the_correct_behavior_of_a_client() -> None:
    assert set(OUTCOMES) == set(HOSTILE)
    for name, fault in HOSTILE.items():
        for outcomes in OUTCOMES[name]:
            assert fault.client != "answers" or outcomes == "answer"
            assert fault.client != "fails" or "answer" not in outcomes.split("|")


def test_there_are_many_behaviors_with_a_description() -> None:
    assert len(HOSTILE) >= 240
    assert all(fault.what.endswith(".") for fault in HOSTILE.values())
