import pytest

from langchain_kimi._openrouter.limits import MAX_REPLY_BYTES
from langchain_kimi._openrouter.reply.bodies import parse_body, size_with, without_comments
from langchain_kimi.errors import KimiMalformedReplyError, KimiReplyTooLargeError, RawReply
from tests.openrouter.events import COMMENT


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
    assert parse_body(RawReply(200, {}, '{"a": "b\n"}')) == {"a": "b\n"}


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
        parse_body(RawReply(200, {}, text))
    assert caught.value.reason.startswith(reason)
