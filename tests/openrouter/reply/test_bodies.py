import pytest

from langchain_kimi._openrouter.limits import LARGEST_REPLY
from langchain_kimi._openrouter.reply.bodies import grown, tolerantly_parsed, without_comments
from langchain_kimi.errors import KimiMalformedReplyError, KimiReplyTooLargeError, RawReply
from tests.openrouter.events import COMMENT


def test_a_reply_grows_up_to_its_limit() -> None:
    assert grown(5, b"abc") == 8
    assert grown(LARGEST_REPLY - 3, b"abc") == LARGEST_REPLY
    with pytest.raises(KimiReplyTooLargeError, match="larger than 256 MiB"):
        grown(LARGEST_REPLY - 2, b"abc")


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
def test_comments_and_blanks_at_both_ends_go(body: bytes, rest: bytes) -> None:
    assert without_comments(body) == rest


def test_many_comments_take_no_longer_than_they_are() -> None:
    assert without_comments(COMMENT * 100_000 + b"{}") == b"{}"


def test_line_breaks_in_texts_are_read() -> None:
    assert tolerantly_parsed(RawReply(200, {}, '{"a": "b\n"}')) == {"a": "b\n"}


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
        tolerantly_parsed(RawReply(200, {}, text))
    assert caught.value.reason.startswith(reason)
