"""Failures of the transfer: wrong HTTP headers, damaged bytes and broken connections."""

from typing import Any

from langchain_kimi.errors import (
    KimiConnectionError,
    KimiEmptyReplyError,
    KimiIncompleteStreamError,
    KimiMalformedReplyError,
    KimiRateLimitError,
    KimiReplyTooLargeError,
    KimiServerError,
    KimiUnexpectedStatusError,
)
from langchain_kimi.testing import faults
from langchain_kimi.testing.faults import http_error
from tests.faults.cases import AGAIN, ANSWER, ENDLESS_TEXT, PROVIDER, Answered, Case, Failed

SHORT = {"timeout": 0.25, "max_retries": 0}
WHOLE = Answered()
MOST = "one two three four"
"""The part of `TEXT` in the first half of a stream's bytes."""


def malformed(leads: str, **more: Any) -> Failed:
    """Return the failure of a malformed reply."""
    facts: dict[str, Any] = {"status": 200, "retryable": True, "generation": True, "advises": AGAIN}
    return Failed(kind=KimiMalformedReplyError, leads=leads, **{**facts, **more})


def cut(leads: str = "The connection broke before the reply ended", **more: Any) -> Failed:
    """Return the failure of a truncated reply."""
    facts: dict[str, Any] = {"status": 200, "retryable": True, "generation": True, "advises": AGAIN}
    return Failed(kind=KimiIncompleteStreamError, leads=leads, **{**facts, **more})


def unconnected(**more: Any) -> Failed:
    """Return the failure of a connection without a reply."""
    leads = "The connection to 127.0.0.1 broke before a reply came"
    return Failed(kind=KimiConnectionError, leads=leads, advises="trying again may help.", retryable=True, **more)


def status(number: int, **more: Any) -> Failed:
    """Return the failure with a status that OpenRouter does not document."""
    facts: dict[str, Any] = {"advises": "check base_url, the proxy and the request.", "status": number}
    return Failed(kind=KimiUnexpectedStatusError, **{**facts, **more})


ENCODINGS = (
    Case(what="compressed, gzip", script=[faults.compressed(damage="none").on(ANSWER)], plain=WHOLE),
    Case(what="compressed, deflate", script=[faults.compressed("deflate", "none").on(ANSWER)], plain=WHOLE),
    *(
        Case(
            what=f"{coding}, damaged",
            script=[faults.compressed(coding).on(ANSWER)],
            plain=malformed("The reply cannot be decompressed (DecodingError"),
        )
        for coding in ("gzip", "deflate")
    ),
    Case(
        what="gzip, damaged, then an answer",
        script=[faults.compressed().on(ANSWER), ANSWER],
        plain=Answered(requests=2),
    ),
    *(
        Case(
            what=f"{coding}, cut off",
            script=[faults.compressed(coding, "cut").on(ANSWER)],
            plain=malformed("The reply is not JSON", provider=PROVIDER),
            streamed=cut("The stream ended before the reply did"),
        )
        for coding in ("gzip", "deflate")
    ),
    Case(
        what="an unrequested and unsupported encoding",
        script=[faults.unasked_compression().on(ANSWER)],
        plain=malformed(
            "The reply has the content encoding compress, which the request did not accept.",
            advises="a server on the way compresses replies.",
        ),
    ),
)  # fmt: skip

FRAMES = (
    Case(
        what="a Content-Length that is too large, then the connection is closed",
        script=[faults.wrong_length(50).on(ANSWER)],
        plain=WHOLE,
    ),
    Case(
        what="a Content-Length that is too large, then silence",
        script=[faults.wrong_length(50, closed=False).on(ANSWER)],
        settings=SHORT,
        plain=WHOLE,
    ),
    Case(
        what="a Content-Length that is too small",
        script=[faults.wrong_length(-60).on(ANSWER)],
        settings={"max_retries": 0},
        plain=malformed("The reply is not JSON", retryable=False, provider=PROVIDER),
        streamed=WHOLE,
    ),
    Case(
        what="chunks that end within a length",
        script=[faults.chunk_cut().on(ANSWER)],
        plain=cut(),
        streamed=cut(shown=MOST, provider=PROVIDER),
    ),
    Case(
        what="a chunk without a length",
        script=[faults.chunk_damaged().on(ANSWER)],
        plain=cut(),
        streamed=cut(shown=MOST, provider=PROVIDER),
    ),
    Case(what="the last chunk is missing", script=[faults.end_missing().on(ANSWER)], plain=WHOLE),
    Case(
        what="the server closes its half of the connection within the body",
        script=[faults.half_closed().on(ANSWER)],
        plain=cut(),
        streamed=cut(shown=MOST, provider=PROVIDER),
    ),
    Case(what="100 before the answer", script=[faults.informational(100).on(ANSWER)], plain=WHOLE),
    Case(what="103 before the answer, twenty times", script=[faults.informational(103, 20).on(ANSWER)], plain=WHOLE),
    Case(
        what="comments around an answer that is not streamed",
        script=[faults.comments_around().on(ANSWER)],
        plain=WHOLE,
    ),
    Case(
        what="an endless text",
        script=[ENDLESS_TEXT],
        plain=Failed(
            kind=KimiReplyTooLargeError, leads="The reply is larger than 256 MiB.", advises="or request less.",
            status=200, generation=True,
        ),
        streamed=Failed(
            kind=KimiReplyTooLargeError, leads="An event of the stream is larger than 16 MiB.",
            advises="or request less.", status=200, generation=True,
        ),
    ),
)  # fmt: skip

STATUSES = (
    *(
        Case(what=f"an answer with status {number}", script=[faults.answered_with(number).on(ANSWER)], plain=WHOLE)
        for number in (201, 202, 203)
    ),
    *(
        Case(
            what=f"{number} without a body",
            script=[faults.bare_status(number)],
            plain=malformed("The reply is empty.", status=number, generation=False),
            streamed=cut("The stream ended before the reply did", status=number, generation=False),
        )
        for number in (204, 205)
    ),
    *(
        Case(
            what=f"{number} without a body",
            script=[faults.bare_status(number)],
            plain=status(number, leads=f"HTTP status {number} without a body"),
        )
        for number in (304, 418, 499, 999)
    ),
    Case(
        what="501, which a retry does not change",
        script=[http_error(501, "Not here.")],
        plain=Failed(
            kind=KimiServerError, leads="Not here.", advises="Trying again will not help", status=501, code=501
        ),
    ),
    *(
        Case(
            what=f"{number} from the edge server, then an answer",
            script=[faults.bare_status(number), ANSWER],
            plain=Answered(requests=2),
        )
        for number in (520, 521, 522, 523, 525, 526, 527, 530)
    ),
    *(
        Case(
            what=f"429 with a Retry-After {what}, then an answer",
            script=[http_error(429, "Slowly.", headers={"retry-after": value}), ANSWER],
            plain=Answered(requests=2),
        )
        for what, value in {
            "below zero": "-5", "in the past": "Wed, 21 Oct 2015 07:28:00 GMT", "that is no number": "nan",
            "that is no date": "Mon, 99 Foo 2099 99:99:99 GMT", "of no year": "1 Jan 99999 00:00:00 GMT",
            "with nothing in it": "", "of four hundred digits": "9" * 400, "that is two": "5, 6",
        }.items()
    ),
    *(
        Case(
            what=f"429 with a Retry-After {what}",
            script=[http_error(429, "Slowly.", headers={"retry-after": value})],
            settings={"max_retries": 0},
            plain=Failed(
                kind=KimiRateLimitError, leads="Slowly.", advises="before the next attempt.", status=429, code=429
            ),
        )
        for what, value in {"of thirty years": "1e9", "in the far future": "Wed, 21 Oct 2999 07:28:00 GMT"}.items()
    ),
)  # fmt: skip

CONNECTIONS = (
    Case(what="the connection is closed without a reply", script=[faults.unanswered()], plain=unconnected()),
    Case(
        what="the connection is reset without a reply", script=[faults.unanswered(reset=True)],
        plain=unconnected(),
    ),
    Case(
        what="the connection is closed without a reply, then an answer", script=[faults.unanswered(), ANSWER],
        plain=Answered(requests=2),
    ),
    Case(
        what="the connection is closed after the answer, unannounced", script=[faults.closed_after().on(ANSWER)],
        plain=WHOLE,
    ),
)  # fmt: skip

EMPTY = Failed(
    kind=KimiEmptyReplyError, leads="The model's reply is empty", advises="may help", status=200, generation=True,
    provider=PROVIDER, usage=True, retryable=True,
)  # fmt: skip
CONTENTS = (
    Case(what="true as content", script=[faults.odd_content(content=True)], plain=EMPTY),
    Case(what="a number as content", script=[faults.odd_content(5)], plain=Answered(text="5")),
    Case(
        what="an object with a text as content", script=[faults.odd_content({"type": "text", "text": "Hi."})],
        plain=Answered(text="Hi."),
    ),
    Case(
        what="an object without a text as content", script=[faults.odd_content({"answer": 5})],
        plain=Answered(text='{"answer": 5}'),
    ),
)  # fmt: skip
CASES = (*ENCODINGS, *FRAMES, *STATUSES, *CONNECTIONS, *CONTENTS)
