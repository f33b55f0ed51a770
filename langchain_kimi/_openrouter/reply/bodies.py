"""Read bodies that are not streams: size limit, comments, tolerant parsing, and the bodies of error statuses."""

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, cast

from langchain_kimi._openrouter.errors import error_from_reply, error_from_response, find_error, malformed
from langchain_kimi._openrouter.json import JSON, parse_lenient
from langchain_kimi._openrouter.limits import MAX_REPLY_BYTES, MAX_VALUES, is_too_deep, too_large
from langchain_kimi._openrouter.redaction import Redactor, secrets_of
from langchain_kimi._openrouter.reply.chunks import (
    is_valid,
    numbered,
    with_documented_calls,
    without_finish,
    without_list,
)
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.wire import JSONObject, WireEvent
from langchain_kimi._patterns import lazy_pattern
from langchain_kimi.errors import KimiError, RawReply

MAX_SHOWN = 80
"""The number of characters of a body that is not JSON that its error shows."""
NO_CHOICES = "The reply has no choices."
INVALID_CHOICE = "A choice does not have the documented form."
ERROR_BODY_WAIT = 5.0
"""The maximum wait for the body of an error in seconds. It is short because the status alone is nearly sufficient."""
MAX_ERROR_BYTES = 2**18
"""The maximum number of bytes that are read of an error body, and stored of any reply in an error. No real error body
is longer, but a page may be endless."""


def size_with(size: int, piece: bytes) -> int:
    """Return the size of a reply with its next piece.

    Raises:
        KimiReplyTooLargeError: The reply is larger than `MAX_REPLY_BYTES`.
    """
    if size + len(piece) > MAX_REPLY_BYTES:
        raise too_large("The reply", MAX_REPLY_BYTES)
    return size + len(piece)


LONGEST_BEGINNING = 1000
"""The number of characters of a reply that cannot be parsed which are searched for its id."""
_FACT = lazy_pattern(r'[{,]\s*"(id|model|provider)"\s*:\s*"([^"\\]{1,200})"')

BLANKS_AND_COMMENTS = lazy_pattern(rb"(?:[ \t\r\n]++|:[^\r\n]*+)*+")
"""The possessive quantifiers take no memory for each repetition."""
_BLANKS = b" \t\r\n"


class CommentFilter:
    """Remove the keep-alive comments and blanks before a body while it arrives, so that they take no memory."""

    def __init__(self) -> None:
        self._is_inside = False

    def strip(self, piece: bytes) -> bytes:
        """Return the next bytes from the beginning of the body on, or no bytes while the body is empty."""
        if self._is_inside:
            # The colon marks the rest of a comment as a comment.
            piece = b":" + piece
        end = BLANKS_AND_COMMENTS.match(piece).end()  # type: ignore[union-attr]  # it matches everywhere
        if end < len(piece):
            self._is_inside = False
            return piece[end:]
        self._is_inside = piece[max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1 :].lstrip().startswith(b":")
        return b""


def without_comments(body: bytes) -> bytes:
    """Return a body without the keep-alive comments and blanks at both ends, in linear time."""
    body = CommentFilter().strip(body).rstrip(_BLANKS)
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    end = len(body)
    while (line_end := body.rfind(b"\n", 0, end)) >= 0 and _is_comment(body, line_end + 1, end):
        end = line_end
    return body[:end].rstrip(_BLANKS)


def _is_comment(body: bytes, start: int, end: int) -> bool:
    return body.startswith(b":", start) or not body[start:end].strip(_BLANKS)


def truncated_reply(head: ResponseHead, text: str) -> RawReply:
    """Return a reply for an error, with only the beginning of its text."""
    return RawReply(head.status, head.headers, text[:MAX_ERROR_BYTES])


def read_body(head: ResponseHead, body: bytes) -> Iterator[WireEvent]:
    """Yield the reply in a body that is not a stream, or the part of an answer before an error.

    Raises:
        KimiError: The body contains an error, or is not a complete reply.
    """
    if len(body) > MAX_VALUES and body.count(b",") > MAX_VALUES:
        raise too_large("The reply", MAX_VALUES, "values")
    value = JSON.parse(body) or parse_body(head, body.decode("utf-8-sig", errors="replace").strip())
    reply = cast("WireEvent", without_list(value))
    if not isinstance(reply, dict):
        raise malformed("The reply is not a JSON object.", _truncated_body(head, body))
    items: Any = reply.get("choices")
    choices = [with_documented_calls(choice) for _, choice in numbered(items)] if isinstance(items, list) else []
    valid = [choice for choice in choices if is_valid(choice)]
    ordered = cast("WireEvent", {**reply, "choices": valid})
    # The first choice is the answer, so errors of the others are ignored.
    first = cast("WireEvent", {**reply, "choices": choices[:1]})
    if find_error(first):
        # The part of the answer is yielded first, for the partial message; then the error is raised.
        yield cast("WireEvent", {**reply, "choices": [without_finish(choice) for choice in valid]})
        raise error_from_reply(first, _truncated_body(head, body), now=head.now)
    if not (choices and is_valid(choices[0])):
        reason = INVALID_CHOICE if reply.get("choices") else NO_CHOICES
        raise malformed(reason, _truncated_body(head, body), cast("JSONObject", reply))
    yield ordered if len(choices) > 1 or choices[0] is not items[0] else reply


def _truncated_body(head: ResponseHead, body: bytes) -> RawReply:
    return truncated_reply(head, body[:MAX_ERROR_BYTES].decode("utf-8-sig", errors="replace").strip())


def parse_body(head: ResponseHead, text: str) -> Any:
    """Return the JSON value of a body; raw control characters inside strings are accepted.

    Raises:
        KimiMalformedReplyError: The body is not JSON, or is nested too deeply.
    """
    try:
        reply = parse_lenient(text)
    except ValueError:
        raise malformed(_not_json(text), truncated_reply(head, text), facts_before_choices(text)) from None
    if is_too_deep(reply, text):
        raise malformed("The reply is nested too deeply.", truncated_reply(head, text), facts_before_choices(text))
    return reply


def facts_before_choices(text: str) -> JSONObject:
    """Return the id, the model and the provider at the beginning of a reply that cannot be parsed.

    Every recorded reply has them before its choices, so a truncated one has them too.
    """
    beginning = text[:LONGEST_BEGINNING].partition('"choices"')[0]
    return dict(_FACT.findall(beginning)) if beginning.startswith("{") else {}


def _not_json(text: str) -> str:
    return f"The reply is not JSON: it begins with {text[:MAX_SHOWN]!r}." if text else "The reply is empty."


class ErrorBodyReader:
    """Collect the body of a response with an error status, and raise the error at its end, however it ends."""

    def __init__(self, head: ResponseHead, request_headers: Mapping[str, str]) -> None:
        self._head = head
        self._request_headers = request_headers
        self._pieces: list[bytes] = []
        self._length = 0
        head.idle_timer.finish_within(ERROR_BODY_WAIT)

    @property
    def has_begun(self) -> bool:
        """Always false: an error body is not an answer."""
        return False

    def feed(self, piece: bytes, waited: float) -> tuple[()]:
        """Take the next bytes."""
        self._head.idle_timer.passed(waited, content=False)
        # A compressed packet may be decoded to a thousand times its size.
        if self._length < MAX_ERROR_BYTES:
            self._pieces.append(piece)
            self._length += len(piece)
        if self._length >= MAX_ERROR_BYTES:
            self._head.idle_timer.finish_within(0.0)
        return ()

    def close(self) -> NoReturn:
        """Take the end of the bytes.

        Raises:
            KimiError: Always, built from the status, the headers and the body.
        """
        text = b"".join(self._pieces)[:MAX_ERROR_BYTES].decode("utf-8", errors="replace")
        # A proxy's error page may repeat the request's headers.
        text = Redactor(secrets_of(self._request_headers)).text(text)
        raise error_from_response(self._head.status, self._head.headers, text, now=self._head.now)

    def explain(self, _error: KimiError) -> tuple[()]:
        """Do nothing: no part of an answer arrived."""
        return ()
