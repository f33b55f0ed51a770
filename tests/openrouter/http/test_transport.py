import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.reply.stream import StreamReader
from langchain_kimi._openrouter.retries import Retries
from langchain_kimi.errors import (
    KimiAuthenticationError,
    KimiConnectionError,
    KimiError,
    KimiIncompleteStreamError,
    KimiInvalidRequestError,
    KimiMalformedReplyError,
    KimiNotFoundError,
    KimiPaymentRequiredError,
    KimiRateLimitError,
    KimiServerError,
    KimiTimeoutError,
    KimiUnexpectedStatusError,
    KimiUsageError,
)
from langchain_kimi.testing.http1 import Cut, Response
from tests.conftest import KEY
from tests.openrouter.events import COMMENT, DONE, WHOLE, event, finished, text_event
from tests.openrouter.http.calling import Ask, Recorded, Text, call, serving, streamed

GOOD = streamed(*WHOLE)
PLAIN = Response(200, {"content-type": "application/json"}, (b'{"choices": [{"message": {"content": "Hello"}}]}',))
ERROR = {"code": 503, "message": "Upstream is busy"}
FULL = Retries(3, chance=lambda: 1.0)


def refused(status: int, **headers: str) -> Response:
    body = json.dumps({"error": {"code": status, "message": f"status {status}"}}).encode()
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, (body,), chunked=False)


@pytest.mark.parametrize(("plain", "answer"), [(False, GOOD), (True, PLAIN), (False, PLAIN)])
def test_a_call_returns_the_text_of_the_reply(ask: Ask, answer: Response, *, plain: bool) -> None:
    with serving(answer) as server:
        assert ask(call(server.url, plain=plain, headers={"X-Mine": "1"})) == ["Hello"]
    [request] = server.requests
    assert (request.method, request.target) == ("POST", "/api/v1/chat/completions")
    assert (request.headers["authorization"], request.headers["x-mine"]) == (f"Bearer {KEY}", "1")
    assert request.body == b'{"messages": []}'


@pytest.mark.parametrize("answer", [GOOD, PLAIN, streamed(b"".join(WHOLE), chunked=False)])
def test_calls_share_a_connection(ask: Ask, answer: Response) -> None:
    with serving(answer) as server:
        assert ask(*[call(server.url)] * 4) == ["Hello"] * 4
        assert server.loopback.connections_opened == 1


def test_an_error_response_leaves_the_connection_usable(ask: Ask) -> None:
    with serving(refused(429), GOOD) as server:
        assert ask(call(server.url, retries=1, clock=Recorded())) == ["Hello"]
        assert server.loopback.connections_opened == 1


STATUSES: list[tuple[int, type[KimiError], bool]] = [
    (400, KimiInvalidRequestError, False),
    (401, KimiAuthenticationError, False),
    (402, KimiPaymentRequiredError, False),
    (404, KimiNotFoundError, False),
    (408, KimiServerError, True),
    (418, KimiUnexpectedStatusError, False),
    (429, KimiRateLimitError, True),
    (500, KimiServerError, True),
    (503, KimiServerError, True),
    (524, KimiServerError, True),
]


@pytest.mark.uncovered
@pytest.mark.parametrize(("status", "kind", "is_retried"), STATUSES)
def test_a_failing_status_raises_its_error(ask: Ask, status: int, kind: type[KimiError], *, is_retried: bool) -> None:
    with serving(refused(status)) as server:
        [error] = ask(call(server.url, retries=2, clock=Recorded()))
    assert type(error) is kind
    assert len(server.requests) == (3 if is_retried else 1)
    assert [type(attempt) for attempt in error.attempts] == [kind] * (len(server.requests) - 1)
    assert ("after 3 attempts" in str(error)) is is_retried
    assert KEY not in str(error) + repr(error) + repr(vars(error))


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_n_retries_are_n_additional_attempts(ask: Ask, retries: int) -> None:
    recorded = Recorded()
    with serving(refused(503)) as server:
        [error] = ask(call(server.url, retries=Retries(retries, chance=lambda: 1.0), clock=recorded))
    assert type(error) is KimiServerError
    assert len(server.requests) == retries + 1
    assert recorded.slept == [0.5, 1.0, 2.0][:retries]


@pytest.mark.parametrize(
    ("answer", "slept"),
    [
        (refused(429, retry_after="7"), [8.75]),
        (refused(503, retry_after="0"), [0.0]),
        (refused(429, x_ratelimit_reset="1790000004000"), [5.0]),
        (refused(429, retry_after="86400"), [45.0]),
        (refused(500), [0.5]),
    ],
)
def test_a_requested_wait_is_obeyed_and_spread(ask: Ask, answer: Response, slept: list[float]) -> None:
    recorded = Recorded()
    with serving(answer, GOOD) as server:
        assert ask(call(server.url, retries=FULL, clock=recorded)) == ["Hello"]
    assert recorded.slept == slept


def test_no_wait_exceeds_the_total_timeout(ask: Ask) -> None:
    recorded = Recorded()
    with serving(refused(429, retry_after="7")) as server:
        [error] = ask(call(server.url, retries=FULL, clock=recorded, total=20.0))
    assert type(error) is KimiRateLimitError
    assert (recorded.slept, len(server.requests), len(error.attempts)) == ([8.75, 8.75], 3, 2)


def test_nothing_is_sent_after_the_total_timeout(ask: Ask) -> None:
    recorded = Recorded()

    def late(*_: Any) -> None:
        recorded.now += 100.0

    with serving(refused(429)) as server:
        [error] = ask(call(server.url, retries=FULL, clock=recorded, total=20.0, report=late))
    assert type(error) is KimiTimeoutError
    assert not error.is_retryable
    assert "total time of 20 seconds" in str(error)
    assert (len(server.requests), [type(one) for one in error.attempts]) == (1, [KimiRateLimitError])


def test_each_retry_is_reported(ask: Ask) -> None:
    reports: list[tuple[str, int, float]] = []

    def report(error: KimiError, attempt: int, wait: float) -> Any:
        reports.append((error.reason, attempt, wait))
        return aware() if ask.is_async else None

    async def aware() -> None:
        reports.append(("awaited", 0, 0.0))

    with serving(refused(500), refused(429), GOOD) as server:
        assert ask(call(server.url, retries=FULL, clock=Recorded(), report=report)) == ["Hello"]
    assert [one for one in reports if one[0] != "awaited"] == [("status 500", 1, 0.5), ("status 429", 2, 1.0)]
    assert (("awaited", 0, 0.0) in reports) is ask.is_async


BEFORE_CONTENT = {
    "an error event": streamed(COMMENT, event({"error": ERROR})),
    "an error event after an empty chunk": streamed(event({"choices": [{"delta": {}}]}), event({"error": ERROR}), DONE),
    "a JSON error": streamed(json.dumps({"error": ERROR}).encode()),
    "an HTML page": streamed(b"<html>busy</html>"),
    "nothing": streamed(),
    "only comments": streamed(COMMENT, COMMENT),
    "invalid JSON": streamed(b"data: {\n\n"),
    "a cut body": streamed(COMMENT, Cut(reset=False)),
    "a reset": streamed(COMMENT, Cut()),
    "no head": Response(before=(Cut(reset=False),)),
    "a truncated head": Response(before=(b"HTTP/1.1 200 OK\r\nContent-", Cut(reset=False))),
    "another protocol": Response(before=(b"SSH-2.0-OpenSSH\r\n", Cut(reset=False))),
}


@pytest.mark.uncovered
@pytest.mark.parametrize("bad", BEFORE_CONTENT.values(), ids=BEFORE_CONTENT.keys())
def test_failures_before_content_are_retried(ask: Ask, bad: Response) -> None:
    recorded = Recorded()
    with serving(bad, bad, GOOD) as server:
        assert ask(call(server.url, retries=FULL, clock=recorded)) == ["Hello"]
    assert (len(server.requests), recorded.slept) == (3, [0.5, 1.0])


AFTER_CONTENT: dict[str, tuple[tuple[Any, ...], type[KimiError]]] = {
    "an error event": ((event({"error": ERROR}),), KimiServerError),
    "the end": ((), KimiIncompleteStreamError),
    "a cut body": ((Cut(reset=False),), KimiIncompleteStreamError),
    "a reset": ((Cut(),), KimiIncompleteStreamError),
    "invalid JSON": ((b"data: {\n\n",), KimiMalformedReplyError),
}


@pytest.mark.parametrize(("after", "kind"), AFTER_CONTENT.values(), ids=AFTER_CONTENT.keys())
def test_there_are_no_retries_after_content(ask: Ask, after: tuple[Any, ...], kind: type[KimiError]) -> None:
    with serving(streamed(text_event("Hel"), *after), GOOD) as server:
        shown, error = ask.shows(call(server.url, retries=FULL, clock=Recorded()))
    assert shown == ["Hel"]
    assert type(error) is kind
    assert error.partial is not None
    assert error.partial.content == "Hel"
    assert len(server.requests) == 1


def test_held_back_parts_are_shown_before_the_error(ask: Ask) -> None:
    def reader(opened: ResponseHead) -> Text:
        holding = Text(opened, StreamReader, None)
        holding.closing = ["lo"]
        return holding

    with serving(streamed(text_event("Hel"), Cut())) as server:
        shown, error = ask.shows(replace(call(server.url), new_reader=reader))
    assert shown == ["Hel", "lo"]
    assert type(error) is KimiIncompleteStreamError


@pytest.mark.parametrize("cut", [Cut(), Cut(reset=False)])
def test_the_error_of_a_broken_connection_names_the_call(ask: Ask, cut: Cut) -> None:
    with serving(streamed(text_event("Hel"), cut)) as server:
        [error] = ask(call(server.url))
    assert (error.status, error.generation_id, error.is_retryable) == (200, "gen-1", True)
    assert error.reason.startswith("The connection broke before the reply ended (")


@pytest.mark.parametrize("end", [(DONE,), (finished(),), (finished(), DONE)])
@pytest.mark.parametrize("cut", [Cut(), Cut(reset=False)])
def test_a_complete_reply_is_returned_from_a_broken_connection(ask: Ask, end: Any, cut: Cut) -> None:
    with serving(streamed(text_event("Hello"), *end, cut)) as server:
        assert ask(call(server.url)) == ["Hello"]


def test_a_truncated_plain_reply_is_an_error(ask: Ask) -> None:
    with serving(streamed(b'{"choices": [', Cut(reset=False))) as server:
        [error] = ask(call(server.url, plain=True, retries=1, clock=Recorded()))
    assert type(error) is KimiIncompleteStreamError
    assert len(server.requests) == 2


@pytest.mark.parametrize("cut", [Cut(), Cut(reset=False)])
def test_a_truncated_error_response_has_its_status(ask: Ask, cut: Cut) -> None:
    with serving(Response(429, {"retry-after": "9"}, (b"slow", cut))) as server:
        [error] = ask(call(server.url))
    assert type(error) is KimiRateLimitError
    assert error.retry_after == 9.0


def test_a_redirect_is_not_followed(ask: Ask) -> None:
    with serving(GOOD) as elsewhere:
        answer = Response(307, {"location": f"{elsewhere.url}/chat/completions"}, (b"",), chunked=False)
        with serving(answer) as server:
            [error] = ask(call(server.url, retries=2, clock=Recorded()))
    assert type(error) is KimiUnexpectedStatusError
    assert error.status == 307
    assert (len(server.requests), elsewhere.requests) == (1, [])


@pytest.mark.parametrize(("plain", "body"), [(False, b"".join(WHOLE)), (True, PLAIN.steps[0])])
def test_a_compressed_body_is_decompressed(ask: Ask, body: bytes, *, plain: bool) -> None:
    packed = gzip.compress(body)
    pieces = (packed[:15], packed[15:])
    with serving(Response(200, {"content-encoding": "gzip"}, pieces, chunked=True)) as server:
        assert ask(call(server.url, plain=plain)) == ["Hello"]


def test_an_invalid_compressed_body_is_a_malformed_reply(ask: Ask) -> None:
    with serving(Response(200, {"content-encoding": "gzip"}, (b"no gzip",), chunked=True)) as server:
        [error] = ask(call(server.url))
    assert type(error) is KimiMalformedReplyError
    assert error.reason.startswith("The reply cannot be decompressed (DecodingError")
    assert error.status == 200


@pytest.mark.parametrize("status", [201, 202, 203, 299])
@pytest.mark.parametrize(("plain", "body"), [(False, b"".join(WHOLE)), (True, PLAIN.steps[0])])
def test_any_success_status_may_carry_a_reply(ask: Ask, body: bytes, status: int, *, plain: bool) -> None:
    with serving(Response(status, {}, (body,), chunked=False)) as server:
        assert ask(call(server.url, plain=plain)) == ["Hello"]


@pytest.mark.parametrize("status", [201, 204, 205])
@pytest.mark.parametrize(("plain", "kind"), [(False, KimiIncompleteStreamError), (True, KimiMalformedReplyError)])
def test_a_success_without_a_body_is_an_error(ask: Ask, status: int, kind: type[KimiError], *, plain: bool) -> None:
    with serving(Response(status, {}, (), chunked=False)) as server:
        [error] = ask(call(server.url, plain=plain))
    assert type(error) is kind
    assert (error.status, error.is_retryable) == (status, True)


def test_an_error_contains_no_cookie(ask: Ask) -> None:
    with serving(Response(200, {"Set-Cookie": "__cf_bm=secret", "X-One": "1"}, (b"data: {\n\n",))) as server:
        [error] = ask(call(server.url))
    assert error.response.headers["x-one"] == "1"
    assert "set-cookie" not in error.response.headers


def test_a_refused_connection_is_a_connection_error(ask: Ask) -> None:
    with serving(GOOD) as server:
        url = server.url
    [error] = ask(call(url, retries=1, clock=Recorded()))
    assert type(error) is KimiConnectionError
    assert error.reason.startswith("No connection to 127.0.0.1 (ConnectError")
    assert len(error.attempts) == 1


def test_the_error_for_an_invalid_header_does_not_contain_it(ask: Ask) -> None:
    with serving(GOOD) as server:
        [error, _] = ask(call(server.url, headers={"X-Secret": "planted\r\nX-Evil: 1"}), call(server.url))
    assert type(error) is KimiUsageError
    assert "planted" not in str(error)
    assert len(server.requests) == 1
