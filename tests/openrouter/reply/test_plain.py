"""Plain replies, also to requests for a stream."""

import json
from typing import Any, cast

import pytest

from langchain_kimi._openrouter.reply.chunks import as_chunk
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.reply.stream import PlainReader, StreamReader
from langchain_kimi._openrouter.wire import WireEvent
from langchain_kimi.errors import (
    KimiError,
    KimiIncompleteStreamError,
    KimiMalformedReplyError,
    KimiServerError,
    KimiTimeoutError,
)
from tests.openrouter.events import COMMENT, DONE, WHOLE, event, text_event
from tests.openrouter.reply.read import ERROR, Read, Waiting, plain

MESSAGE = {"role": "assistant", "content": "Hello"}
ANSWER = {"id": "gen-1", "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}]}
PADDING = b"\n         \n"

ENDLESS_EVENTS = (
    b"data: \n\n",
    b"data: {}\n\n",
    b"event: ping\n\n",
    b"id: 1\nretry: 1\n",
    b"data:\n",
    event({"choices": [{"index": 0, "delta": {"content": ""}}]}),
    event({"choices": []}),
    COMMENT,
    b": a comment without end",
)


@pytest.mark.parametrize("padding", [b"", PADDING * 50, b"\xef\xbb\xbf"])
def test_a_plain_reply(padding: bytes) -> None:
    read = plain(padding + json.dumps(ANSWER).encode())
    assert (read.error, read.chunks) == (None, [ANSWER])
    assert not read.reader.has_begun


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "The reply is empty."),
        (PADDING, "The reply is empty."),
        (b"<html>\xff</html>", "The reply is not JSON: it begins with '<html>"),
        (json.dumps(ANSWER).encode()[:-1], "The reply is not JSON"),
        (b"[" * 100_000, "The reply is not JSON"),
        (b'"text"', "The reply is not a JSON object."),
        (b'{"choices": []}', "The reply has no choices."),
        (b'{"choices": null, "id": "gen-1"}', "The reply has no choices."),
        (b'{"choices": 7}', "A choice does not have the documented form."),
        (b'{"choices": ["x"]}', "A choice does not have the documented form."),
        (b'{"choices": [{"message": "x"}]}', "A choice does not have the documented form."),
        (b'{"choices": [7, {"message": {}}]}', "A choice does not have the documented form."),
    ],
)
def test_a_body_that_is_not_a_reply_is_an_error(body: bytes, text: str) -> None:
    error = plain(body).error
    assert type(error) is KimiMalformedReplyError
    assert text in str(error)
    generation_id = "gen-1" if b'"gen-1"' in body else "gen-of-the-head"
    assert (error.status, error.generation_id, error.is_retryable) == (200, generation_id, True)


FAILED = {
    "alone": {"error": ERROR, "user_id": "user_x"},
    "among nulls": {"error": ERROR, "id": None, "model": None, "choices": None},
    "beside an answer": {**ANSWER, "error": ERROR},
    "in a choice": {"choices": [{"message": MESSAGE, "finish_reason": "error", "error": ERROR}]},
    "in a choice without a finish reason": {"choices": [{"message": MESSAGE, "error": ERROR}]},
    "inside of provider": {**ANSWER, "provider": {"error": ERROR}},
}


@pytest.mark.parametrize("body", FAILED.values(), ids=FAILED.keys())
def test_an_error_inside_a_200(body: dict[str, Any]) -> None:
    read = plain(body)
    assert type(read.error) is KimiServerError
    assert read.error.reason == "Upstream closed"
    # What came of the answer is handed on, but without its end.
    assert [choice["message"] for choice in read.choices] == ([MESSAGE] if body.get("choices") else [])
    assert {choice.get("finish_reason") for choice in read.choices} <= {None}


def test_blanks_before_a_plain_reply_are_not_content() -> None:
    wait = Waiting(PlainReader, 10.0)
    assert wait((8.0, PADDING)) == 2.0
    assert wait((1.0, b" {"), (8.0, b"\n"), (1.0, b"}")) is None
    with pytest.raises(KimiTimeoutError, match="No content came for 10 seconds"):
        wait((11.0, b"\n"))


def test_a_plain_reply_as_a_chunk() -> None:
    reply = cast("WireEvent", {"id": "gen-1", "choices": [{"message": {"content": "a"}}, {"message": None}]})
    assert [choice.get("delta") for choice in as_chunk(reply).get("choices") or ()] == [{"content": "a"}, {}]


@pytest.mark.parametrize("before", [b"", COMMENT, COMMENT * 3 + b":\n\n", PADDING * 4])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_plain_answer_to_a_streamed_request_is_one_chunk(before: bytes, indent: int | None) -> None:
    body = before + json.dumps(ANSWER, indent=indent).encode()
    for pieces in ((body,), (body[:40], body[40:]), [body[at : at + 1] for at in range(len(body))]):
        read = Read(*pieces)
        assert (read.error, read.text, len(read.chunks)) == (None, "Hello", 1)
        assert read.reader.has_begun


@pytest.mark.parametrize("before", [b"", COMMENT])
@pytest.mark.parametrize("body", [{"error": ERROR, "user_id": None}, {"error": ERROR, "choices": []}])
def test_a_plain_error_to_a_streamed_request_is_retryable(body: dict[str, Any], before: bytes) -> None:
    read = Read(before + json.dumps(body).encode())
    assert type(read.error) is KimiServerError
    assert read.error.reason == "Upstream closed"
    assert not read.reader.has_begun


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"<html><body>502 Bad Gateway</body></html>", "is not JSON: it begins with '<html>"),
        (b"error code: 524", "is not JSON: it begins with 'error code: 524'"),
        (b"[1]", "The reply is not a JSON object"),
        (b"{}", "The reply has no choices"),
        (b'{"choices": null}', "The reply has no choices"),
    ],
)
def test_a_body_without_an_answer_to_a_streamed_request(body: bytes, text: str) -> None:
    error = Read(COMMENT, body).error
    assert type(error) is KimiMalformedReplyError
    assert text in str(error)
    assert error.response is not None
    assert body.decode() in error.response.text


@pytest.mark.parametrize(
    "before", [b"", COMMENT * 2, PADDING, b"\xef\xbb\xbf", b"id: 1\nevent: message\n", b"retry: 5\r\n\r\n"]
)
def test_a_streamed_answer_to_a_plain_request(before: bytes) -> None:
    read = Read(before + b"".join(WHOLE), kind=PlainReader)
    assert (read.error, read.text) == (None, "Hello")


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (text_event("Hel"), KimiIncompleteStreamError, "The stream ended before the reply did"),
        (text_event("Hel") + event({"error": ERROR}), KimiServerError, "Upstream closed"),
        (b"event: error\n" + event(ERROR), KimiServerError, "Upstream closed"),
        (DONE, KimiMalformedReplyError, "The reply has no choices"),
        (b"data:", KimiIncompleteStreamError, "The stream ended before the reply did"),
        (b"event: data: x\n\n", KimiIncompleteStreamError, "The stream ended before the reply did"),
        (COMMENT, KimiMalformedReplyError, "The reply is empty"),
    ],
)
def test_an_incomplete_streamed_answer_to_a_plain_request(body: bytes, kind: type[KimiError], text: str) -> None:
    read = Read(body, kind=PlainReader)
    assert type(read.error) is kind
    assert text in str(read.error)


@pytest.mark.parametrize(("before", "after"), [(COMMENT * 2, b""), (b"", COMMENT), (b"\r\n" + COMMENT, PADDING)])
@pytest.mark.parametrize("indent", [None, 2])
def test_comments_around_a_plain_reply(before: bytes, after: bytes, indent: int | None) -> None:
    read = Read(before + json.dumps(ANSWER, indent=indent).encode() + b"\n" + after, kind=PlainReader)
    assert (read.error, read.chunks) == (None, [ANSWER])


def test_comments_before_a_plain_error() -> None:
    read = Read(COMMENT + json.dumps({"error": ERROR}).encode(), kind=PlainReader)
    assert type(read.error) is KimiServerError


@pytest.mark.parametrize(
    ("body", "is_complete"),
    [
        (json.dumps(ANSWER).encode(), True),
        (COMMENT + json.dumps(ANSWER).encode(), True),
        (json.dumps({"error": ERROR}).encode(), True),
        (b"", False),
        (PADDING, False),
        (json.dumps(ANSWER).encode()[:-1], False),
        (text_event("Hel"), False),
        (b'{"choices": []}', False),
    ],
)
def test_a_reply_on_a_connection_that_stays_open(body: bytes, *, is_complete: bool) -> None:
    waiting = Waiting(PlainReader, 10.0)
    before = waiting((1.0, body))
    timer = waiting.head.idle_timer
    assert timer.is_satisfied() is is_complete
    assert waiting.head.idle_timer is timer
    assert timer.left == (0.0 if is_complete else before)


def test_endless_blanks_after_a_complete_reply_are_not_an_error() -> None:
    waiting = Waiting(PlainReader, 10.0)
    assert waiting((1.0, json.dumps(ANSWER).encode()), (6.0, PADDING), (6.0, PADDING)) == 0.0
    assert list(waiting.reader.close()) == [ANSWER]


def test_comments_are_not_content() -> None:
    wait = Waiting(PlainReader, 10.0)
    assert wait((8.0, COMMENT)) == 2.0
    assert wait((1.0, text_event("Hel"))) is None


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_streamed_answer_to_a_plain_request_is_read_while_it_arrives(size: int) -> None:
    body = COMMENT + b"retry: 5\n\n" + b"".join(WHOLE)
    reader = PlainReader(ResponseHead(200, {}, 0.0), None)
    chunks = [chunk for start in range(0, len(body), size) for chunk in reader.feed(body[start : start + size], 0.0)]
    deltas: list[Any] = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == "Hello"
    assert list(reader.close()) == []


@pytest.mark.parametrize("kind", [PlainReader, StreamReader])
@pytest.mark.parametrize("piece", ENDLESS_EVENTS)
def test_events_without_content_do_not_extend_the_idle_limit(
    kind: type[PlainReader | StreamReader], piece: bytes
) -> None:
    wait = Waiting(kind, 10.0)
    with pytest.raises(KimiTimeoutError):
        wait(*[(1.0, piece)] * 13)


def test_a_streamed_answer_to_a_plain_request_is_complete_at_its_end() -> None:
    wait = Waiting(PlainReader, 10.0)
    assert wait((1.0, b"".join(WHOLE))) == 0.25
