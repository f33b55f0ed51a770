"""A streamed reply: bytes in, the wire's chunks out, and an error when the reply is not whole."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

from langchain_kimi.errors import KimiError, KimiMalformedReplyError, KimiStreamCutError, RawReply
from langchain_kimi.openrouter.failures import error_from_reply, find_error, malformed
from langchain_kimi.openrouter.fast_json import JSON
from langchain_kimi.openrouter.limits import LARGEST_REPLY, is_too_deep, too_large
from langchain_kimi.openrouter.reading import Opened, Patience
from langchain_kimi.openrouter.sse import EventDecoder
from langchain_kimi.openrouter.wire import JSONObject, WireChoice, WireReply

DONE = b"[DONE]"
NO_CHOICES = "The reply has no choices."
DECODER = json.JSONDecoder(strict=False)
CONTENT_KEYS = (
    "content", "reasoning", "reasoning_content", "reasoning_details", "tool_calls", "refusal", "annotations", "images",
    "audio",
)  # fmt: skip

AFTER_DONE = 0.25
"""Seconds: the body's own end is one packet behind `[DONE]`, and hanging up before it would cost the connection."""
AFTER_ERROR = 1.0
"""Seconds: in a recorded stream the usage of the failed call follows the error as an event of its own."""
AFTER_FINISH = 10.0
"""Seconds: the usage follows the finish reason, but an answer that is whole need not wait long for its bill."""


class StreamReader:
    """Reads one streamed reply. Give it the bytes in any pieces; it yields chunks as they become whole.

    An error event is remembered until the stream ends, `[DONE]` comes, or usage arrives, and is then raised.
    """

    def __init__(self, opened: Opened, idle: float | None) -> None:
        self._opened = opened
        self._decoder = EventDecoder()
        self._patience = opened.patience = Patience(idle)
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

    def feed(self, piece: bytes, waited: float) -> Iterator[WireReply]:
        """Take the next bytes; yields the chunks that they complete.

        Raises:
            KimiError: an error event came, an event is no JSON, too much came, or no content for too long.
        """
        self._news = False
        self._size = _grown(self._size, piece)
        payloads = self._decoder.feed(piece)
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

    def close(self) -> Iterator[WireReply]:
        """Take the end of the bytes; yields what was left.

        Raises:
            KimiError: the stream held an error, or it ended before the reply did.
        """
        payloads = self._decoder.close()
        if not payloads and self._unframed and (body := _without_comments(b"".join(self._unframed))):
            yield from self._close_body(body)
            return
        for payload in payloads:
            # An event without its closing blank line may have been torn: whether it matters is seen below.
            with suppress(KimiMalformedReplyError):
                yield from self._chunks(payload)
        self._raise_error()
        if not (self._finished or self._done):
            raise KimiStreamCutError(
                "The stream ended before the reply did: neither a finish reason nor [DONE] came.",
                status=self._opened.status,
                generation_id=self._opened.headers.get("x-generation-id"),
                advice="Trying again may help; what came so far is in `partial`.",
            )
        if not self._answered:
            raise malformed(NO_CHOICES, self._raw(""))

    def _usual(self, payload: bytes) -> WireReply | None:
        """Give the chunk of an event as nearly all are: content and nothing else; None where a closer look is due."""
        chunk = None if self._done or self._error else JSON.parsed(payload)
        if not (isinstance(chunk, dict) and holds_only_content(chunk)):
            return None
        self._begun = self._news = self._answered = True
        return cast("WireReply", chunk)

    def _chunks(self, payload: bytes) -> Iterator[WireReply]:
        if self._done:
            return
        payload = payload.strip()
        for chunk in self._parsed(payload.removesuffix(DONE)):
            yield from self._checked(chunk)
        if payload.endswith(DONE):
            self._done = self._news = True
            self._raise_error()
            self._patience.enough(AFTER_DONE)

    def _checked(self, chunk: WireReply) -> Iterator[WireReply]:
        if find_error(chunk) and self._error is None:
            self._error = error_from_reply(chunk, self._raw(chunk), now=self._opened.now)
            self._news = True
            self._patience.enough(AFTER_ERROR)
        if self._error:
            yield from self._failed(chunk, self._error)
            return
        choices = _choices(chunk)
        if not _keeps_all(choices, chunk):
            raise malformed("A choice of the stream is not a JSON object.", self._raw(chunk))
        self._answered = self._answered or bool(choices)
        # The usage chunk may repeat the finish reason.
        if not self._finished and any(choice.get("finish_reason") for choice in choices):
            self._finished = self._news = True
            self._patience.enough(AFTER_FINISH)
        if has_content(choices):
            self._begun = self._news = True
        yield chunk

    def _failed(self, chunk: WireReply, error: KimiError) -> Iterator[WireReply]:
        """Hand on a chunk that comes with an error or after one: its part of the answer, but not its end."""
        yield cast("WireReply", {**chunk, "choices": [_without_finish(choice) for choice in _choices(chunk)]})
        usage = chunk.get("usage")
        if usage and isinstance(usage, dict):
            error.learn(usage=usage)
            raise error

    def _parsed(self, payload: bytes) -> Iterator[WireReply]:
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
            yield cast("WireReply", chunk)
            text = text[end:].lstrip()

    def _raise_error(self) -> None:
        if self._error:
            raise self._error

    def _close_body(self, body: bytes) -> Iterator[WireReply]:
        """A plain body came although a stream was asked for: an error, a page, or a host that does not stream."""
        from_plain = PlainReader(self._opened, None)
        from_plain.feed(body, 0.0)
        for reply in from_plain.close():
            chunk = as_chunk(reply)
            self._begun = has_content(_choices(chunk))
            yield chunk

    def _raw(self, text: object) -> RawReply:
        told = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
        return RawReply(self._opened.status, self._opened.headers, told)


class PlainReader:
    """Reads one reply that is not streamed: blanks that keep the connection alive, then one JSON object."""

    def __init__(self, opened: Opened, idle: float | None) -> None:
        self._opened = opened
        self._patience = opened.patience = Patience(idle)
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
        self._size = _grown(self._size, piece)
        self._patience.passed(waited, content=bool(piece.strip()))
        self._pieces.append(piece)
        return ()

    def close(self) -> Iterator[WireReply]:
        """Take the end of the bytes; yields the reply.

        Raises:
            KimiError: the body holds an error, or is not a whole reply.
        """
        body = b"".join(self._pieces)
        text = body.decode("utf-8-sig", errors="replace").strip()
        raw_reply = RawReply(self._opened.status, self._opened.headers, text)
        reply = cast("WireReply", JSON.parsed(body) or _tolerantly_parsed(raw_reply))
        if not isinstance(reply, dict):
            raise malformed("The reply is not a JSON object.", raw_reply)
        if find_error(reply):
            error = error_from_reply(reply, raw_reply, now=self._opened.now)
            # What came of the answer goes on, for the partial message; then the error is raised.
            yield cast("WireReply", {**reply, "choices": [_without_finish(choice) for choice in _choices(reply)]})
            raise error
        choices = _choices(reply)
        if not choices or not _keeps_all(choices, reply):
            raise malformed("The reply has no choices." if not choices else "A choice is not a JSON object.", raw_reply)
        yield reply


def holds_only_content(chunk: JSONObject) -> bool:
    """Say whether a chunk is one delta that holds something of the answer: no error, no end, no odd form."""
    choices = chunk.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or chunk.get("error"):
        return False
    choice = choices[0]
    if not isinstance(choice, dict) or choice.get("finish_reason") is not None or choice.get("error"):
        return False
    delta = choice.get("delta")
    if not isinstance(delta, dict) or isinstance(chunk.get("provider"), dict):
        return False
    calls = delta.get("tool_calls")
    return (calls is None or isinstance(calls, list)) and any(map(delta.get, CONTENT_KEYS))


def has_content(choices: list[WireChoice]) -> bool:
    """Say whether the deltas of a chunk hold something of the answer."""
    return any(any(map((choice.get("delta") or {}).get, CONTENT_KEYS)) for choice in choices)


def _choices(reply: WireReply) -> list[WireChoice]:
    choices = reply.get("choices")
    found = choices if isinstance(choices, list) else []
    return [choice for choice in found if isinstance(choice, dict) and _has_form(choice)]


def _has_form(choice: WireChoice) -> bool:
    message = choice.get("delta") or choice.get("message") or {}
    sound = isinstance(message, dict) and isinstance(choice.get("finish_reason"), str | None)
    return sound and isinstance(cast("JSONObject", message).get("tool_calls"), list | None)


def _grown(size: int, piece: bytes) -> int:
    """Give the size of a reply with its next piece; raises when it is too large."""
    if size + len(piece) > LARGEST_REPLY:
        raise too_large("The reply", LARGEST_REPLY)
    return size + len(piece)


def _keeps_all(choices: list[WireChoice], reply: WireReply) -> bool:
    """Say whether the choices are all that the reply has; one that has none may say so in any way."""
    return len(choices) == len(cast("list[WireChoice]", reply.get("choices"))) if choices else not reply.get("choices")


def _without_finish(choice: WireChoice) -> WireChoice:
    return cast("WireChoice", {**choice, "finish_reason": None}) if choice.get("finish_reason") else choice


def as_chunk(reply: WireReply) -> WireReply:
    """Give a plain reply the form of a stream's chunk: a stream of one."""
    choices = [{**choice, "delta": choice.get("message") or {}} for choice in _choices(reply)]
    return cast("WireReply", {**reply, "choices": choices})


def _without_comments(body: bytes) -> bytes:
    return b"\n".join(line for line in body.splitlines() if not line.startswith(b":")).strip()


def _tolerantly_parsed(raw_reply: RawReply) -> Any:
    try:
        reply = json.loads(raw_reply.text, strict=False)
    except (ValueError, RecursionError):
        raise malformed(_not_json(raw_reply.text), raw_reply) from None
    if is_too_deep(reply, raw_reply.text):
        raise malformed("The reply is nested too deeply.", raw_reply)
    return reply


def _not_json(text: str) -> str:
    return f"The reply is not JSON: it begins with {text[:80]!r}." if text else "The reply is empty."
