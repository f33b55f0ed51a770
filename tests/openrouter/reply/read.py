"""Read a reply from bytes and collect the result."""

import json
from typing import Any, cast

from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.reply.stream import PlainReader, StreamReader
from langchain_kimi._openrouter.wire import WireEvent
from langchain_kimi.errors import KimiError

HEADERS = {"content-type": "text/event-stream", "x-generation-id": "gen-of-the-head"}
ERROR = {"code": 502, "message": "Upstream closed", "metadata": {"error_type": "provider_unavailable"}}


class Read:
    """The chunks that a reader made of a body, and the error that ended it."""

    def __init__(self, *pieces: bytes, kind: type[StreamReader | PlainReader] = StreamReader) -> None:
        self.reader = kind(ResponseHead(200, HEADERS, 1000.0), 120.0)
        self.chunks: list[WireEvent] = []
        self.error: KimiError | None = None
        self.closed = False
        try:
            for piece in pieces:
                self.chunks.extend(self.reader.feed(piece, 0.0))
            self.closed = True
            self.chunks.extend(self.reader.close())
        except KimiError as error:
            self.error = error

    @property
    def choices(self) -> list[Any]:
        return [cast("Any", choice) for chunk in self.chunks for choice in chunk.get("choices") or ()]

    @property
    def text(self) -> str:
        return "".join((choice.get("delta") or {}).get("content") or "" for choice in self.choices)

    def outcome(self) -> tuple[Any, ...]:
        return self.chunks, type(self.error), str(self.error)


def plain(body: Any) -> Read:
    return Read(body if isinstance(body, bytes) else json.dumps(body).encode(), kind=PlainReader)


class Waiting:
    """A reader, and the seconds that its idle timer has left after the last piece."""

    def __init__(self, kind: type[StreamReader | PlainReader], idle: float | None = 120.0) -> None:
        self.head = ResponseHead(200, HEADERS, 0.0)
        self.reader = kind(self.head, idle)

    def __call__(self, *waits: tuple[float, bytes]) -> float | None:
        for waited, piece in waits:
            list(self.reader.feed(piece, waited))
        return self.head.idle_timer.left
