"""Read events that equal an earlier one outside of their delta, of which only the delta is parsed.

Nearly all events of a stream do. Measured on events of 300 bytes: 1.2 µs instead of 2.5 µs for finding, parsing and
checking an event with text, and `Assembly` skips the repeated fields, which saves 0.5 µs.
"""

import json
from typing import Any, Self, cast

from langchain_kimi._openrouter.json import JSON
from langchain_kimi._openrouter.limits import MAX_DEPTH
from langchain_kimi._openrouter.reply.chunks import has_content_in
from langchain_kimi._openrouter.reply.sse import CR, END, LF, PREFIX
from langchain_kimi._openrouter.wire import WireEvent

_KEY = b'"delta":'
_PROBE = b'{"probe":0}'
_DECODER = json.JSONDecoder()
_LONGEST = 4096
"""The maximum number of bytes of an event from which an envelope is made."""
_SCALARS = (str, int, float, bool, type(None))


class RepeatedEvent(dict[str, Any]):
    """An event with one choice whose fields equal those of an earlier event of the stream, except for its delta."""

    __slots__ = ()


class Envelope:
    """The bytes and the fields around the delta of an event.

    JSON has no context: if bytes are an object, they are the same object with another value after the bytes of this
    value are replaced by those of another one.
    """

    def __init__(self, begin: bytes, end: bytes, chunk: dict[str, Any]) -> None:
        self._begin, self._end = begin, end
        self._framed_begin, self._framed_end = PREFIX + begin, end + END
        self._fields = chunk
        self._choice: dict[str, Any] = chunk["choices"][0]
        # With these, a delta has as many brackets as `JSON.parse` accepts in the whole event.
        self._levels = MAX_DEPTH - sum(map((begin + end).count, (b"{", b"[")))

    @classmethod
    def of(cls, payload: bytes, chunk: dict[str, Any]) -> Self | None:
        """Return the envelope of an event with only content; None if there is no safe one.

        Args:
            payload: The payload of the event.
            chunk: The parsed payload.
        """
        choice = chunk["choices"][0]
        facts = [value for key, value in (*chunk.items(), *choice.items()) if key not in ("choices", "delta")]
        # All events with this envelope share its facts, so they must not be mutable.
        if len(payload) > _LONGEST or LF in payload or not all(type(value) in _SCALARS for value in facts):
            return None
        begin, key, rest = payload.partition(_KEY)
        text = rest.decode()
        delta = text.lstrip()
        try:
            _, length = _DECODER.raw_decode(delta)
        except ValueError:
            return None
        begin, end = begin + key, delta[length:].encode()
        same = {**chunk, "choices": [{**choice, "delta": {"probe": 0}}]}
        return cls(begin, end, chunk) if JSON.parse(begin + _PROBE + end) == same else None

    def of_piece(self, piece: bytes) -> WireEvent | None:
        """Return the event if a piece of the body is one event with only content and this envelope; otherwise None."""
        begin, end = self._framed_begin, self._framed_end
        if not (piece.startswith(begin) and piece.endswith(end)):
            return None
        delta = piece[len(begin) : -len(end)]
        return None if LF in delta or CR in delta else self._event(delta)

    def of_payload(self, payload: bytes) -> WireEvent | None:
        """Return the event of a payload if it has only content and this envelope; otherwise None."""
        begin, end = self._begin, self._end
        if not (payload.startswith(begin) and payload.endswith(end)):
            return None
        return self._event(payload[len(begin) : -len(end)])

    def _event(self, text: bytes) -> WireEvent | None:
        delta = JSON.parse(text, self._levels)
        if not (type(delta) is dict and has_content_in(delta)):
            return None
        event, choice = RepeatedEvent(self._fields), self._choice.copy()
        choice["delta"] = delta
        event["choices"] = [choice]
        return cast("WireEvent", event)
