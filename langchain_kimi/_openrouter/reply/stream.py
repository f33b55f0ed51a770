"""A streamed reply: bytes in, the wire's chunks out, and an error when the reply is not whole."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import cast

from langchain_kimi._openrouter.errors import error_from_reply, find_error, malformed
from langchain_kimi._openrouter.json import JSON, integer
from langchain_kimi._openrouter.limits import is_too_deep
from langchain_kimi._openrouter.reply.bodies import grown, tolerantly_parsed, without_comments
from langchain_kimi._openrouter.reply.chunks import (
    as_chunk,
    as_error_chunk,
    choices_of,
    has_content,
    holds_only_content,
    keeps_all,
    without_finish,
)
from langchain_kimi._openrouter.reply.reading import IdleTimer, ResponseHead
from langchain_kimi._openrouter.reply.sse import ErrorPayload, EventDecoder
from langchain_kimi._openrouter.wire import WireEvent
from langchain_kimi.errors import KimiError, KimiIncompleteStreamError, KimiMalformedReplyError, RawReply

DONE = b"[DONE]"
NO_CHOICES = "The reply has no choices."
ODD_CHOICE = "A choice does not have the documented form."
DECODER = json.JSONDecoder(strict=False, parse_int=integer)
EVENTS = re.compile(rb"(\xef\xbb\xbf)?((event|id|retry):[^\r\n]*[\r\n]+)*data:")
"""How a stream of events begins, but for comments."""

AFTER_DONE = 0.25
"""Seconds: the body's own end is one packet behind `[DONE]`, and hanging up before it would cost the connection."""
AFTER_ERROR = 1.0
"""Seconds: in a recorded stream the usage of the failed call follows the error as an event of its own."""
AFTER_FINISH = 10.0
"""Seconds: the usage follows the finish reason, but an answer that is whole need not wait long for its bill."""


class StreamReader:
    """Reads one streamed reply. Give it the bytes in any pieces; it yields chunks as they become whole.

    An error event is remembered until the stream ends, `[DONE]` comes, or usage arrives, and is then raised. An answer
    that has its finish reason and `[DONE]` is whole, whatever follows; where it has `[DONE]` alone, an error that
    follows is one.
    """

    def __init__(self, opened: ResponseHead, idle: float | None) -> None:
        self._opened = opened
        self._decoder = EventDecoder()
        self._patience = opened.patience = IdleTimer(idle)
        self._error: KimiError | None = None
        self._finished = False
        self._done = False
        self._begun = False
        self._answered = False
        self._news = False
        self._size = 0
        self._unframed: list[bytes] | None = []

    @property
    def has_begun(self) -> bool:
        """Whether content was yielded."""
        return self._begun

    def feed(self, piece: bytes, waited: float) -> Iterable[WireEvent]:
        """Take the next bytes; gives the chunks that they complete.

        Raises:
            KimiError: an error event came, an event is no JSON, too much came, or no content for too long; also while
                the chunks are taken, and those before it are then there.
        """
        self._size = grown(self._size, piece)
        payloads = self._decoder.feed(piece)
        # A model that writes word by word sends most events in a piece of their own.
        if len(payloads) == 1 and (chunk := self._usual(payloads[0])) is not None:
            self._unframed = None
            self._patience.passed(waited, content=True)
            return (chunk,)
        return self._read(payloads, piece, waited)

    def _read(self, payloads: list[bytes], piece: bytes, waited: float) -> Iterator[WireEvent]:
        self._news = False
        if payloads:
            self._unframed = None
        elif self._unframed is not None:
            self._unframed.append(piece)
        for payload in payloads:
            if (chunk := self._usual(payload)) is None:
                yield from self._chunks(payload)
            else:
                yield chunk
        # A large event, such as an image, may take longer than the limit: its bytes are content before it is whole.
        self._patience.passed(waited, content=self._news or (not self._done and self._decoder.is_amid))

    def close(self) -> Iterator[WireEvent]:
        """Take the end of the bytes; yields what was left.

        Raises:
            KimiError: the stream held an error, or it ended before the reply did.
        """
        payloads = self._decoder.close()
        if not payloads and self._unframed and (body := without_comments(b"".join(self._unframed))):
            yield from self._close_body(body)
            return
        for payload in payloads:
            # An event without its closing blank line may have been torn: whether it matters is seen below.
            with suppress(KimiMalformedReplyError):
                yield from self._chunks(payload)
        self._raise_error()
        if not (self._finished or self._done):
            raise KimiIncompleteStreamError(
                "The stream ended before the reply did: neither a finish reason nor [DONE] came.",
                status=self._opened.status,
                generation_id=self._opened.headers.get("x-generation-id"),
                advice="Trying again may help; what came so far is in `partial`.",
            )
        if not self._answered:
            raise malformed(NO_CHOICES, self._raw(""))

    def _usual(self, payload: bytes) -> WireEvent | None:
        """Give the chunk of an event as nearly all are: content and nothing else; None where a closer look is due."""
        is_closed = self._done or self._error or isinstance(payload, ErrorPayload)
        chunk = None if is_closed else JSON.parsed(payload)
        if not (isinstance(chunk, dict) and holds_only_content(chunk)):
            return None
        self._begun = self._news = self._answered = True
        return cast("WireEvent", chunk)

    def _chunks(self, payload: bytes) -> Iterator[WireEvent]:
        if self._done:
            self._check_after_done(payload)
            return
        if isinstance(payload, ErrorPayload):
            yield from self._checked(as_error_chunk(payload))
            return
        payload = payload.strip()
        for chunk in self._parsed(payload.removesuffix(DONE)):
            yield from self._checked(chunk)
        if payload.endswith(DONE):
            self._done = self._news = True
            self._raise_error()
            self._patience.enough(AFTER_DONE)

    def _check_after_done(self, payload: bytes) -> None:
        told = as_error_chunk(payload) if isinstance(payload, ErrorPayload) else JSON.parsed(payload)
        if isinstance(told, dict) and not self._finished:
            chunk = cast("WireEvent", told)
            if find_error(chunk):
                raise error_from_reply(chunk, self._raw(chunk), now=self._opened.now)

    def _checked(self, chunk: WireEvent) -> Iterator[WireEvent]:
        if find_error(chunk) and self._error is None:
            self._error = error_from_reply(chunk, self._raw(chunk), now=self._opened.now)
            self._news = True
            self._patience.enough(AFTER_ERROR)
        if self._error:
            yield from self._failed(chunk, self._error)
            return
        choices = choices_of(chunk)
        if not keeps_all(choices, chunk):
            raise malformed(ODD_CHOICE, self._raw(chunk))
        self._answered = self._answered or bool(choices)
        # The usage chunk may repeat the finish reason.
        if not self._finished and any(choice.get("finish_reason") for choice in choices):
            self._finished = self._news = True
            self._patience.enough(AFTER_FINISH)
        if has_content(choices):
            self._begun = self._news = True
        yield chunk

    def _failed(self, chunk: WireEvent, error: KimiError) -> Iterator[WireEvent]:
        """Hand on a chunk that comes with an error or after one: its part of the answer, but not its end."""
        yield cast("WireEvent", {**chunk, "choices": [without_finish(choice) for choice in choices_of(chunk)]})
        usage = chunk.get("usage")
        if usage and isinstance(usage, dict):
            error.learn(usage=usage)
            raise error

    def _parsed(self, payload: bytes) -> Iterator[WireEvent]:
        """The chunks of one event: one as a rule; behind a proxy several were reported glued together."""
        text = payload.decode("utf-8", errors="replace").strip()
        while text:
            try:
                chunk, end = DECODER.raw_decode(text)
            except (ValueError, RecursionError):
                self._raise_error()
                raise malformed("An event of the stream is not JSON.", self._raw(text)) from None
            if is_too_deep(chunk, text):
                raise malformed("An event of the stream is nested too deeply.", self._raw(text))
            if not isinstance(chunk, dict):
                raise malformed("An event of the stream is not a JSON object.", self._raw(text))
            yield cast("WireEvent", chunk)
            text = text[end:].lstrip()

    def _raise_error(self) -> None:
        if self._error:
            raise self._error

    def _close_body(self, body: bytes) -> Iterator[WireEvent]:
        """A plain body came although a stream was asked for: an error, a page, or a host that does not stream."""
        from_plain = PlainReader(self._opened, None)
        from_plain.feed(body, 0.0)
        for reply in from_plain.close():
            chunk = as_chunk(reply)
            self._begun = has_content(choices_of(chunk))
            yield chunk

    def _raw(self, text: object) -> RawReply:
        told = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
        return RawReply(self._opened.status, self._opened.headers, told)


class PlainReader:
    """Reads one reply that is not streamed: blanks that keep the connection alive, then one JSON object.

    A host that streams whatever it was asked for is read as well: its events are the parts of the reply.
    """

    def __init__(self, opened: ResponseHead, idle: float | None) -> None:
        self._opened = opened
        self._patience = opened.patience = IdleTimer(idle, self._is_whole)
        self._pieces: list[bytes] = []
        self._size = 0

    has_begun = False
    """Nothing is handed out before the end, so a plain call can always be made again."""

    def feed(self, piece: bytes, waited: float) -> tuple[()]:
        """Take the next bytes; gives nothing yet.

        Raises:
            KimiTimeoutError: only blanks came for too long.
            KimiReplyTooLargeError: the reply goes on and on.
        """
        self._size = grown(self._size, piece)
        # Comments keep an event stream alive.
        self._patience.passed(waited, content=not piece.lstrip().startswith(b":") and bool(piece.strip()))
        self._pieces.append(piece)
        return ()

    def close(self) -> Iterator[WireEvent]:
        """Take the end of the bytes; yields the reply, or the chunks of one that was streamed all the same.

        Raises:
            KimiError: the body holds an error, or is not a whole reply.
        """
        body = b"".join(self._pieces)
        if not (parsed := JSON.parsed(body)):
            body = without_comments(body)
            if EVENTS.match(body):
                streamed = StreamReader(self._opened, None)
                yield from streamed.feed(body, 0.0)
                yield from streamed.close()
                return
        reply = cast("WireEvent", parsed or tolerantly_parsed(self._raw(body)))
        if not isinstance(reply, dict):
            raise malformed("The reply is not a JSON object.", self._raw(body))
        if find_error(reply):
            error = error_from_reply(reply, self._raw(body), now=self._opened.now)
            # What came of the answer goes on, for the partial message; then the error is raised.
            yield cast("WireEvent", {**reply, "choices": [without_finish(choice) for choice in choices_of(reply)]})
            raise error
        choices = choices_of(reply)
        if not choices or not keeps_all(choices, reply):
            raise malformed(ODD_CHOICE if reply.get("choices") else NO_CHOICES, self._raw(body))
        yield reply

    def _is_whole(self) -> bool:
        """Whether a reply came, though its end was not told: a proxy may forget to, and the answer is billed."""
        patience = self._opened.patience
        try:
            for _ in self.close():
                pass
        except KimiError as error:
            return not isinstance(error, KimiMalformedReplyError | KimiIncompleteStreamError)
        finally:
            # A stream's reader has a patience of its own.
            self._opened.patience = patience
        return True

    def _raw(self, body: bytes) -> RawReply:
        text = body.decode("utf-8-sig", errors="replace").strip()
        return RawReply(self._opened.status, self._opened.headers, text)
