"""A server of asyncio in a thread, with an event loop of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any


@contextmanager
def in_own_loop(serve: Callable[[Callable[[], None], asyncio.Event], Coroutine[Any, Any, None]]) -> Iterator[None]:
    """Run a server in a thread until the block ends.

    Args:
        serve: It calls its first argument when the server listens, and returns after the event.
    """
    listening: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def main() -> None:
        over = asyncio.Event()
        await serve(lambda: listening.set_result((asyncio.get_running_loop(), over)), over)

    thread = threading.Thread(target=asyncio.run, args=(main(),), daemon=True)
    thread.start()
    loop, over = listening.result()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
