"""From an answer to the bytes on the wire, with the keep-alives, pauses and headers of the real service."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, TypeAlias

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing import writing
from langchain_kimi.testing.answers import Answer
from langchain_kimi.testing.http1 import Pause, Response, Step
from langchain_kimi.testing.replies import RawReply, Reply

COMMENT = b": OPENROUTER PROCESSING\n\n"
DONE = b"data: [DONE]\n\n"
PADDING = b"\n         \n"

Item: TypeAlias = JSONObject | Step
"""A piece of a reply: JSON that becomes an event or the body, or a step to be played as it is."""

# A comment comes first, and one more after so many events.
_EVENTS_BEFORE_COMMENT = 3


# `json.dumps` with other than its default settings would make an encoder for each event.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def dump(value: Any) -> bytes:
    """Write JSON as the service does, without blanks."""
    return _ENCODER.encode(value).encode()


@dataclass(frozen=True, slots=True)
class Serving:
    """An answer about to be sent; what a fault gets to spoil."""

    answer: Answer
    stream: bool
    requested: str
    """The model as it was asked for."""

    def events(self) -> list[JSONObject]:
        """List the stream's events, or the one plain body."""
        return writing.events(self.answer) if self.stream else [writing.plain(self.answer)]

    def items(self) -> list[Item]:
        """List all that is sent: the events, and a stream's `[DONE]`."""
        return [*self.events(), *self.ending()]

    def ending(self) -> list[Item]:
        """What comes after the events."""
        return [DONE] if self.stream else []

    def respond(self, items: Sequence[Item], before: Sequence[Step] = ()) -> Response:
        """Send these items, as a stream or a plain body, with keep-alives and pauses."""
        kind = "text/event-stream" if self.stream else "application/json"
        headers = {**COMMON_HEADERS, "content-type": kind, "x-generation-id": self.answer.generation_id}
        if self.stream:
            headers["cache-control"] = "no-cache"
        steps = tuple(self._stream_steps(items) if self.stream else self._plain_steps(items))
        return Response(200, headers, steps, before)

    def _stream_steps(self, items: Sequence[Item]) -> Iterable[Step]:
        behavior = self.answer.behavior
        if behavior.comments:
            yield COMMENT
        for position, item in enumerate(items):
            if not isinstance(item, dict):
                yield item
                continue
            if behavior.pause:
                yield Pause(behavior.pause)
            yield b"data: %b\n\n" % dump(item)
            if behavior.comments and position == _EVENTS_BEFORE_COMMENT:
                yield COMMENT

    def _plain_steps(self, items: Sequence[Item]) -> Iterable[Step]:
        behavior = self.answer.behavior
        if behavior.comments:
            yield PADDING * 2
        if behavior.pause:
            yield Pause(behavior.pause)
        for item in items:
            yield dump(item) if isinstance(item, dict) else item


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with a reply, made by a function of `faults`."""

    name: str
    play: Callable[[Serving], Response]
    reply: Reply | None = None

    def on(self, reply: Reply) -> "Fault":
        """Let it go wrong with this reply rather than with one that the emulator thinks up."""
        return replace(self, reply=reply)


def body_of(serving: Serving) -> bytes:
    """Write the body of an answer as it should be: all events of the stream, or the plain reply."""
    written = [item if isinstance(item, bytes) else dump(item) for item in serving.items()]
    if not serving.stream:
        return b"".join(written)
    return b"".join(event if event == DONE else b"data: %b\n\n" % event for event in written)


COMMON_HEADERS: Mapping[str, str] = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "X-Generation-Id,X-Provider-Name,cf-ray",
    "server": "cloudflare",
    "x-content-type-options": "nosniff",
}


def json_response(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Send JSON of known length, as errors and the smaller endpoints are sent."""
    head = {**COMMON_HEADERS, "content-type": "application/json", **(headers or {})}
    return Response(status, head, (dump(body),), chunked=False)


def raw_response(raw: RawReply) -> Response:
    """Send a raw reply; its headers about framing are replaced by this server's own."""
    framing = ("content-length", "transfer-encoding", "content-encoding", "connection")
    headers = {name: value for name, value in raw.headers.items() if name.lower() not in framing}
    ends = list(accumulate([*raw.pieces, len(raw.body)]))
    pieces = [raw.body[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    steps: list[Step] = [step for piece in pieces for step in (Pause(raw.pause), piece)] if raw.pause else [*pieces]
    return Response(raw.status, headers, steps, chunked=bool(raw.pieces))
