"""Turns answers into HTTP responses, with the keep-alives, pauses and headers of the real service."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Self, TypeAlias

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing import payloads
from langchain_kimi.testing.answers import Answer
from langchain_kimi.testing.http1 import Pause, Response, Step
from langchain_kimi.testing.replies import RawReply, Reply

COMMENT = b": OPENROUTER PROCESSING\n\n"
DONE = b"data: [DONE]\n\n"
PADDING = b"\n         \n"

Item: TypeAlias = JSONObject | Step
"""A part of a reply: JSON that becomes an event or the body, or a step that is played unchanged."""

# A comment comes first, and another one after this many events.
_EVENTS_BEFORE_COMMENT = 3


# `json.dumps` would create an encoder for each event, because these are not its default settings.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def dump(value: Any) -> bytes:
    """Return a value as JSON without blanks, as the service writes it."""
    # A service writes half of a surrogate pair as its escape in JSON, and Python has the same spelling.
    return _ENCODER.encode(value).encode(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class OutgoingReply:
    """An answer that is about to be sent. Faults change how it is sent.

    Attributes:
        answer: The answer.
        stream: Whether it is streamed.
        requested: The model id in the request.
    """

    answer: Answer
    stream: bool
    requested: str

    def events(self) -> list[JSONObject]:
        """Return the stream's events, or a list of the plain body alone."""
        return payloads.stream_events(self.answer) if self.stream else [payloads.plain_body(self.answer)]

    def items(self) -> list[Item]:
        """Return all items: the events, and the `[DONE]` of a stream."""
        return [*self.events(), *self.ending()]

    def ending(self) -> list[Item]:
        """Return the items after the events."""
        return [DONE] if self.stream else []

    def respond(self, items: Sequence[Item], before: Sequence[Step] = ()) -> Response:
        """Return the response with these items, as a stream or a plain body, with keep-alives and pauses."""
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
    """A fault of a reply. The functions of `faults` create them.

    Attributes:
        name: A short description.
        play: Returns the faulty response for a reply.
        reply: The reply that fails. None: the one that the emulator generates.
    """

    name: str
    play: Callable[[OutgoingReply], Response]
    reply: Reply | None = None

    def on(self, reply: Reply) -> Self:
        """Return this fault for a certain reply, instead of one that the emulator generates."""
        return replace(self, reply=reply)


def body_of(outgoing: OutgoingReply) -> bytes:
    """Return the correct body of a reply: all events of the stream, or the plain reply."""
    encoded = [item if isinstance(item, bytes) else dump(item) for item in outgoing.items()]
    if not outgoing.stream:
        return b"".join(encoded)
    return b"".join(event if event == DONE else b"data: %b\n\n" % event for event in encoded)


def response_with(outgoing: OutgoingReply, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with the usual headers of a reply, and these, and a body of known length."""
    response = outgoing.respond([])
    return Response(response.status, {**response.headers, **(headers or {})}, (body,), chunked=False)


def exact_response(sent: bytes, last: Step) -> Response:
    """Return a response of exactly these bytes, head included, and a last step that ends the connection."""
    return Response(before=[sent, last])


COMMON_HEADERS: Mapping[str, str] = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "X-Generation-Id,X-Provider-Name,cf-ray",
    "server": "cloudflare",
    "x-content-type-options": "nosniff",
}


def json_response(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with JSON of known length, as errors and the smaller endpoints have it."""
    head = {**COMMON_HEADERS, "content-type": "application/json", **(headers or {})}
    return Response(status, head, (dump(body),), chunked=False)


def raw_response(raw: RawReply) -> Response:
    """Return the response for a raw reply, without its headers about framing, which the server adds."""
    framing = ("content-length", "transfer-encoding", "content-encoding", "connection")
    headers = {name: value for name, value in raw.headers.items() if name.lower() not in framing}
    ends = list(accumulate([*raw.pieces, len(raw.body)]))
    pieces = [raw.body[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    steps: list[Step] = [step for piece in pieces for step in (Pause(raw.pause), piece)] if raw.pause else [*pieces]
    return Response(raw.status, headers, steps, chunked=bool(raw.pieces))
