"""Server-sent events: bytes in, payloads out."""

from langchain_kimi._openrouter.limits import LARGEST_EVENT, too_large

COMMENT = b":"
FIELD = b"data"
PLAIN = b"data: "
END = b"\n\n"


class ErrorPayload(bytes):
    """The payload of an event that is named `error`, as some servers say what others say by the payload's own key."""


class EventDecoder:
    """Splits a stream of bytes into the payloads of its events, however the bytes are cut.

    On this wire only `data` fields matter, and the name `error`, which makes the payload an `ErrorPayload`; comments
    (`: OPENROUTER PROCESSING`, also between events), other names and other fields are passed over. Lines may end in LF,
    CRLF or CR; a payload of several `data` lines is joined by LF.
    """

    def __init__(self) -> None:
        self._tail: list[bytes] = []
        self._payload: list[bytes] = []
        self._size = 0
        self._at_start = True
        self._is_error = False

    @property
    def is_amid(self) -> bool:
        """Whether a payload has begun whose event is not whole yet."""
        if self._payload:
            return True
        if len(self._tail) > 1 and len(self._tail[0]) <= len(FIELD):
            self._tail = [b"".join(self._tail)]
        return bool(self._tail) and self._tail[0].startswith(FIELD + b":")

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next bytes; gives the payloads of the events that they complete.

        Raises:
            KimiReplyTooLargeError: an event goes on and on.
        """
        if self._is_one_event(piece):
            self._at_start = False
            return [piece[len(PLAIN) : -len(END)]]
        if b"\n" not in piece and b"\r" not in piece:
            self._tail.append(piece)
            self._size += len(piece)
            self._check_size()
            return []
        text = b"".join([*self._tail, piece]) if self._tail else piece
        return self._whole_events(text) or self._lines(text)

    def _is_one_event(self, piece: bytes) -> bool:
        """Say whether a piece is one whole event of one line, as most are that a model writes word by word."""
        return (
            piece.endswith(END)
            and piece.startswith(PLAIN)
            and piece.count(b"\n") == len(END)
            and not (self._tail or self._payload or b"\r" in piece)
        )

    def _whole_events(self, text: bytes) -> list[bytes] | None:
        """The payloads of a text as nearly all are: of events with one line each; None where a closer look is due."""
        if self._payload or self._is_error or b"\r" in text:
            return None
        *events, rest = text.split(END)
        if b"\n" in rest or not all(event.startswith(PLAIN) and b"\n" not in event for event in events):
            return None
        self._at_start = False
        self._tail = [rest] if rest else []
        self._size = len(rest)
        return [event[len(PLAIN) :] for event in events]

    def _lines(self, text: bytes) -> list[bytes]:
        held = b""
        if b"\r" in text:
            # A CR at the end may be the first half of a CRLF.
            if text.endswith(b"\r"):
                text, held = text[:-1], b"\r"
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = text.split(b"\n")
        self._tail = [lines.pop() + held]
        events = self._events(lines)
        self._size = len(self._tail[0]) + sum(map(len, self._payload))
        self._check_size()
        return events

    def _check_size(self) -> None:
        if self._size > LARGEST_EVENT:
            raise too_large("An event of the stream", LARGEST_EVENT)

    def close(self) -> list[bytes]:
        """Take the end of the bytes; gives the payload of an event whose closing blank line is missing."""
        rest = b"".join(self._tail).rstrip(b"\r")
        self._tail = []
        return self._events([*rest.replace(b"\r", b"\n").split(b"\n"), b""])

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events = []
        for line in lines:
            if line:
                self._field(line)
            else:
                if self._payload:
                    events.append((ErrorPayload if self._is_error else bytes)(b"\n".join(self._payload)))
                self._payload, self._is_error = [], False
        return events

    def _field(self, line: bytes) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.startswith(COMMENT):
            return
        name, _, value = line.partition(b":")
        if name == FIELD:
            self._payload.append(value.removeprefix(b" "))
        elif name == b"event":
            self._is_error = value.strip() == b"error"
