"""Decode the bytes of server-sent events into their payloads."""

from langchain_kimi._openrouter.limits import MAX_EVENT_BYTES, too_large

COMMENT = b":"
FIELD = b"data"
PREFIX = b"data: "
END = b"\n\n"
LF, CR = b"\n\r"
"""Line ends as integers: `b"\\n" in text` takes 0.4 µs longer, because CPython tries to convert its left side first."""


class ErrorPayload(bytes):
    """The payload of an event named `error`. Some servers mark errors by this name instead of by a key."""


class EventDecoder:
    """Split a stream of bytes into the payloads of its events, regardless of how the bytes are split.

    Only `data` fields count, and the event name `error`, which makes the payload an `ErrorPayload`. Comments (such as
    `: OPENROUTER PROCESSING`, also between events), other names and other fields are ignored; a field `error` counts as
    the `data` of an error. Lines may end in LF, CRLF
    or CR. Several `data` lines of one event are joined by LF.
    """

    def __init__(self) -> None:
        self._tail: list[bytes] = []
        self._payload: list[bytes] = []
        self._payload_size = 0
        self._size = 0
        self._at_start = True
        self._is_error = False

    @property
    def has_part(self) -> bool:
        """Whether the last bytes were not the end of an event."""
        return bool(self._tail or self._payload)

    @property
    def is_inside_event(self) -> bool:
        """Whether the payload of an event has begun, and the event is not complete."""
        if self._payload:
            return True
        if len(self._tail) > 1 and len(self._tail[0]) <= len(FIELD):
            self._tail = [b"".join(self._tail)]
        return bool(self._tail) and self._tail[0].startswith(FIELD + b":")

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next bytes and return the payloads of the events that they complete.

        Raises:
            KimiReplyTooLargeError: An event is larger than `MAX_EVENT_BYTES`.
        """
        if self._is_one_event(piece):
            self._at_start = False
            return [piece[len(PREFIX) : -len(END)]]
        if LF not in piece and CR not in piece:
            self._tail.append(piece)
            self._size += len(piece)
            self._check_size()
            return []
        text = b"".join([*self._tail, piece]) if self._tail else piece
        return self._one_line_events(text) or self._lines(text)

    def _is_one_event(self, piece: bytes) -> bool:
        """Return whether a piece is one complete event of one line, as are most of a stream that arrives slowly."""
        return (
            piece.endswith(END)
            and piece.startswith(PREFIX)
            and piece.count(b"\n") == len(END)
            and not (self._tail or self._payload or CR in piece)
        )

    def _one_line_events(self, text: bytes) -> list[bytes] | None:
        """Return the payloads if every event consists of one line, as nearly all do; otherwise None."""
        if self._payload or self._is_error or CR in text:
            return None
        *events, rest = text.split(END)
        if LF in rest or not all(event.startswith(PREFIX) and LF not in event for event in events):
            return None
        self._at_start = False
        self._tail = [rest] if rest else []
        self._size = len(rest)
        return [event[len(PREFIX) :] for event in events]

    def _lines(self, text: bytes) -> list[bytes]:
        """Return the payloads of the events that a text completes, for events of any form."""
        last = b""
        if CR in text:
            # A CR at the end may be the first half of a CRLF.
            if text.endswith(b"\r"):
                text, last = text[:-1], b"\r"
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = text.split(b"\n")
        self._tail = [lines.pop() + last]
        events = self._events(lines)
        self._size = len(self._tail[0]) + self._payload_size
        self._check_size()
        return events

    def _check_size(self) -> None:
        if self._size > MAX_EVENT_BYTES:
            raise too_large("An event of the stream", MAX_EVENT_BYTES)

    def close(self) -> list[bytes]:
        """Take the end of the bytes and return the payload of an event whose closing blank line is missing."""
        rest = b"".join(self._tail).rstrip(b"\r")
        self._tail = []
        return self._events([*rest.replace(b"\r", b"\n").split(b"\n"), b""])

    def _events(self, lines: list[bytes]) -> list[bytes]:
        """Return the payloads of the events that complete lines end."""
        events = []
        for line in lines:
            if line:
                self._field(line)
            else:
                if self._payload:
                    events.append((ErrorPayload if self._is_error else bytes)(b"\n".join(self._payload)))
                self._payload, self._payload_size, self._is_error = [], 0, False
        return events

    def _field(self, line: bytes) -> None:
        """Read one line of an event."""
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.startswith(COMMENT):
            return
        name, _, value = line.partition(b":")
        if name == FIELD:
            self._payload.append(value.removeprefix(b" "))
            # The whole line counts, because even an empty one takes memory until the event is complete.
            self._payload_size += len(line) + 1
        elif name == b"event":
            self._is_error = value.strip() == b"error"
        elif name == b"error":
            # llama.cpp writes the name of the event in place of `data`.
            self._is_error = True
            self._payload.append(value)
            self._payload_size += len(line) + 1
