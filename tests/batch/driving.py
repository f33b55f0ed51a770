"""Batches of the emulator, sync or async, without real waits."""

from collections.abc import Iterable
from typing import Any

from langchain_kimi import ChatKimi, batch
from langchain_kimi._openrouter.http.calls import Clock
from langchain_kimi.batch import BatchHandle, BatchResult
from langchain_kimi.testing import Emulator

KEY = "planted-key-that-opens-nothing"


class Drive:
    """Calls the sync or the async version of everything, with a clock that counts the sleeps."""

    def __init__(self, *, is_async: bool) -> None:
        self.is_async = is_async
        self.slept: list[float] = []
        self.clock = Clock(monotonic=lambda: sum(self.slept), sleep=self.slept.append, async_sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def submit(self, runnable: Any, inputs: Iterable[Any], **options: Any) -> BatchHandle:
        """Submit a batch with `submit` or `asubmit`."""
        if self.is_async:
            return await batch.asubmit(runnable, inputs, **options)
        return batch.submit(runnable, inputs, **options)

    async def find(self, runnable: Any, inputs: Iterable[Any], **options: Any) -> BatchHandle | None:
        """Find a batch with `find` or `afind`."""
        if self.is_async:
            return await batch.afind(runnable, inputs, clock=self.clock, **options)
        return batch.find(runnable, inputs, clock=self.clock, **options)

    async def __call__(self, handle: BatchHandle, name: str, *arguments: Any, **keywords: Any) -> Any:
        """Call a method of a handle."""
        if name == "wait":
            keywords = {"clock": self.clock, **keywords}
        if self.is_async:
            return await getattr(handle, "wait_async" if name == "wait" else f"a{name}")(*arguments, **keywords)
        return getattr(handle, name)(*arguments, **keywords)

    async def results(self, handle: BatchHandle) -> list[BatchResult]:
        """Wait for the end of a batch, and return its results."""
        await self(handle, "wait")
        rows: list[BatchResult] = await self(handle, "results")
        return rows


def moonshot(openrouter: Emulator, **settings: Any) -> ChatKimi:
    """Return a model of the emulated API of Moonshot."""
    own = {"model": "moonshotai/kimi-k2.6", "max_retries": 0, **settings}
    return ChatKimi(api_key=KEY, base_url=openrouter.moonshot_url, host="moonshot", **own)
