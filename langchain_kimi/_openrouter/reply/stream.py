"""Readers for streamed and plain replies: they take bytes and yield wire events, or raise if a reply is incomplete."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, cast

from langchain_kimi._openrouter.errors import error_from_reply, find_error, malformed
from langchain_kimi._openrouter.json import JSON, LENIENT_DECODER
from langchain_kimi._openrouter.limits import is_too_deep
from langchain_kimi._openrouter.reply.bodies import (
    INVALID_CHOICE,
    NO_CHOICES,
    CommentFilter,
    read_body,
    size_with,
    truncated_reply,
    without_comments,
)
from langchain_kimi._openrouter.reply.chunks import (
    as_chunk,
    as_error_chunk,
    choices_of,
    has_content,
    holds_only_content,
    is_every_choice,
    numbered,
    without_finish,
    without_list,
)
from langchain_kimi._openrouter.reply.envelopes import Envelope
from langchain_kimi._openrouter.reply.reading import IdleTimer, ResponseHead
from langchain_kimi._openrouter.reply.sse import ErrorPayload, EventDecoder
from langchain_kimi._openrouter.wire import JSONObject, WireChoice, WireEvent
from langchain_kimi._patterns import lazy_pattern
from langchain_kimi.errors import KimiError, KimiIncompleteStreamError, KimiMalformedReplyError, RawReply

DONE = b"[DONE]"
BEGIN_OF_EVENTS = lazy_pattern(rb"(\xef\xbb\xbf)?(data|event|id|retry|error)[:\r\n]")
"""The beginning of a stream of events, after any comments."""
LONGEST_BEGIN = 9
"""The maximum number of bytes that `BEGIN_OF_EVENTS` matches."""

BLANKS = re.compile(r"\s*")

MAX_ENVELOPES = 3
"""The number of envelopes in a row that no event repeats, after which no further ones are tried."""

AFTER_DONE = 0.25
"""Seconds to wait for the end of the body after `[DONE]`. It is in the next packet, and without it the connection could
not be used again."""
AFTER_ERROR = 1.0
"""Seconds to wait for further events after an error. Recorded: the usage of the failed call in an event of its own."""
AFTER_FINISH = 10.0
"""Seconds to wait for further events after the finish reason, such as the usage."""


class StreamReader:
    """Reads one streamed reply: takes bytes in pieces of any size, and yields chunks as soon as they are complete.

    An error event is raised when the stream ends, or `[DONE]` or usage arrives. An answer with a finish reason and
    `[DONE]` is complete, whatever follows. After `[DONE]` without a finish reason, an error that follows is raised.

    Args:
        head: The head of the response.
        idle: Seconds without content after which the stream fails; None for no limit.
        keeps_choices: Whether to yield the choices of every index, for a request with `n` above 1.
    """

    def __init__(self, head: ResponseHead, idle: float | None, *, keeps_choices: bool = False) -> None:
        self._head = head
        self._keeps_choices = keeps_choices
        self._decoder = EventDecoder()
        self._envelope: Envelope | None = None
        self._envelopes_left = MAX_ENVELOPES
        self._idle_timer = head.idle_timer = IdleTimer(idle)
        self._error: KimiError | None = None
        self._is_finished = False
        self._is_done = False
        self._has_begun = False
        self._has_choices = False
        self._has_progress = False
        self._size = 0
        self._unframed: list[bytes] | None = []
        self._comments = CommentFilter()
        self._answer = 0
        self._others: list[tuple[int, WireChoice]] | None = None if keeps_choices else []

    @property
    def has_begun(self) -> bool:
        """Whether content was yielded."""
        return self._has_begun

    def feed(self, piece: bytes, waited: float) -> Iterable[WireEvent]:
        """Take the next bytes and return the chunks that they complete.

        Raises:
            KimiError: An error event came, an event is not JSON, the reply is too large, or no content came for too
                long. It is raised while the chunks are consumed, after those before it.
        """
        self._size = size_with(self._size, piece)
        # A stream that arrives slowly has most of its events in pieces of their own.
        if (
            (envelope := self._envelope)
            and not (self._is_done or self._error or self._decoder.has_part)
            and (chunk := envelope.of_piece(piece)) is not None
        ):
            self._envelopes_left = MAX_ENVELOPES
            self._idle_timer.passed(waited, content=True)
            return (chunk,)
        payloads = self._decoder.feed(piece)
        if len(payloads) == 1 and (chunk := self._plain_chunk(payloads[0])) is not None:
            self._unframed = None
            self._idle_timer.passed(waited, content=True)
            return (chunk,)
        return self._read(payloads, piece, waited)

    def _read(self, payloads: list[bytes], piece: bytes, waited: float) -> Iterator[WireEvent]:
        """Yield the chunks of payloads, and update the idle timer."""
        self._has_progress = False
        if payloads:
            self._unframed = None
        elif (unframed := self._unframed) is not None and (unframed or (piece := self._comments.strip(piece))):
            unframed.append(piece)
            if len(unframed) == 1 and BEGIN_OF_EVENTS.match(piece):
                self._unframed = None
        for payload in payloads:
            if (chunk := self._plain_chunk(payload)) is None:
                yield from self._chunks(payload)
            else:
                yield chunk
        # A large event, such as an image, may take longer than the limit: its bytes count as content before its end.
        has_part = not self._is_done and self._decoder.is_inside_event and bool(piece.replace(b"data:", b"").strip())
        self._idle_timer.passed(waited, content=self._has_progress or has_part)

    def close(self) -> Iterator[WireEvent]:
        """Take the end of the bytes and yield the remaining chunks.

        Raises:
            KimiError: The stream contained an error, or it ended before the reply did.
        """
        payloads = self._decoder.close()
        if not payloads and self._unframed and (body := without_comments(b"".join(self._unframed))):
            yield from self._close_plain(body)
            return
        for payload in payloads:
            # An event without its closing blank line may be truncated; the checks below decide whether that matters.
            with suppress(KimiMalformedReplyError):
                yield from self._chunks(payload)
        yield from self._other_answer()
        self._raise_error()
        if not (self._is_finished or self._is_done):
            raise KimiIncompleteStreamError(
                "The stream ended before the reply did: neither a finish reason nor [DONE] came.",
                status=self._head.status,
                generation_id=self._head.generation_id,
                advice="Trying again may help; `partial` has the text so far.",
            )
        if not self._has_choices:
            raise malformed(NO_CHOICES, self._raw_reply(""))

    def _plain_chunk(self, payload: bytes) -> WireEvent | None:
        """Return the chunk of an event that contains only content, as nearly all do; None for any other event."""
        if self._is_done or self._error or isinstance(payload, ErrorPayload):
            return None
        if self._envelope and (repeated := self._envelope.of_payload(payload)) is not None:
            self._envelopes_left = MAX_ENVELOPES
            self._has_progress = True
            return repeated
        chunk = JSON.parse(payload)
        if not (isinstance(chunk, dict) and holds_only_content(chunk)):
            return None
        index = chunk["choices"][0].get("index")
        if index is not None and index != 0:
            return None
        # The first event of a stream often differs from all others.
        if self._has_begun and self._envelopes_left:
            self._envelopes_left -= 1
            self._envelope = Envelope.of(payload, chunk)
        self._others = None
        self._has_begun = self._has_progress = self._has_choices = True
        return cast("WireEvent", chunk)

    def _of_answer(self, chunk: WireEvent) -> WireEvent:
        """Return a chunk with only the choices of the answer, which is the choice with the index 0.

        Only one choice is requested from a stream, so others must not be mixed into its text. They are stored until
        choice 0 arrives, because a host may give its only choice another index.
        """
        choices: Any = chunk.get("choices")
        if self._keeps_choices or not isinstance(choices, list) or not choices:
            return chunk
        pairs = numbered(choices)
        own = [choice for index, choice in pairs if index == self._answer]
        if own:
            self._others = None
        elif self._others is not None:
            self._others += pairs
            self._has_progress = True
        return chunk if len(own) == len(choices) else cast("WireEvent", {**chunk, "choices": own})

    def _judged(self, chunk: WireEvent) -> WireEvent:
        """Return a chunk without the choices after the first, whose errors are ignored."""
        choices: Any = chunk.get("choices")
        if not self._keeps_choices or not isinstance(choices, list):
            return chunk
        return cast("WireEvent", {**chunk, "choices": [choice for index, choice in numbered(choices) if index == 0]})

    def _other_answer(self) -> Iterator[WireEvent]:
        """Yield the chunks of the choice with the lowest index, if choice 0 did not arrive."""
        others, self._others = self._others, None
        if others:
            self._answer = min(index for index, _ in others)
            for index, choice in others:
                if index == self._answer:
                    yield from self._checked({"choices": [choice]})

    def _chunks(self, payload: bytes) -> Iterator[WireEvent]:
        """Yield the chunks of any payload."""
        if self._is_done:
            self._check_after_done(payload)
            return
        if isinstance(payload, ErrorPayload):
            yield from self._checked(as_error_chunk(payload))
            return
        payload = payload.strip()
        for chunk in self._parsed(payload.removesuffix(DONE)):
            yield from self._checked(chunk)
        if payload.endswith(DONE):
            yield from self._other_answer()
            self._is_done = self._has_progress = True
            self._raise_error()
            self._idle_timer.finish_within(AFTER_DONE)

    def _check_after_done(self, payload: bytes) -> None:
        value = as_error_chunk(payload) if isinstance(payload, ErrorPayload) else JSON.parse(payload)
        if isinstance(value, dict) and not self._is_finished:
            chunk = self._of_answer(cast("WireEvent", value))
            if find_error(chunk):
                raise error_from_reply(chunk, self._raw_reply(chunk), now=self._head.now)

    def _checked(self, chunk: WireEvent) -> Iterator[WireEvent]:
        """Yield a chunk, or its part before an error; see the class for the time at which the error is raised."""
        chunk = self._of_answer(chunk)
        judged = self._judged(chunk)
        if self._error is None and find_error(judged):
            # If choice 0 has not arrived, the choice with the lowest index is the partial answer.
            yield from self._other_answer()
            self._error = error_from_reply(judged, self._raw_reply(chunk), now=self._head.now)
            self._has_progress = True
            self._idle_timer.finish_within(AFTER_ERROR)
        if self._error:
            yield from self._failed(chunk, self._error)
            return
        choices = choices_of(chunk)
        if not is_every_choice(choices, chunk):
            raise malformed(INVALID_CHOICE, self._raw_reply(chunk), cast("JSONObject", chunk))
        self._has_choices = self._has_choices or bool(choices)
        # The usage chunk may repeat the finish reason.
        if not self._is_finished and any(choice.get("finish_reason") for choice in choices):
            self._is_finished = self._has_progress = True
            self._idle_timer.finish_within(AFTER_FINISH)
        if has_content(choices):
            self._has_begun = self._has_progress = True
        yield cast("WireEvent", {**chunk, "choices": choices}) if choices else chunk

    def _failed(self, chunk: WireEvent, error: KimiError) -> Iterator[WireEvent]:
        """Yield a chunk that comes with an error or after one: its part of the answer, without its finish reason."""
        yield cast("WireEvent", {**chunk, "choices": [without_finish(choice) for choice in choices_of(chunk)]})
        usage = chunk.get("usage")
        if usage and isinstance(usage, dict):
            error.update(usage=usage)
            raise error

    def _parsed(self, payload: bytes) -> Iterator[WireEvent]:
        """Yield the chunks of one event. It is usually one; reported: several without a separator, behind a proxy."""
        if isinstance(strict := JSON.parse(payload), dict):
            yield cast("WireEvent", strict)
            return
        text = payload.decode("utf-8", errors="replace").strip()
        position = 0
        while position < len(text):
            try:
                chunk, end = LENIENT_DECODER.raw_decode(text, position)
            except (ValueError, RecursionError):
                self._raise_error()
                raise malformed("An event of the stream is not JSON.", self._raw_reply(text)) from None
            if is_too_deep(chunk, text[position:end]):
                raise malformed("An event of the stream is nested too deeply.", self._raw_reply(text))
            if not isinstance(chunk := without_list(chunk), dict):
                raise malformed("An event of the stream is not a JSON object.", self._raw_reply(text))
            yield cast("WireEvent", chunk)
            position = BLANKS.match(text, end).end()  # type: ignore[union-attr]  # it matches everywhere

    def _raise_error(self) -> None:
        if self._error:
            raise self._error

    def _close_plain(self, body: bytes) -> Iterator[WireEvent]:
        """Read a body that is not a stream: an error, an HTML page, or the reply of a host that does not stream."""
        for reply in read_body(self._head, body):
            chunk = as_chunk(reply)
            self._has_begun = has_content(choices_of(chunk))
            yield chunk

    def _raw_reply(self, value: object) -> RawReply:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return truncated_reply(self._head, text)


class PlainReader:
    """Reads one reply that is not a stream: blanks that keep the connection alive, then one JSON object.

    If a host streams although no stream was requested, the events of the stream are yielded.

    Args:
        head: The head of the response.
        idle: Seconds without content after which the reply fails; None for no limit.
        keeps_choices: Whether to yield the choices of every index from a stream, for a request with `n` above 1.
    """

    def __init__(self, head: ResponseHead, idle: float | None, *, keeps_choices: bool = True) -> None:
        self._head = head
        self._idle = idle
        self._keeps_choices = keeps_choices
        self._idle_timer = head.idle_timer = IdleTimer(idle, self._is_complete)
        self._comments = CommentFilter()
        self._pieces: list[bytes] = []
        self._size = 0
        self._is_json = False
        self._stream: StreamReader | None = None

    has_begun = False
    """Always false: nothing is returned before the end, so a plain call can always be retried."""

    def feed(self, piece: bytes, waited: float) -> Iterable[WireEvent]:
        """Take the next bytes and return the chunks that they complete, if the host streams.

        Raises:
            KimiTimeoutError: Only blanks and comments came for too long.
            KimiReplyTooLargeError: The reply is too large.
        """
        if self._stream is not None:
            return self._stream.feed(piece, waited)
        self._size = size_with(self._size, piece)
        if not self._pieces:
            piece = self._comments.strip(piece)
            self._idle_timer.passed(waited, content=bool(piece))
            if not piece:
                return ()
        else:
            start = piece.lstrip()
            self._idle_timer.passed(waited, content=bool(start) and not start.startswith(b":"))
        self._pieces.append(piece)
        return () if self._is_json else self._begin()

    def _begin(self) -> Iterable[WireEvent]:
        body = b"".join(self._pieces)
        if BEGIN_OF_EVENTS.match(body):
            self._stream = StreamReader(self._head, self._idle, keeps_choices=self._keeps_choices)
            return self._stream.feed(body, 0.0)
        self._is_json = len(body) >= LONGEST_BEGIN or body.startswith(b"{")
        return ()

    def close(self) -> Iterable[WireEvent]:
        """Take the end of the bytes and return the reply, or the last chunks of a streamed one.

        Raises:
            KimiError: The body contains an error, or is not a complete reply. It is raised while the parts are
                consumed.
        """
        if self._stream is not None:
            return self._stream.close()
        return read_body(self._head, without_comments(b"".join(self._pieces)))

    def _is_complete(self) -> bool:
        """Return whether the bytes are a complete reply, although the connection is still open.

        A proxy may fail to close the connection, and the answer, which is billed, must not be lost.
        """
        if not (self._pieces and self._pieces[0].startswith(b"{")):
            return False
        try:
            for _ in self.close():
                pass
        except KimiError as error:
            return not isinstance(error, KimiMalformedReplyError)
        return True
