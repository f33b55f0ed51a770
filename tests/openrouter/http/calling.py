"""Calls over real sockets, sync and async, so that each test is written once."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.messages import AIMessage

from langchain_kimi._openrouter.http import clients
from langchain_kimi._openrouter.http.calls import Call, Clock
from langchain_kimi._openrouter.http.connection import Connection, Timeout
from langchain_kimi._openrouter.http.transport import aexchange, exchange
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.reply.stream import PlainReader, StreamReader
from langchain_kimi._openrouter.retries import Retries
from langchain_kimi._openrouter.wire import WireEvent
from langchain_kimi.errors import KimiError
from langchain_kimi.testing.http1 import HttpRequest, Response, Step
from langchain_kimi.testing.server import LoopbackServer
from tests.conftest import KEY


class Text:
    """A reader that returns the pieces of text of a reply."""

    def __init__(self, opened: ResponseHead, kind: type[StreamReader | PlainReader], idle: float | None) -> None:
        self.opened = opened
        self.text = ""
        self.closing: list[str] = []
        self._wire = kind(opened, idle)

    @property
    def has_begun(self) -> bool:
        return self._wire.has_begun

    def feed(self, piece: bytes, waited: float) -> Iterator[str]:
        yield from self._texts(self._wire.feed(piece, waited))

    def close(self) -> Iterator[str]:
        yield from self._texts(self._wire.close())

    def explain(self, error: KimiError) -> list[str]:
        error.update(partial=AIMessage(self.text))
        return self.closing

    def _texts(self, chunks: Iterable[WireEvent]) -> Iterator[str]:
        for chunk in chunks:
            for choice in cast("Any", chunk).get("choices") or ():
                if text := (choice.get("delta") or choice.get("message") or {}).get("content"):
                    self.text += text
                    yield text


@dataclass
class Recorded:
    """A clock that only advances by sleeping, and records the sleeps."""

    slept: list[float] = field(default_factory=list)
    now: float = 5000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)

    @property
    def clock(self) -> Clock:
        return Clock(self.monotonic, lambda: 1_790_000_000.0, self.sleep, self.async_sleep)


class Server:
    """A server that answers with each response in turn, then repeats the last one, and records the requests."""

    def __init__(self, *answers: Response | Callable[[HttpRequest], Response]) -> None:
        self.answers = list(answers)
        self.requests: list[HttpRequest] = []
        self.loopback = LoopbackServer(self._answer)

    def _answer(self, request: HttpRequest) -> Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request) if callable(answer) else answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.loopback.port}/api/v1"

    async def settled(self) -> int:
        """Return the number of open connections after the server has had time to notice closed ones."""
        for _ in range(1000):
            if not self.loopback.open_connections:
                break
            await asyncio.sleep(0.01)
        return self.loopback.open_connections


@contextmanager
def serving(*answers: Response | Callable[[HttpRequest], Response]) -> Iterator[Server]:
    server = Server(*answers)
    try:
        yield server
    finally:
        server.loopback.close()


def streamed(*steps: Step, status: int = 200, **more: Any) -> Response:
    return Response(status, {"content-type": "text/event-stream", "x-generation-id": "gen-1"}, steps, **more)


def call(  # noqa: PLR0913 - each test sets only a few
    url: str,
    *,
    plain: bool = False,
    retries: Retries | int = 0,
    clock: Clock | Recorded | None = None,
    report: Any = None,
    headers: dict[str, str] | None = None,
    connection: dict[str, Any] | None = None,
    **timeout: float | None,
) -> Call[str]:
    """Return a call with these time limits. By default there are no limits."""
    limits = Timeout.of({"idle": None, **timeout})
    kind = PlainReader if plain else StreamReader
    return Call(
        connection=Connection(url, limits, **(connection or {})),
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", **(headers or {})},
        body=b'{"messages": []}',
        new_reader=lambda opened: Text(opened, kind, limits.idle),
        retries=retries if isinstance(retries, Retries) else Retries(retries),
        report=report,
        clock=clock.clock if isinstance(clock, Recorded) else clock or Clock(),
    )


class Ask:
    """Makes calls in turn on one loop, and returns the text of each reply or its error."""

    def __init__(self, *, is_async: bool) -> None:
        self.is_async = is_async
        self.own_clients: list[Any] = []
        self.closed_after_calls: list[bool] = []
        self.after_each: Callable[[str], object] = str

    def own(self, library: Any, **settings: Any) -> dict[str, Any]:
        """Return the setting for a user's own sync or async client, which is closed after the calls."""
        client = (library.AsyncClient if self.is_async else library.Client)(**settings)
        self.own_clients.append(client)
        return {"http_async_client" if self.is_async else "http_client": client}

    def __call__(self, *calls: Call[str]) -> list[Any]:
        return ["".join(shown) if error is None else error for shown, error in self._made(calls)]

    def shows(self, each: Call[str]) -> tuple[list[str], KimiError]:
        """Return the parts that were yielded and the error that followed."""
        [(shown, error)] = self._made((each,))
        assert error is not None, shown
        return shown, error

    def _made(self, calls: tuple[Call[str], ...]) -> list[tuple[list[str], KimiError | None]]:
        if self.is_async:
            return asyncio.run(self._async(calls))
        made = [self._one(each) for each in calls]
        self.closed_after_calls = [client.is_closed for client in self.own_clients]
        for client in self.own_clients:
            client.close()
        return made

    def _one(self, each: Call[str]) -> tuple[list[str], KimiError | None]:
        shown: list[str] = []
        try:
            for part in exchange(each):
                shown.append(part)
                self.after_each(part)
        except KimiError as error:
            return shown, error
        return shown, None

    async def _async(self, calls: tuple[Call[str], ...]) -> list[tuple[list[str], KimiError | None]]:
        made = [await self._aone(each) for each in calls]
        self.closed_after_calls = [client.is_closed for client in self.own_clients]
        for client in self.own_clients:
            await client.aclose()
        return made

    async def _aone(self, each: Call[str]) -> tuple[list[str], KimiError | None]:
        shown: list[str] = []
        try:
            async for part in aexchange(each):
                shown.append(part)
                self.after_each(part)
        except KimiError as error:
            return shown, error
        return shown, None


def forget_clients() -> None:
    """Close the sync clients that calls have left open."""
    clients.close(Connection())
