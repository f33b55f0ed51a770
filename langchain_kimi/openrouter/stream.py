"""A streamed reply: bytes in, the wire's chunks out, and an error when the reply is not whole."""

import json
from collections.abc import Iterator
from typing import cast

from langchain_kimi.errors import KimiError, KimiStreamCutError, RawReply
from langchain_kimi.openrouter.failures import error_from_reply, find_error, malformed
from langchain_kimi.openrouter.reading import Opened, Silence
from langchain_kimi.openrouter.sse import EventDecoder
from langchain_kimi.openrouter.wire import WireChoice, WireReply

DONE = b"[DONE]"
DECODER = json.JSONDecoder(strict=False)
CONTENT_KEYS = (
    "content", "reasoning", "reasoning_content", "reasoning_details", "tool_calls", "refusal", "annotations", "images",
    "audio",
)  # fmt: skip


class StreamReader:
    """Reads one streamed reply. Give it the bytes in any pieces; it yields chunks as they become whole.

    An error event is remembered until the stream ends, `[DONE]` comes, or usage arrives, and is then raised: in a
    recorded stream the usage of the failed call follows the error as an event of its own.
    """

    def __init__(self, opened: Opened, idle: float | None) -> None:
        self._opened = opened
        self._decoder = EventDecoder()
        self._silence = Silence(idle)
        self._error: KimiError | None = None
        self._finished = False
        self._done = False
        self._begun = False
        self._unframed: list[bytes] | None = []

    @property
    def has_begun(self) -> bool:
        """Whether content was yielded."""
        return self._begun

    def feed(self, piece: bytes, waited: float) -> Iterator[WireReply]:
        """Take the next bytes; yields the chunks that they complete.

        Raises:
            KimiError: an error event came, an event is no JSON, or no content came for too long.
        """
        content = False
        payloads = self._decoder.feed(piece)
        if payloads:
            self._unframed = None
        elif self._unframed is not None:
            self._unframed.append(piece)
        for payload in payloads:
            for chunk in self._chunks(payload):
                content = has_content(chunk) or content
                yield chunk
        self._silence.passed(waited, content=content)

    def close(self) -> Iterator[WireReply]:
        """Take the end of the bytes; yields what was left.

        Raises:
            KimiError: the stream held an error, or it ended before the reply did.
        """
        payloads = self._decoder.close()
        for payload in payloads:
            yield from self._chunks(payload)
        if not payloads and self._unframed and (body := _without_comments(b"".join(self._unframed))):
            yield from self._close_body(body)
            return
        if self._error:
            raise self._error
        if not (self._finished or self._done):
            raise KimiStreamCutError(
                "The stream ended before the reply did: neither a finish reason nor [DONE] came.",
                status=self._opened.status,
                generation_id=self._opened.headers.get("x-generation-id"),
                advice="Trying again may help; what came so far is in `partial`.",
            )

    def _chunks(self, payload: bytes) -> Iterator[WireReply]:
        if self._done:
            return
        if payload.strip() == DONE:
            self._done = True
            self._raise_error()
            return
        for chunk in self._parsed(payload):
            yield from self._checked(chunk)

    def _checked(self, chunk: WireReply) -> Iterator[WireReply]:
        if find_error(chunk) and self._error is None:
            self._error = error_from_reply(chunk, self._raw(chunk), now=self._opened.now)
        usage = chunk.get("usage")
        if self._error:
            if usage:
                self._error.learn(usage=usage)
            yield cast("WireReply", {**chunk, "choices": [_without_finish(choice) for choice in _choices(chunk)]})
            if usage:
                raise self._error
            return
        self._finished = self._finished or any(choice.get("finish_reason") for choice in _choices(chunk))
        self._begun = self._begun or has_content(chunk)
        yield chunk

    def _parsed(self, payload: bytes) -> Iterator[WireReply]:
        """The chunks of one event: one as a rule; behind a proxy several were reported glued together."""
        text = payload.decode("utf-8", errors="replace").strip()
        while text:
            try:
                chunk, end = DECODER.raw_decode(text)
            except ValueError:
                self._raise_error()
                raise malformed("An event of the stream is not JSON.", self._raw(text)) from None
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
            self._begun = True
            yield as_chunk(reply)

    def _raw(self, text: object) -> RawReply:
        told = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
        return RawReply(self._opened.status, self._opened.headers, told)


class PlainReader:
    """Reads one reply that is not streamed: blanks that keep the connection alive, then one JSON object."""

    def __init__(self, opened: Opened, idle: float | None) -> None:
        self._opened = opened
        self._silence = Silence(idle)
        self._pieces: list[bytes] = []

    @property
    def has_begun(self) -> bool:
        """Nothing is handed out before the end, so a plain call can always be made again."""
        return False

    def feed(self, piece: bytes, waited: float) -> tuple[()]:
        """Take the next bytes; gives nothing yet.

        Raises:
            KimiTimeoutError: only blanks came for too long.
        """
        self._silence.passed(waited, content=bool(piece.strip()))
        self._pieces.append(piece)
        return ()

    def close(self) -> Iterator[WireReply]:
        """Take the end of the bytes; yields the reply.

        Raises:
            KimiError: the body holds an error, or is not a whole reply.
        """
        text = b"".join(self._pieces).decode("utf-8-sig", errors="replace").strip()
        raw_reply = RawReply(self._opened.status, self._opened.headers, text)
        try:
            reply = json.loads(text, strict=False)
        except ValueError:
            raise malformed(_not_json(text), raw_reply) from None
        if not isinstance(reply, dict):
            raise malformed("The reply is not a JSON object.", raw_reply)
        reply = cast("WireReply", reply)
        if find_error(reply):
            error = error_from_reply(reply, raw_reply, now=self._opened.now)
            # What came of the answer goes on, for the partial message; then the error is raised.
            yield cast("WireReply", {**reply, "choices": [_without_finish(choice) for choice in _choices(reply)]})
            raise error
        if not _choices(reply):
            raise malformed("The reply has no choices.", raw_reply)
        yield reply


def has_content(chunk: WireReply) -> bool:
    """Say whether a chunk holds something of the answer, or its end."""
    for choice in _choices(chunk):
        delta = choice.get("delta") or {}
        if choice.get("finish_reason") or any(delta.get(key) for key in CONTENT_KEYS):
            return True
    return bool(chunk.get("usage"))


def _choices(reply: WireReply) -> list[WireChoice]:
    choices = reply.get("choices")
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def _without_finish(choice: WireChoice) -> WireChoice:
    return cast("WireChoice", {**choice, "finish_reason": None}) if choice.get("finish_reason") else choice


def as_chunk(reply: WireReply) -> WireReply:
    """Give a plain reply the form of a stream's chunk: a stream of one."""
    choices = [{**choice, "delta": choice.get("message") or {}} for choice in _choices(reply)]
    return cast("WireReply", {**reply, "choices": choices})


def _without_comments(body: bytes) -> bytes:
    return b"\n".join(line for line in body.splitlines() if not line.startswith(b":")).strip()


def _not_json(text: str) -> str:
    if not text:
        return "The reply is empty."
    return f"The reply is not JSON: it begins with {text[:80]!r}."
