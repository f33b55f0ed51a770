import pytest

from langchain_kimi._openrouter.limits import MAX_REPLY_BYTES
from langchain_kimi._openrouter.reply.bodies import (
    MAX_ERROR_BYTES,
    CommentFilter,
    ErrorBodyReader,
    parse_body,
    read_body,
    size_with,
    without_comments,
)
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi.errors import KimiMalformedReplyError, KimiReplyTooLargeError, KimiServerError
from tests.openrouter.events import COMMENT

HEAD = ResponseHead(200, {}, 0.0)


def test_the_size_of_a_reply_is_limited() -> None:
    assert size_with(5, b"abc") == 8
    assert size_with(MAX_REPLY_BYTES - 3, b"abc") == MAX_REPLY_BYTES
    with pytest.raises(KimiReplyTooLargeError, match="larger than 256 MiB"):
        size_with(MAX_REPLY_BYTES - 2, b"abc")


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        (b"", b""),
        (COMMENT, b""),
        (b'{"a": 1}', b'{"a": 1}'),
        (COMMENT * 2 + b'{"a": 1}', b'{"a": 1}'),
        (b'{"a": 1}\n\n' + COMMENT, b'{"a": 1}'),
        (b":\r\n\r\n{\r\n:\r\n}\r\n:", b"{\n:\n}"),
        (b":x\r: y\r{}", b"{}"),
        (b"  {} ", b"{}"),
    ],
)
def test_comments_and_blanks_at_both_ends_are_removed(body: bytes, rest: bytes) -> None:
    assert without_comments(body) == rest


def test_many_comments_are_removed() -> None:
    assert without_comments(COMMENT * 100_000 + b"{}") == b"{}"


def test_raw_line_breaks_in_strings_are_accepted() -> None:
    assert parse_body(HEAD, '{"a": "b\n"}') == {"a": "b\n"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "The reply is empty."),
        ("<html>", "The reply is not JSON: it begins with '<html>'."),
        ("[" * 100_000, "The reply is not JSON"),
        ("[" * 200 + "]" * 200, "The reply is nested too deeply."),
    ],
)
def test_text_that_is_not_json_is_refused(text: str, reason: str) -> None:
    with pytest.raises(KimiMalformedReplyError) as caught:
        parse_body(HEAD, text)
    assert caught.value.reason.startswith(reason)


@pytest.mark.parametrize(
    ("pieces", "rest"),
    [
        ([b"{}"], b"{}"),
        ([b" \n", b":x", b"y\n\r", b":", b"{", b"\n{}", b"..."], b"{}..."),
        ([b":\n", b" :x", b"{}\r{"], b"{"),
        ([b": x\n{"], b"{"),
        ([b":", b""], b""),
    ],
)
def test_comments_before_a_body_are_removed_while_it_arrives(pieces: list[bytes], rest: bytes) -> None:
    comments, body = CommentFilter(), b""
    for piece in pieces:
        body += piece if body else comments.strip(piece)
    assert body == rest


def test_an_error_keeps_only_the_beginning_of_a_large_body() -> None:
    for body in (b"<" * 2**20, b"[" + b"1," * 2**19 + b"1]", b'{"choices": [], "x": "' + b"y" * 2**20 + b'"}'):
        with pytest.raises(KimiMalformedReplyError) as caught:
            list(read_body(HEAD, body))
        assert caught.value.response is not None
        assert len(caught.value.response.text) == MAX_ERROR_BYTES


def test_the_body_of_an_error_takes_no_more_memory_than_is_read() -> None:
    reader = ErrorBodyReader(ResponseHead(502, {}, 0.0), {})
    for _ in range(100):
        reader.feed(b"x" * (MAX_ERROR_BYTES - 1), 0.0)
    with pytest.raises(KimiServerError) as caught:
        reader.close()
    assert caught.value.response is not None
    assert len(caught.value.response.text) == MAX_ERROR_BYTES
