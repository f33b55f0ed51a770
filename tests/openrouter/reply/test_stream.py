import json
import math
from typing import Any, cast

import pytest

from langchain_kimi._openrouter.reply.stream import AFTER_DONE, AFTER_ERROR, AFTER_FINISH, StreamReader
from langchain_kimi.errors import (
    KimiContextOverflowError,
    KimiError,
    KimiIncompleteStreamError,
    KimiInvalidRequestError,
    KimiMalformedReplyError,
    KimiRateLimitError,
    KimiServerError,
    KimiTimeoutError,
)
from tests.growth import assert_linear
from tests.openrouter.events import BILLED, COMMENT, DONE, USAGE, WHOLE, chunk, event, finished, text_event
from tests.openrouter.reply.read import ERROR, Read, Waiting

NULLS = event({"id": "gen-1", "choices": None})
WHOLE_ENDS = {
    "everything": (finished(), BILLED, DONE),
    "no [DONE]": (finished(), BILLED),
    "no finish reason": (BILLED, DONE),
    "neither usage nor [DONE]": (finished(),),
    "only [DONE]": (DONE,),
    "the finish reason again": (finished(), chunk({"content": ""}, finish_reason="stop", usage=USAGE), DONE),
    "usage in a choice without a finish reason": (finished(), chunk({"content": ""}, usage=USAGE), DONE),
    "choices null": (NULLS, finished(), NULLS, DONE),
    "choices missing": (event({"id": "gen-1"}), finished(), DONE),
    "comments everywhere": (COMMENT, finished(), COMMENT, b":\n\n", BILLED, COMMENT, DONE, COMMENT),
    "an unfinished last event": (finished(), BILLED.rstrip(b"\n")),
    "an unfinished [DONE]": (b"data: [DONE]",),
    "a torn last event": (finished(), BILLED[:30]),
    "anything after [DONE]": (DONE, text_event("!"), b"data: nonsense\n\n", event({"error": {}, "usage": USAGE})),
    "an error after the finish reason and [DONE]": (finished(), DONE, event({"error": ERROR})),
    "an error by its event's name after both": (finished(), BILLED, DONE, b"event: error\n" + event(ERROR)),
    "[DONE] glued to a chunk": (finished().rstrip(b"\n") + b"[DONE]\n\n", text_event("!")),
}


@pytest.mark.parametrize("end", WHOLE_ENDS.values(), ids=WHOLE_ENDS.keys())
def test_a_complete_reply(end: tuple[bytes, ...]) -> None:
    read = Read(text_event("Hel"), text_event("lo"), *end)
    assert read.error is None
    assert read.text == "Hello"
    assert read.reader.has_begun


@pytest.mark.parametrize("separator", [b"", b"\n", b" ", b"\r\n"])
def test_chunks_glued_together_in_one_event(separator: bytes) -> None:
    payloads = [piece.removeprefix(b"data: ").strip() for piece in (text_event("Hel"), text_event("lo"), finished())]
    # A line break inside an event's payload begins a new line of data.
    glued = b"data: " + separator.join(payloads).replace(b"\n", b"\ndata: ") + b"\n\n"
    read = Read(glued, DONE)
    assert (read.error, read.text, len(read.chunks)) == (None, "Hello", 3)


def test_chunks_at_every_split() -> None:
    body = b"".join((COMMENT, *WHOLE[:2], COMMENT, *WHOLE[2:])).replace(b"\n", b"\r\n")
    expected = Read(body).outcome()
    for cut in range(len(body)):
        assert Read(body[:cut], body[cut:]).outcome() == expected
    assert Read(*(body[at : at + 1] for at in range(len(body)))).outcome() == expected


def test_events_with_equal_fields_in_pieces_of_their_own_and_together() -> None:
    events = [text_event(text) for text in ("a", "b", 'c"', "\n", "", "d")]
    expected = Read(*events, finished(), DONE)
    assert expected.text == 'abc"\nd'
    assert [json.loads(one[len(b"data: ") :]) for one in events] == expected.chunks[:-1]
    for pieces in ([b"".join(events)], [*events[:3], b"".join(events[3:])]):
        assert Read(*pieces, finished(), DONE).outcome() == expected.outcome()


def test_raw_control_characters_in_strings_are_accepted() -> None:
    assert Read(b'data: {"choices": [{"delta": {"content": "a\tb"}}]}\n\n', DONE).text == "a\tb"


CUT = {
    "nothing": (),
    "only comments": (COMMENT, COMMENT, b": "),
    "only text": (text_event("Hel"),),
    "usage alone is no end": (text_event("Hel"), BILLED),
    "inside an event": (text_event("Hel"), finished()[:40]),
    "inside the first event": (text_event("Hel")[:20],),
    "inside a comment": (text_event("Hel"), b": OPENROUTER PR"),
    "blanks": (b" \n \n",),
}


@pytest.mark.parametrize("body", CUT.values(), ids=CUT.keys())
def test_a_truncated_reply(body: tuple[bytes, ...]) -> None:
    error = Read(*body).error
    assert type(error) is KimiIncompleteStreamError
    assert (error.status, error.generation_id, error.is_retryable) == (200, "gen-of-the-head", True)
    assert "neither a finish reason nor [DONE] came" in str(error)


ERRORS = {
    "beside choices, as documented": (event({"error": ERROR, **json.loads(finished("error")[6:])}),),
    "alone": (event({"error": ERROR, "id": "gen-1"}),),
    "beside null choices": (event({"error": ERROR, "id": None, "model": None, "choices": None}),),
    "in a choice": (chunk({"content": ""}, error=ERROR, finish_reason="error"),),
    "in a choice without a finish reason": (event({"choices": [{"delta": {}, "error": ERROR}]}),),
    "inside of provider": (event({"provider": {"error": ERROR}, "choices": []}),),
    "after the finish reason": (finished("length"), event({"error": ERROR, "choices": []})),
    "before its usage": (event({"error": ERROR}), BILLED),
    "before a finish reason and usage": (event({"error": ERROR}), finished(), BILLED, DONE),
    "with its usage": (event({"error": ERROR, "choices": [], "usage": USAGE}),),
    "by the event's name": (b"event: error\n" + event(ERROR),),
    "by the event's name and by its own key": (b"event: error\r\n" + event({"error": ERROR}),),
    "after [DONE] without a finish reason": (DONE, event({"error": ERROR})),
    "after [DONE] by the event's name": (DONE, b"event: error\n" + event(ERROR)),
    "twice": (event({"error": ERROR}), event({"error": {"message": "another"}})),
    "and then a torn event": (event({"error": ERROR}), BILLED[:25]),
    "and then nonsense": (event({"error": ERROR}), b"data: {nonsense\n\n"),
}


@pytest.mark.parametrize("done", [b"", DONE], ids=["cut", "done"])
@pytest.mark.parametrize("text", ["", "Hel"], ids=["at once", "later"])
@pytest.mark.parametrize("events", ERRORS.values(), ids=ERRORS.keys())
def test_an_error_in_the_stream(events: tuple[bytes, ...], text: str, done: bytes) -> None:
    read = Read(COMMENT, *([text_event(text)] if text else []), *events, done)
    assert type(read.error) is KimiServerError
    assert read.error.reason == "Upstream closed"
    assert (read.error.code, read.error.status, read.error.is_retryable) == (502, 502, True)
    assert (read.text, read.reader.has_begun) == (text, bool(text))
    # An answer that failed has no end of its own, or it would be taken for whole.
    assert {choice.get("finish_reason") for choice in read.choices} <= {None, "length"}


def test_the_usage_of_a_failed_call_is_kept_and_ends_the_wait() -> None:
    read = Read(text_event("Hel"), event({"error": ERROR}), BILLED, text_event("never read"))
    assert read.error is not None
    assert read.error.usage == USAGE
    assert not read.closed


def test_done_after_an_error_ends_the_wait() -> None:
    read = Read(event({"error": ERROR}), DONE, text_event("never read"))
    assert type(read.error) is KimiServerError
    assert not read.closed


def test_text_beside_and_after_an_error_is_yielded() -> None:
    read = Read(text_event("He"), chunk({"content": "l"}, error=ERROR), text_event("lo"))
    assert read.text == "Hello"
    assert type(read.error) is KimiServerError


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"code": "server_error", "message": "x"}, KimiServerError, 500),
        ({"message": "x"}, KimiServerError, 500),
        ({"code": 400, "message": "Token limit reached"}, KimiInvalidRequestError, 400),
        ({"code": "context_length_exceeded", "message": "x"}, KimiContextOverflowError, 400),
        ({"code": 429, "message": "x"}, KimiRateLimitError, 429),
        ({"message": "x", "error_type": "rate_limit_exceeded", "http_status": 429}, KimiRateLimitError, 429),
        ({"code": "no_such_word", "message": "x"}, KimiServerError, 500),
        ("plain words", KimiServerError, 500),
        (["nonsense"], KimiServerError, 500),
    ],
)
def test_the_kinds_of_errors_in_a_stream(error: Any, kind: type[KimiError], status: int) -> None:
    error_of_reply = Read(event({"error": error})).error
    assert type(error_of_reply) is kind
    assert error_of_reply.status == status


def other(text: str, index: Any = 1, **more: Any) -> bytes:
    return event({"id": "gen-1", "choices": [{"index": index, "delta": {"content": text}, **more}]})


def test_a_choice_of_another_index_is_left_out() -> None:
    both = event({"choices": [{"index": 1, "delta": {"content": "x"}}, {"index": 0, "delta": {"content": "l"}}]})
    ended = other("?", finish_reason="length")
    read = Read(text_event("Hel"), other("Other"), both, ended, text_event("o"), finished(), BILLED, DONE)
    assert (read.error, read.text) == (None, "Hello")
    assert {choice.get("finish_reason") for choice in read.choices} == {None, "stop"}


def test_the_choice_0_is_followed_although_another_one_comes_first() -> None:
    read = Read(other("x", 3), other("Hel", 0), other("y", 3), other("lo", 0), other("", 0, finish_reason="stop"), DONE)
    assert (read.error, read.text) == (None, "Hello")


@pytest.mark.parametrize("end", [[DONE], []])
def test_the_lowest_choice_is_the_answer_without_the_choice_0(end: list[bytes]) -> None:
    last = other("", 2, finish_reason="stop")
    read = Read(other("x", 3), other("Hel", 2), other("y", 3), other("lo", 2), last, *end)
    assert (read.error, read.text) == (None, "Hello")


def test_an_error_comes_after_the_part_of_another_choice() -> None:
    read = Read(other("Hel"), event({"error": {"message": "Upstream closed", "code": 502}}))
    assert (type(read.error), read.text) == (KimiServerError, "Hel")


def test_a_choice_without_an_index_is_followed() -> None:
    unnumbered = event({"choices": [{"delta": {"content": "lo"}}]})
    assert Read(text_event("Hel"), unnumbered, finished(), DONE).text == "Hello"


@pytest.mark.parametrize("number", ["1" * 5000, "1" * 400, "-" + "1" * 400, "1e999"])
def test_a_number_beyond_every_float_does_not_lose_the_answer(number: str) -> None:
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": 3, "cost": %s}}\n\n' % number.encode()
    read = Read(text_event("Hello"), finished(), usage, DONE)
    assert (read.error, read.text) == (None, "Hello")
    assert math.isinf(cast("Any", read.chunks[-1])["usage"]["cost"])


@pytest.mark.uncovered
@pytest.mark.parametrize("unit", [b'{"choices":[]}', b"[DONE]", b"1 ", b'"\\u0041'])
def test_an_event_is_parsed_in_linear_time(unit: bytes) -> None:
    def read(size: int) -> None:
        Read(b"data: " + unit * (size // len(unit)) + b"\n\n")

    assert_linear(read)


def test_the_finish_reason_error_alone_is_an_error() -> None:
    read = Read(text_event("Hel"), finished("error"), BILLED, DONE)
    assert type(read.error) is KimiServerError
    assert "finish reason 'error'" in read.error.reason


MALFORMED = {
    "no JSON": (b"data: {nonsense\n\n", "An event of the stream is not JSON"),
    "text": (b"data: upstream connect error\n\n", "An event of the stream is not JSON"),
    "a chunk and rubbish": (text_event("a").rstrip(b"\n") + b"}}\n\n", "An event of the stream is not JSON"),
    "far too deep": (b"data: " + b"[" * 100_000 + b"\n\n", "An event of the stream is not JSON"),
    "a list": (b"data: [1]\n\n", "An event of the stream is not a JSON object"),
    "a number": (b"data: 7\n\n", "An event of the stream is not a JSON object"),
    "null": (b"data: null\n\n", "An event of the stream is not a JSON object"),
    "choices of text": (event({"choices": ["x"]}), "A choice does not have the documented form"),
    "choices that are text": (event({"choices": "x"}), "A choice does not have the documented form"),
    "one choice of two": (event({"choices": [None, {"delta": {}}]}), "A choice does not have the documented form"),
    "a delta of text": (event({"choices": [{"delta": "x"}]}), "A choice does not have the documented form"),
}


@pytest.mark.parametrize(("payload", "text"), MALFORMED.values(), ids=MALFORMED.keys())
def test_events_that_are_not_chunks(payload: bytes, text: str) -> None:
    read = Read(text_event("Hel"), payload, text_event("lo"), DONE)
    assert type(read.error) is KimiMalformedReplyError
    assert text in str(read.error)
    assert read.error.response is not None
    assert read.error.response.text
    assert read.error.generation_id == "gen-of-the-head"


@pytest.mark.parametrize("choices", [None, [], 0, "", {}])
def test_chunks_without_choices_are_yielded(choices: Any) -> None:
    nothing = event({"id": "gen-1", "choices": choices, "debug": {}})
    read = Read(nothing, event({"choices": [{"delta": {}, "finish_reason": "stop"}]}), DONE)
    assert (read.error, len(read.chunks)) == (None, 2)
    assert not read.reader.has_begun


@pytest.mark.parametrize("choices", [None, [], 0, "", {}])
def test_a_stream_without_any_choice_is_malformed(choices: Any) -> None:
    read = Read(event({"id": "gen-1", "choices": choices}), DONE)
    assert type(read.error) is KimiMalformedReplyError
    assert "no choices" in str(read.error)
    assert read.error.is_retryable


@pytest.mark.parametrize(
    ("delta", "begun"),
    [
        ({}, False),
        ({"role": "assistant", "content": ""}, False),
        ({"content": None, "reasoning": None, "reasoning_details": []}, False),
        ({"content": "a"}, True),
        ({"reasoning": "a"}, True),
        ({"reasoning_content": "a"}, True),
        ({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}, True),
        ({"tool_calls": [{"index": 0}]}, True),
        ({"refusal": "no"}, True),
        ({"annotations": [{}]}, True),
        ({"images": [{}]}, True),
        ({"audio": {"data": "x"}}, True),
    ],
)
def test_content_reasoning_and_calls_begin_an_answer(delta: dict[str, Any], *, begun: bool) -> None:
    assert Read(chunk(delta)).reader.has_begun is begun


@pytest.mark.parametrize("ending", [finished(), BILLED, DONE, COMMENT, NULLS])
def test_events_without_content_do_not_begin_an_answer(ending: bytes) -> None:
    assert not Read(ending).reader.has_begun


@pytest.mark.parametrize("nothing", [COMMENT, b":\n\n", b": OPENR", b"", chunk({"content": ""}), chunk({}), BILLED])
def test_events_without_content_do_not_reset_the_idle_time(nothing: bytes) -> None:
    wait = Waiting(StreamReader)
    assert wait((100.0, text_event("a")), (60.0, nothing), (59.0, nothing)) == 1.0
    with pytest.raises(KimiTimeoutError, match="No content came for 120 seconds"):
        wait((2.0, nothing))


def test_content_resets_the_idle_time() -> None:
    assert (
        Waiting(StreamReader)((119.0, COMMENT), (1.0, text_event("a")), (119.0, COMMENT), (1.0, text_event("a")))
        is None
    )


def test_a_slow_consumer_uses_no_idle_time() -> None:
    # Its time is not among the seconds that are passed in, however many comments pile up meanwhile.
    assert Waiting(StreamReader, 1.0)(*[(0.0, COMMENT)] * 1000) is None


def test_a_large_event_is_content_before_it_is_complete() -> None:
    large = chunk({"images": [{"image_url": {"url": "x" * 1000}}]})
    wait = Waiting(StreamReader)
    assert wait(*((100.0, large[at : at + 100]) for at in range(0, len(large), 100))) is None
    assert wait.reader.has_begun


def test_without_an_idle_limit_there_is_no_timeout() -> None:
    assert Waiting(StreamReader, None)((9e9, COMMENT), (9e9, COMMENT)) is None


@pytest.mark.parametrize(
    ("end", "patience"),
    [
        ((DONE,), AFTER_DONE),
        ((finished(),), AFTER_FINISH),
        ((finished(), BILLED), AFTER_FINISH),
        ((finished(), DONE), AFTER_DONE),
        ((finished(), BILLED, DONE), AFTER_DONE),
        ((event({"error": ERROR}),), AFTER_ERROR),
        ((finished(), event({"error": ERROR})), AFTER_ERROR),
    ],
)
def test_the_wait_after_the_end_of_an_answer_is_short(end: tuple[bytes, ...], patience: float) -> None:
    wait = Waiting(StreamReader)
    assert wait(*((100.0 * (piece is end[0]), piece) for piece in end)) == patience
    assert wait((patience / 2, COMMENT)) == patience / 2
    assert wait((1000.0, COMMENT)) == 0.0


def test_after_done_nothing_extends_the_wait() -> None:
    half = AFTER_DONE / 2
    assert Waiting(StreamReader)((0.0, DONE), (half, text_event("more")), (half, b"data: half of an")) == 0.0


def test_content_after_the_finish_reason_resets_the_wait() -> None:
    assert Waiting(StreamReader)((0.0, finished()), (9.0, text_event("more")), (0.0, COMMENT)) == AFTER_FINISH
