"""The limits that all calls of a run share, in virtual time."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from langchain_kimi.bulk.rate_limiter import FIRST_LIMIT, Allowance, Limits, RateLimiter
from tests.bulk.virtual_time import now, run_in_virtual_time

Outcome = tuple[bool, float, float | None]
"""Whether a host answers, after how many seconds, and the wait that it names."""
Host = Callable[[float], Outcome]


@dataclass
class Played:
    requests: int
    seconds: float
    limiter: RateLimiter


def play(rows: int, host: Host, limits: Limits, at_once: int = 64) -> Played:
    """Ask a host for a number of rows, each until it answers."""

    async def ask(limiter: RateLimiter, slots: asyncio.Semaphore) -> int:
        requests = 0
        async with slots:
            while True:
                ticket = await limiter.enter()
                requests += 1
                ok, seconds, wait = host(now())
                await asyncio.sleep(seconds)
                if ok:
                    limiter.answered(ticket)
                    return requests
                limiter.refused(ticket, wait)

    async def all_rows() -> Played:
        limiter = RateLimiter(limits, now)
        slots = asyncio.Semaphore(at_once)
        requests = await asyncio.gather(*(ask(limiter, slots) for _ in range(rows)))
        return Played(sum(requests), now(), limiter)

    return run_in_virtual_time(all_rows())


def a_second(most: int, wait: float | None) -> Host:
    """Return a host that takes `most` requests in each second."""
    seconds: list[int] = []

    def host(when: float) -> Outcome:
        seconds.append(int(when))
        return (True, 0.05, None) if seconds.count(int(when)) <= most else (False, 0.005, wait)

    return host


def at_once(most: int) -> Host:
    """Return a host that takes `most` requests at once."""
    ends: list[float] = []

    def host(when: float) -> Outcome:
        ends[:] = [end for end in ends if end > when]
        if len(ends) >= most:
            return False, 0.005, None
        ends.append(when + 0.5)
        return True, 0.5, None

    return host


@pytest.mark.parametrize("wait", [1.0, None], ids=["with Retry-After", "without"])
def test_a_host_with_a_limit_per_second_refuses_few_requests(wait: float | None) -> None:
    played = play(300, a_second(20, wait), Limits(50), at_once=50)

    assert played.requests <= 1.1 * 300
    assert played.seconds <= 1.6 * 300 / 20


def test_a_host_with_a_limit_of_requests_at_once_refuses_few_of_them() -> None:
    played = play(1_000, at_once(10), Limits(64))

    assert played.requests <= 1.05 * 1_000
    assert played.seconds <= 2 * 1_000 / 20


def test_a_host_that_refuses_at_random_is_not_slowed_down_without_end() -> None:
    chance = random.Random(1)  # noqa: S311 - random numbers of a simulation
    played = play(2_000, lambda _: (False, 0.01, 0.0) if chance.random() < 1 / 3 else (True, 0.3, None), Limits(64))

    # 2,000 answers need 3,000 requests on average, and 16 at once would take 40 s without a limiter.
    assert played.requests < 3_150
    assert played.seconds < 600


def test_without_refusals_the_concurrency_grows_to_its_limit() -> None:
    played = play(2_000, lambda _: (True, 0.3, None), Limits(64))

    assert played.requests == 2_000
    assert played.limiter.limit == 64
    assert played.seconds < 2 * 2_000 / 64 * 0.3


def test_a_requested_wait_applies_to_all_calls() -> None:
    async def two_calls() -> float:
        limiter = RateLimiter(Limits(), now)
        first = await limiter.enter()
        limiter.refused(first, 7.0)
        await limiter.enter()
        return now()

    assert run_in_virtual_time(two_calls()) == 7


def test_pauses_without_a_named_wait_double_until_an_answer() -> None:
    async def pauses() -> list[float]:
        limiter = RateLimiter(Limits(), now)
        starts = []
        for _ in range(3):
            ticket = await limiter.enter()
            starts.append(now())
            limiter.refused(ticket, None)
        limiter.answered(await limiter.enter())
        ticket = await limiter.enter()
        limiter.refused(ticket, None)
        before = now()
        await limiter.enter()
        return [*starts, now() - before]

    first, second, third, after_answer = run_in_virtual_time(pauses())

    # Beside the pauses, the reduced rate of starts can delay an attempt.
    assert 0.5 <= second - first < 0.6
    assert 1.0 <= third - second < 1.3
    assert 0.5 <= after_answer < 1.6


def test_attempts_begin_in_the_order_in_which_they_came() -> None:
    async def order() -> list[int]:
        limiter = RateLimiter(Limits(max_concurrency=1), now)
        begun: list[int] = []

        async def one(number: int) -> None:
            ticket = await limiter.enter()
            begun.append(number)
            await asyncio.sleep(1)
            limiter.answered(ticket)

        await asyncio.gather(*(one(number) for number in range(10)))
        return begun

    assert run_in_virtual_time(order()) == list(range(10))


def test_an_attempt_that_the_caller_ended_gives_its_place_back_once() -> None:
    async def abandoned() -> int:
        limiter = RateLimiter(Limits(max_concurrency=1), now)
        ticket = await limiter.enter()
        limiter.abandoned(ticket)
        limiter.answered(ticket)
        limiter.refused(ticket, 5.0)
        await limiter.enter()
        return limiter.in_flight

    assert run_in_virtual_time(abandoned()) == 1


def test_a_waiting_attempt_can_be_cancelled() -> None:
    async def cancelled() -> float:
        limiter = RateLimiter(Limits(max_concurrency=1), now)
        ticket = await limiter.enter()
        waiting = asyncio.create_task(limiter.enter())
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        limiter.answered(ticket)
        await limiter.enter()
        return now()

    assert run_in_virtual_time(cancelled()) == 1


@pytest.mark.parametrize(
    ("limits", "tokens", "least"),
    [(Limits(requests_per_minute=60), 0, 99), (Limits(tokens_per_minute=6_000), 100, 99)],
    ids=["requests", "tokens"],
)
def test_limits_per_minute_hold(limits: Limits, tokens: int, least: float) -> None:
    async def hundred() -> float:
        limiter = RateLimiter(limits, now)
        for _ in range(101):
            limiter.answered(await limiter.enter(tokens))
        return now()

    assert least <= run_in_virtual_time(hundred()) <= least + 2


def test_an_amount_above_the_whole_allowance_waits_for_all_of_it() -> None:
    allowance = Allowance(60, 0.0)

    assert allowance.wait(1_000, 0.0) == 0
    allowance.take(1_000)
    assert allowance.wait(1, 0.0) == pytest.approx(1_000)
    assert Allowance(None, 0.0).wait(10**9, 0.0) == 0


def test_the_first_limit_is_not_above_that_of_the_user() -> None:
    assert RateLimiter(Limits(max_concurrency=3)).limit == 3
    assert RateLimiter(Limits()).limit == FIRST_LIMIT
