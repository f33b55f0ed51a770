"""Everything that reads the bytes of a server takes time in proportion to their number, whatever they are."""

import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from langchain_kimi._openrouter.errors import error_from_reply, error_from_response
from langchain_kimi._openrouter.http.decoding import DecodingError, ZlibDecoder
from langchain_kimi._openrouter.overflow import reports_overflow
from langchain_kimi._openrouter.redaction import Redactor
from langchain_kimi._openrouter.reply.assembly import ReasoningDetails
from langchain_kimi._openrouter.reply.bodies import CommentFilter, read_body, without_comments
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.reply.stream import PlainReader, StreamReader
from langchain_kimi._openrouter.retry_after import retry_after
from langchain_kimi.errors import KimiError, RawReply
from tests.conftest import KEY
from tests.growth import assert_linear

pytestmark = pytest.mark.uncovered

PIECE = 4096
REDACTOR = Redactor([KEY, "planted-header-value"])


def repeated(unit: bytes, size: int) -> bytes:
    return unit * max(1, size // len(unit))


def head() -> ResponseHead:
    return ResponseHead(200, {}, 0.0)


def read(reader: Any, body: bytes, size: int) -> None:
    with suppress(KimiError):
        for start in range(0, len(body), size):
            list(reader.feed(body[start : start + size], 0.0))
        list(reader.close())


def read_whole(body: bytes) -> None:
    with suppress(KimiError):
        list(read_body(head(), without_comments(body)))


def filter_comments(body: bytes) -> None:
    comments = CommentFilter()
    for start in range(0, len(body), 16):
        comments.strip(body[start : start + 16])


def decode(body: bytes) -> None:
    for sent in (gzip.compress(body), gzip.compress(b"")[:10] + body):
        decoder = ZlibDecoder()
        with suppress(DecodingError):
            for start in range(0, len(sent), 64):
                list(decoder.decode(sent[start : start + 64]))


def text_of(body: bytes) -> str:
    return body.decode("utf-8", errors="replace")


READERS: dict[str, Callable[[bytes], object]] = {
    "stream": lambda body: read(StreamReader(head(), None), body, PIECE),
    "stream, in small pieces": lambda body: read(StreamReader(head(), None), body, 16),
    "plain": lambda body: read(PlainReader(head(), None), body, PIECE),
    "plain, in small pieces": lambda body: read(PlainReader(head(), None), body, 16),
    "body": read_whole,
    "comments": filter_comments,
    "error page": lambda body: error_from_response(502, {}, text_of(body), now=0.0),
    "error message": lambda body: error_from_reply(
        {"error": {"message": text_of(body), "metadata": {"raw": text_of(body)}}}, RawReply(400, {}, ""), now=0.0
    ),
    "redaction": lambda body: REDACTOR.text(text_of(body)),
    "overflow": lambda body: reports_overflow(text_of(body)),
    "wait": lambda body: retry_after({"retry-after": text_of(body[:10_000])}, {}, {}, 0.0),
    "compression": decode,
}
UNITS = (
    b"<", b"<style", b"<script>", b"</style><style>", b"&lt;", b"&", b"[", b'{"a":', b"[1.5,", b'"', b"\\", b'\\"',
    b"data:\n", b"data: \n\n", b"data: x\r", b"data: {}\n\n", b"data:", b":\n", b": x\n\n", b":", b"\n", b"\r", b"\r\n",
    b" ", b"\t\n", b"event: error\n", b"event: error\ndata: x\n\n", b"retry: 1\n", b"\xef\xbb\xbf", b"\xff",
    b"\xe2\x82", b"\0", b"sk-", b"sk-or-v1-", b"eyJ", b"eyJaaaaaaaa.", b"Bearer ", b"bearer", b"http://a:", b"://", b"://a:b",
    b"Basic%20", b"maximum context length is 1 tokens. ", b"model model ", b"AIza", b"A", b"9", b"9,", b"a ", b"-",
    b"_", b"pk-", b"-eyJaaaaaaaa", b"org_", b"key-", b"user_a",
    b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n', b'data: {"choices":[{}]}\n\n',
    b'data: {"error":{"message":"x"}}\n\n', b"data: [DONE]\n\n", b"{}", b"1 ", b"null",
)  # fmt: skip


PAIRS = [pytest.param(reader, unit, id=f"{name}: {unit!r}") for unit in UNITS for name, reader in READERS.items()]


def check_reader(reader: Callable[[bytes], object], unit: bytes) -> None:
    # One reader at a time: the time of the others would hide that of a quadratic one.
    assert_linear(lambda size: reader(repeated(unit, size)))


# 7 and the number of readers have no common divisor, so that each reader gets its share of the units.
@pytest.mark.parametrize(("reader", "unit"), PAIRS[::7])
def test_readers_take_linear_time(reader: Callable[[bytes], object], unit: bytes) -> None:
    check_reader(reader, unit)


@pytest.mark.long
@pytest.mark.parametrize(("reader", "unit"), PAIRS)
def test_each_reader_takes_linear_time(reader: Callable[[bytes], object], unit: bytes) -> None:
    check_reader(reader, unit)


@pytest.mark.long
@given(start=st.sampled_from([b"", *UNITS]), units=st.lists(st.sampled_from(UNITS), min_size=1, max_size=4))
def test_no_combination_takes_more_than_linear_time(start: bytes, units: list[bytes]) -> None:
    def read_all(size: int) -> None:
        body = start + repeated(b"".join(units), size)
        for reader in READERS.values():
            reader(body)

    assert_linear(read_all, 4000)


@pytest.mark.parametrize("names", [("index",), ("id",), ("index", "id"), ("signature",), ()])
def test_many_reasoning_details_take_linear_time(names: tuple[str, ...]) -> None:
    def add(size: int) -> None:
        details = ReasoningDetails()
        for number in range(size):
            details.add([{"type": "reasoning.text", "text": "a", **{name: f"{name}{number}" for name in names}}])
        json.dumps(details.entries())

    assert_linear(add, 200)
