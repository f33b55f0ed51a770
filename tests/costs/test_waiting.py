"""The line in which calls wait: first come, first served."""

import asyncio
import threading

import pytest

from langchain_kimi._costs.waiting import Line


class Tokens:
    """A number of tokens, of which each call takes one."""

    def __init__(self, line: Line, left: int = 0) -> None:
        self.line = line
        self.left = left

    def take(self) -> bool:
        if not self.left:
            return False
        self.left -= 1
        return True

    def add(self) -> None:
        self.left += 1
        self.line.notify()


@pytest.fixture
def line() -> Line:
    return Line(is_shared=False)


def test_the_first_call_does_not_wait(line: Line) -> None:
    assert line.wait(Tokens(line, 1).take, None)
    assert line.is_empty


def test_threads_are_served_in_order(line: Line) -> None:
    tokens, served = Tokens(line), []

    def call(number: int) -> None:
        assert line.wait(tokens.take, None)
        served.append(number)
        tokens.add()

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=call, args=(number,)))
        threads[-1].start()
        while len(line._waiters) <= number:
            threading.Event().wait(0.001)
    tokens.add()
    for thread in threads:
        thread.join()
    assert (served, tokens.left) == ([0, 1, 2, 3, 4], 1)


async def test_tasks_are_served_in_order(line: Line) -> None:
    tokens, served = Tokens(line), []

    async def call(number: int) -> None:
        assert await line.wait_async(tokens.take, None)
        served.append(number)
        tokens.add()

    tasks = [asyncio.create_task(call(number)) for number in range(5)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tokens.add()
    await asyncio.wait(tasks)
    assert served == [1, 2, 3, 4]


async def test_a_wait_ends_when_its_time_is_over() -> None:
    times = iter([0.0, 1.0, 5.0, 0.0, 5.0])
    line = Line(is_shared=True, now=lambda: next(times))
    assert not line.wait(lambda: False, 1.001)
    assert not await line.wait_async(lambda: False, 1.0)
    assert line.is_empty


async def test_calls_of_other_processes_are_noticed_by_asking_again() -> None:
    line, answers = Line(is_shared=True), [True, False]
    assert line.wait(answers.pop, None)
    answers = [True, False]
    assert await line.wait_async(answers.pop, None)


def test_a_refusal_ends_the_wait(line: Line) -> None:
    def refuse() -> bool:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        line.wait(refuse, None)
    assert line.is_empty


def test_a_waiting_call_of_a_closed_loop_does_no_harm(line: Line) -> None:
    async def leave() -> None:
        task = asyncio.ensure_future(line.wait_async(lambda: False, None))
        await asyncio.sleep(0)
        waiting.append(task)

    waiting: list[asyncio.Task[bool]] = []
    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    loop.close()
    line.notify()
    assert not line.is_empty
    waiting[0]._log_destroy_pending = False  # type: ignore[attr-defined]  # the task is abandoned on purpose


def test_a_call_does_not_overtake_the_first_one(line: Line) -> None:
    with line._joined(lambda: None):
        assert not line.wait(lambda: True, 0.0)
    assert line.wait(lambda: True, 0.0)
