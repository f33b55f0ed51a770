"""A rate limiter without real waits."""

import asyncio

from langchain_kimi.bulk.rate_limiter import Limits, RateLimiter, Ticket


class FastLimiter(RateLimiter):
    """A limiter whose waits take no real time, and which records the tokens of the calls."""

    seconds = 0.0

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits, lambda: self.seconds, self._pass)
        self.tokens: list[float] = []

    async def _pass(self, event: asyncio.Event, seconds: float | None) -> None:
        if seconds is None:
            await event.wait()
        else:
            self.seconds += seconds

    async def enter(self, tokens: float = 0.0) -> Ticket:
        self.tokens.append(tokens)
        return await super().enter(tokens)
