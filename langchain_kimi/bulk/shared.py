"""`Shared`: a small server for the workers of a run on a cluster."""

import asyncio
import secrets
import threading
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

from langchain_kimi.bulk.base_run import stopped
from langchain_kimi.bulk.frames import Address, Frames
from langchain_kimi.bulk.options import Options, checked_options
from langchain_kimi.bulk.state import Session, State
from langchain_kimi.bulk.summary import BulkSummary
from langchain_kimi.errors import KimiConnectionError, KimiUsageError


class Shared:
    """The output, the budget, the rate limits and the summary of a run with workers in other processes.

    ```python
    with bulk.Shared(out="orders.jsonl", max_cost=5) as shared:
        ...  # pass shared.address() to the workers, see `Worker`
    print(shared.summary())
    ```

    It is a server in a thread of this process, and also works as a Ray actor: `ray.remote(bulk.Shared).remote(...)`.
    Workers write no files: each result is sent here, and is finished when it is on disk. When a worker dies, its calls
    in progress count with their maximum cost, and another worker may send its unfinished rows.

    Args:
        out: The file of the results, see `arun`. Without a file, they are only kept until the end of the run.
        host: The address of this machine that the workers use. The default serves workers on this machine only.
        **options: See `Options`. `key` can only be the name of a column, and `config` belongs to the workers.

    Raises:
        KimiUsageError: An option is invalid.
        OSError: The server cannot listen at the host.
    """

    def __init__(self, out: str | Path | None = None, *, host: str = "127.0.0.1", **options: Unpack[Options]) -> None:
        lane = dict(options).get("lane", "calls")
        if callable(options.get("key")) or options.get("config") is not None or lane != "calls":
            raise KimiUsageError(
                "key must be the name of a column, and config and lane are not options of a run on a cluster.",
                advice="Bind the configuration to the runnable: runnable.with_config(...).",
            )
        self._state = State(None if out is None else Path(out), checked_options(options))
        self._secret = secrets.token_hex()
        self._host = host
        self._sessions: set[asyncio.Task[Any]] = set()
        started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="langchain-kimi-shared", daemon=True)
        self._thread.start()
        self._port, self._loop, self._closing = started.result()

    def address(self) -> Address:
        """Return where the workers find it."""
        return Address(self._host, self._port, self._secret)

    def summary(self) -> BulkSummary:
        """Return the sums so far."""
        return self._state.summary

    def close(self) -> BulkSummary:
        """End the run, and return its sums. Closing twice does nothing more.

        Raises:
            BulkStoppedError: The run ended early, see `arun`.
        """
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join()
        if self._state.stop is not None:
            raise stopped(self._state.stop, self._state.summary, self._state.unsaved)
        return self._state.summary

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, started: "Future[Any]") -> None:
        asyncio.run(self._main(started))

    async def _main(self, started: "Future[Any]") -> None:
        closing = asyncio.Event()
        try:
            server = await asyncio.start_server(self._serve, self._host, 0)
        except OSError as error:
            await self._state.close()
            started.set_exception(error)
            return
        started.set_result((server.sockets[0].getsockname()[1], asyncio.get_running_loop(), closing))
        await closing.wait()
        server.close()
        sessions = list(self._sessions)
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
        await self._state.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session: Any = asyncio.current_task()
        self._sessions.add(session)
        frames = Frames(reader, writer)
        try:
            if await frames.is_proven(self._secret):
                await Session(self._state, frames).serve((await frames.receive())["description"])
        except (KimiConnectionError, asyncio.CancelledError):
            # The worker has ended, or the run has.
            self._state.update()
        finally:
            self._sessions.discard(session)
            await frames.close()
