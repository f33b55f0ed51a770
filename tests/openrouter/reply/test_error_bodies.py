import json

import pytest

from langchain_kimi._openrouter.reply.bodies import ERROR_BODY_WAIT, MAX_ERROR_BYTES, ErrorBodyReader
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi.errors import KimiError, KimiRateLimitError, KimiServerError, KimiTimeoutError

KEY = "planted-key-that-opens-nothing"
BODY = json.dumps({"error": {"code": 429, "message": "Slöw down"}}, ensure_ascii=False).encode()


def error_of(*pieces: bytes, status: int = 429, headers: dict[str, str] | None = None) -> KimiError:
    reader = ErrorBodyReader(ResponseHead(status, {"retry-after": "3"}, 0.0), headers or {})
    for piece in pieces:
        assert reader.feed(piece, 0.0) == ()
    with pytest.raises(KimiError) as raised:
        reader.close()
    return raised.value


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_end_of_the_body_is_the_error(size: int) -> None:
    error = error_of(*(BODY[at : at + size] for at in range(0, len(BODY), size)))
    assert type(error) is KimiRateLimitError
    assert (error.reason, error.retry_after, error.status) == ("Slöw down", 3.0, 429)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", BODY[:20]])
def test_a_truncated_body_still_has_its_status(body: bytes) -> None:
    error = error_of(body)
    assert type(error) is KimiRateLimitError
    assert error.response is not None
    assert error.response.text == body.decode(errors="replace")


def test_the_wait_for_an_error_body_is_short() -> None:
    head = ResponseHead(502, {}, 0.0)
    reader = ErrorBodyReader(head, {})
    assert head.idle_timer.left == ERROR_BODY_WAIT
    reader.feed(b"<", 3.0)
    assert head.idle_timer.left == ERROR_BODY_WAIT - 3.0
    reader.feed(b"h", 300.0)
    assert head.idle_timer.left == 0.0


def test_an_endless_page_is_not_read_to_its_end() -> None:
    head = ResponseHead(502, {}, 0.0)
    reader = ErrorBodyReader(head, {})
    reader.feed(b"x" * (MAX_ERROR_BYTES - 1), 0.0)
    assert head.idle_timer.left
    reader.feed(b"x" * 10, 0.0)
    assert head.idle_timer.left == 0.0
    with pytest.raises(KimiServerError) as raised:
        reader.close()
    assert raised.value.response is not None
    assert len(raised.value.response.text) == MAX_ERROR_BYTES


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_a_key_in_an_error_page_is_redacted(name: str) -> None:
    error = error_of(
        f"<pre>Authorization: Bearer {KEY}</pre> {KEY}".encode(), headers={name: f"Bearer {KEY}", "X": "Y"}
    )
    assert error.response is not None
    for text in (str(error), repr(error), error.response.text):
        assert KEY not in text
    assert error.reason == "Authorization: Bearer [key] [key]"


def test_a_string_too_short_for_a_key_is_not_redacted() -> None:
    assert error_of(b"a b c", headers={"Authorization": "Bearer b"}).reason == "a b c"


def test_explain_adds_nothing() -> None:
    reader = ErrorBodyReader(ResponseHead(502, {}, 0.0), {})
    error = KimiTimeoutError("x")
    reader.explain(error)
    assert not reader.has_begun
    assert str(error) == "x"
