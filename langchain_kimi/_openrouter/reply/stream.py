"""Readers for streamed and plain replies: they take bytes and yield wire events, or raise if a reply is incomplete."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import cast

from langchain_kimi._openrouter.errors import error_from_reply, find_error, malformed
from langchain_kimi._openrouter.json import JSON, LENIENT_DECODER
from langchain_kimi._openrouter.limits import is_too_deep
from langchain_kimi._openrouter.reply.bodies import parse_body, size_with, without_comments
from langchain_kimi._openrouter.reply.chunks import (
    as_chunk,
    as_error_chunk,
    choices_of,
    has_content,
    holds_only_content,
    is_every_choice,
    without_finish,
)
from langchain_kimi._openrouter.reply.reading import IdleTimer, ResponseHead
from langchain_kimi._openrouter.reply.sse import ErrorPayload, EventDecoder
from langchain_kimi._openrouter.wire import WireEvent
from langchain_kimi.errors import KimiError, KimiIncompleteStreamError, KimiMalformedReplyError, RawReply

DONE = b"[DONE]"
NO_CHOICES = "The reply has no choices."
INVALID_CHOICE = "A choice does not have the documented form."
BEGIN_OF_EVENTS = re.compile(rb"(\xef\xbb\xbf)?((event|id|retry):[^\r\n]*[\r\n]+)*data:")
"""The begin of a stream of events, after any comments."""

BLANKS = re.compile(r"\s*")

AFTER_DONE = 0.25
"""Seconds: the end of the body is one packet after `[DONE]`, and closing before it would cost the connection."""
AFTER_ERROR = 1.0
"""Seconds: in a recorded stream, the usage of the failed call follows the error as an event of its own."""
AFTER_FINISH = 10.0
"""Seconds: the usage follows the finish reason, but a complete answer need not wait long for it."""


class StreamReader:
    """Read one streamed reply: take bytes in pieces of any size, and yield chunks as soon as they are complete.

    An error event is kept until the stream ends, `[DONE]` comes or usage arrives, and is then raised. An answer with a
    finish reason and `[DONE]` is complete, whatever follows; after `[DONE]` alone, an error that follows is raised.

    Args:
        head: The head of the response.
        idle: Seconds without content after which the stream fails; None for no limit.
        keeps_choices: Whether to yield the choices of every index, for a request with `n` above 1.
    """

    def __init__(self, head: ResponseHead, idle: float | None, *, keeps_choices: bool = False) -> None:
        self._head = head
        self._keeps_choices = keeps_choices
        self._decoder = EventDecoder()
        self._idle_timer = head.idle_timer = IdleTimer(idle)
        self._error: KimiError | None = None
        self._is_finished = False
        self._is_done = False
        self._has_begun = False
        self._has_choices = False
        self._has_news = False
        self._size = 0
        self._unframed: list[bytes] | None = []
        self._index: int | None = None

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
        payloads = self._decoder.feed(piece)
        # A stream that arrives slowly has most of its events in pieces of their own.
        if len(payloads) == 1 and (chunk := self._plain_chunk(payloads[0])) is not None:
            self._unframed = None
            self._idle_timer.passed(waited, content=True)
            return (chunk,)
        return self._read(payloads, piece, waited)

    def _read(self, payloads: list[bytes], piece: bytes, waited: float) -> Iterator[WireEvent]:
        self._has_news = False
        if payloads:
            self._unframed = None
        elif self._unframed is not None:
            self._unframed.append(piece)
        for payload in payloads:
            if (chunk := self._plain_chunk(payload)) is None:
                yield from self._chunks(payload)
            else:
                yield chunk
        # A large event, such as an image, may take longer than the limit: its bytes count as content before its end.
        has_part = not self._is_done and self._decoder.is_inside_event
        self._idle_timer.passed(waited, content=self._has_news or has_part)

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
        self._raise_error()
        if not (self._is_finished or self._is_done):
            raise KimiIncompleteStreamError(
                "The stream ended before the reply did: neither a finish reason nor [DONE] came.",
                status=self._head.status,
                generation_id=self._head.headers.get("x-generation-id"),
                advice="Trying again may help; what came so far is in `partial`.",
            )
        if not self._has_choices:
            raise malformed(NO_CHOICES, self._raw_reply(""))

    def _plain_chunk(self, payload: bytes) -> WireEvent | None:
        """Return the chunk of an event that is content and nothing else, as nearly all are; None for any other."""
        is_closed = self._is_done or self._error or isinstance(payload, ErrorPayload)
        chunk = None if is_closed else JSON.parse(payload)
        if not (isinstance(chunk, dict) and holds_only_content(chunk)):
            return None
        index = chunk["choices"][0].get("index")
        if index != self._index and not self._is_followed(index):
            return None
        self._has_begun = self._has_news = self._has_choices = True
        return cast("WireEvent", chunk)

    def _is_followed(self, index: object) -> bool:
        """Return whether a choice belongs to the answer: the first index that comes does, and a missing one does.

        One choice is requested from a stream; the choices of other indices would be mixed into its text.
        """
        if self._index is None and isinstance(index, int):
            self._index = index
        return self._keeps_choices or not isinstance(index, int) or index == self._index

    def _chunks(self, payload: bytes) -> Iterator[WireEvent]:
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
            self._is_done = self._has_news = True
            self._raise_error()
            self._idle_timer.finish_within(AFTER_DONE)

    def _check_after_done(self, payload: bytes) -> None:
        value = as_error_chunk(payload) if isinstance(payload, ErrorPayload) else JSON.parse(payload)
        if isinstance(value, dict) and not self._is_finished:
            chunk = cast("WireEvent", value)
            if find_error(chunk):
                raise error_from_reply(chunk, self._raw_reply(chunk), now=self._head.now)

    def _checked(self, chunk: WireEvent) -> Iterator[WireEvent]:
        if find_error(chunk) and self._error is None:
            self._error = error_from_reply(chunk, self._raw_reply(chunk), now=self._head.now)
            self._has_news = True
            self._idle_timer.finish_within(AFTER_ERROR)
        if self._error:
            yield from self._failed(chunk, self._error)
            return
        choices = choices_of(chunk)
        if not is_every_choice(choices, chunk):
            raise malformed(INVALID_CHOICE, self._raw_reply(chunk))
        if others := [choice for choice in choices if not self._is_followed(choice.get("index"))]:
            choices = [choice for choice in choices if choice not in others]
            chunk = cast("WireEvent", {**chunk, "choices": choices})
        self._has_choices = self._has_choices or bool(choices)
        # The usage chunk may repeat the finish reason.
        if not self._is_finished and any(choice.get("finish_reason") for choice in choices):
            self._is_finished = self._has_news = True
            self._idle_timer.finish_within(AFTER_FINISH)
        if has_content(choices):
            self._has_begun = self._has_news = True
        yield chunk

    def _failed(self, chunk: WireEvent, error: KimiError) -> Iterator[WireEvent]:
        """Yield a chunk that comes with an error or after one: its part of the answer, without its finish reason."""
        yield cast("WireEvent", {**chunk, "choices": [without_finish(choice) for choice in choices_of(chunk)]})
        usage = chunk.get("usage")
        if usage and isinstance(usage, dict):
            error.update(usage=usage)
            raise error

    def _parsed(self, payload: bytes) -> Iterator[WireEvent]:
        """Yield the chunks of one event: usually one; behind a proxy, several without a separator were reported."""
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
            if not isinstance(chunk, dict):
                raise malformed("An event of the stream is not a JSON object.", self._raw_reply(text))
            yield cast("WireEvent", chunk)
            position = BLANKS.match(text, end).end()  # type: ignore[union-attr]  # it matches everywhere

    def _raise_error(self) -> None:
        if self._error:
            raise self._error

    def _close_plain(self, body: bytes) -> Iterator[WireEvent]:
        """Read a body that is not a stream: an error, a page, or the reply of a host that does not stream."""
        plain_reader = PlainReader(self._head, None)
        plain_reader.feed(body, 0.0)
        for reply in plain_reader.close():
            chunk = as_chunk(reply)
            self._has_begun = has_content(choices_of(chunk))
            yield chunk

    def _raw_reply(self, value: object) -> RawReply:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return RawReply(self._head.status, self._head.headers, text)


class PlainReader:
    """Read one reply that is not a stream: blanks that keep the connection alive, then one JSON object.

    The reply of a host that streams although no stream was requested is read too: its events are then the parts.
    """

    def __init__(self, head: ResponseHead, idle: float | None) -> None:
        self._head = head
        self._idle_timer = head.idle_timer = IdleTimer(idle, self._is_complete)
        self._pieces: list[bytes] = []
        self._size = 0

    has_begun = False
    """Always false: nothing is returned before the end, so a plain call can always be retried."""

    def feed(self, piece: bytes, waited: float) -> tuple[()]:
        """Take the next bytes and return nothing yet.

        Raises:
            KimiTimeoutError: Only blanks and comments came for too long.
            KimiReplyTooLargeError: The reply is too large.
        """
        self._size = size_with(self._size, piece)
        # Comments keep a stream of events alive.
        self._idle_timer.passed(waited, content=not piece.lstrip().startswith(b":") and bool(piece.strip()))
        self._pieces.append(piece)
        return ()

    def close(self) -> Iterator[WireEvent]:
        """Take the end of the bytes and yield the reply, or the chunks of a streamed one.

        Raises:
            KimiError: The body contains an error, or is not a complete reply.
        """
        body = b"".join(self._pieces)
        if not (value := JSON.parse(body)):
            body = without_comments(body)
            if BEGIN_OF_EVENTS.match(body):
                stream_reader = StreamReader(self._head, None, keeps_choices=True)
                yield from stream_reader.feed(body, 0.0)
                yield from stream_reader.close()
                return
        reply = cast("WireEvent", value or parse_body(self._raw_reply(body)))
        if not isinstance(reply, dict):
            raise malformed("The reply is not a JSON object.", self._raw_reply(body))
        if find_error(reply):
            error = error_from_reply(reply, self._raw_reply(body), now=self._head.now)
            # The part of the answer is yielded first, for the partial message; then the error is raised.
            yield cast("WireEvent", {**reply, "choices": [without_finish(choice) for choice in choices_of(reply)]})
            raise error
        choices = choices_of(reply)
        if not choices or not is_every_choice(choices, reply):
            raise malformed(INVALID_CHOICE if reply.get("choices") else NO_CHOICES, self._raw_reply(body))
        yield reply

    def _is_complete(self) -> bool:
        """Return whether the bytes are a complete reply, although the connection is still open.

        A proxy may fail to close it, and the answer is billed.
        """
        idle_timer = self._head.idle_timer
        try:
            for _ in self.close():
                pass
        except KimiError as error:
            return not isinstance(error, KimiMalformedReplyError | KimiIncompleteStreamError)
        finally:
            # The reader of a stream sets a timer of its own.
            self._head.idle_timer = idle_timer
        return True

    def _raw_reply(self, body: bytes) -> RawReply:
        text = body.decode("utf-8-sig", errors="replace").strip()
        return RawReply(self._head.status, self._head.headers, text)
