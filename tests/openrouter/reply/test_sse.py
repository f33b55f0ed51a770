from itertools import pairwise

import pytest

from langchain_kimi._openrouter.reply.sse import ErrorPayload, EventDecoder

CASES = {
    "line feeds": (b"data: one\n\ndata: two\n\n", [b"one", b"two"]),
    "carriage returns and line feeds": (b"data: one\r\n\r\ndata: two\r\n\r\n", [b"one", b"two"]),
    "carriage returns": (b"data: one\r\rdata: two\r\r", [b"one", b"two"]),
    "mixed line ends": (b"data: one\r\n\ndata: two\r\rdata: three\n\r\n", [b"one", b"two", b"three"]),
    "comments between events": (b": wait\n\ndata: one\n\n: wait\n\n: wait\n\ndata: two\n\n", [b"one", b"two"]),
    "a comment inside an event": (b"data: one\n: wait\ndata: two\n\n", [b"one\ntwo"]),
    "a bare colon": (b":\n\n: \n\ndata: one\n\n:\n", [b"one"]),
    "no blank after the colon": (b"data:one\n\n", [b"one"]),
    "two blanks after the colon": (b"data:  one\n\n", [b" one"]),
    "several lines of data": (b"data: one\ndata:\ndata: three\n\n", [b"one\n\nthree"]),
    "a mark of the byte order": (b"\xef\xbb\xbfdata: one\n\ndata: \xef\xbb\xbftwo\n\n", [b"one", b"\xef\xbb\xbftwo"]),
    "a mark of the byte order before a comment": (b"\xef\xbb\xbf: wait\n\ndata: one\n\n", [b"one"]),
    "characters of several bytes": ("data: Käse 🧀 月\n\n".encode(), ["Käse 🧀 月".encode()]),
    "separators of Unicode are no line ends": ("data: a\u2028b\x85c\n\n".encode(), ["a\u2028b\x85c".encode()]),
    "other fields": (b"event: message\nid: 7\nretry: 10\ndata: one\nfoo: bar\nfoo\n\n", [b"one"]),
    "names that only begin alike": (b"database: x\ndata2: y\n data: z\ndata: one\n\n", [b"one"]),
    "data without a colon": (b"data\n\ndata: one\n\n", [b"", b"one"]),
    "an empty payload": (b"data:\n\ndata: \n\ndata: one\n\n", [b"", b"", b"one"]),
    "events without data": (b"event: ping\n\n\n\n\ndata: one\n\n", [b"one"]),
    "an event that is not closed": (b"data: one\n\ndata: two", [b"one", b"two"]),
    "an event that is closed by half": (b"data: one\n\ndata: two\r\n", [b"one", b"two"]),
    "a carriage return at the end": (b"data: one\r", [b"one"]),
    "two carriage returns at the end": (b"data: one\r\r", [b"one"]),
    "nothing": (b"", []),
    "only comments": (b": wait\n\n: wait\n\n", []),
    "a body that is no stream": (b'{"error": {"message": "data: no"}}', []),
    "[DONE]": (b'data: {"a": 1}\n\ndata: [DONE]\n\n', [b'{"a": 1}', b"[DONE]"]),
}


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_an_event_named_error_at_every_split(end: bytes) -> None:
    lines = [b"data: one", b"", b"event: error", b"", b"event:error", b"data: two", b"", b"data: three", b"", b""]
    body = end.join(lines)
    for cut in range(len(body) + 1):
        decoder = EventDecoder()
        payloads = [*decoder.feed(body[:cut]), *decoder.feed(body[cut:]), *decoder.close()]
        assert payloads == [b"one", b"two", b"three"], f"cut at {cut}"
        assert [isinstance(payload, ErrorPayload) for payload in payloads] == [False, True, False], f"cut at {cut}"


def test_a_field_named_error_is_the_data_of_an_error() -> None:
    decoder = EventDecoder()
    [payload] = decoder.feed(b'error: {"message": "boom"}\n\n')
    assert payload == b' {"message": "boom"}'
    assert isinstance(payload, ErrorPayload)
    assert not isinstance(decoder.feed(b"data: one\n\n")[0], ErrorPayload)


def decoded(*pieces: bytes) -> list[bytes]:
    decoder = EventDecoder()
    return [payload for piece in pieces for payload in decoder.feed(piece)] + decoder.close()


@pytest.mark.parametrize(("body", "payloads"), CASES.values(), ids=CASES.keys())
def test_payloads_at_every_split(body: bytes, payloads: list[bytes]) -> None:
    assert decoded(body) == payloads
    for cut in range(len(body) + 1):
        assert decoded(body[:cut], body[cut:]) == payloads, f"cut at {cut}"
    assert decoded(*(body[at : at + 1] for at in range(len(body)))) == payloads


@pytest.mark.parametrize(("body", "payloads"), CASES.values(), ids=CASES.keys())
def test_payloads_at_every_two_splits(body: bytes, payloads: list[bytes]) -> None:
    for first in range(0, len(body), 3):
        for second in range(first, len(body), 5):
            pieces = [body[start:end] for start, end in pairwise([0, first, second, len(body)])]
            assert decoded(*pieces) == payloads, f"cut at {first} and {second}"


def test_an_event_is_returned_as_soon_as_it_is_complete() -> None:
    decoder = EventDecoder()
    assert decoder.feed(b"data: one\n") == []
    assert decoder.feed(b"\ndata: tw") == [b"one"]
    assert decoder.feed(b"o\r\n\r") == []
    assert decoder.feed(b"\n") == [b"two"]
    assert decoder.close() == []


@pytest.mark.parametrize(
    ("body", "amid"),
    [
        (b"", False),
        (b"da", False),
        (b"data:", True),
        (b"data: half of a", True),
        (b"data: a line\n", True),
        (b"data: a line\r", True),
        (b"data: a line\n: wait", True),
        (b"data: whole\n\n", False),
        (b"data: whole\n\n: wai", False),
        (b": wait", False),
        (b"event: ping\n", False),
    ],
)
def test_being_inside_an_event_at_every_split(body: bytes, *, amid: bool) -> None:
    for cut in range(len(body) + 1):
        decoder = EventDecoder()
        decoder.feed(body[:cut])
        decoder.feed(body[cut:])
        assert decoder.is_inside_event is amid, f"cut at {cut}"


def test_a_decoder_has_a_part_of_an_event_unless_the_last_bytes_ended_one() -> None:
    decoder = EventDecoder()
    parts = []
    for piece in (b"data: a\n\n", b"da", b"ta: b\n", b"\n", b"data: c\n\ndata: d\n\n", b"event: error\n"):
        decoder.feed(piece)
        parts.append(decoder.has_part)
    # After lines of another form, an empty rest counts as a part.
    assert parts == [False, True, True, True, False, True]
