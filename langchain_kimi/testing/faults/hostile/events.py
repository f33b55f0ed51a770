"""Streams of server-sent events that are odd, broken, huge or endless."""

from langchain_kimi.testing.faults.hostile.entries import (
    END_OF_CHUNKS,
    body,
    chunked,
    endless,
    instead,
    same,
    within_text,
)
from langchain_kimi.testing.http1 import Repeat, frame

_EVENTS = "text/event-stream"
_MANY = 10_000
_MIB = 2**20
_DONE = b"data: [DONE]\n\n"
_DELTA = b'{"id":"gen-1","choices":[{"index":0,"delta":{"content":"%b"},"finish_reason":%b}]}'
_EMPTY = b"data: " + _DELTA % (b"", b"null") + b"\n\n"
_STREAM = b"data: " + _DELTA % (b"one two", b"null") + b"\n\ndata: " + _DELTA % (b"", b'"stop"') + b"\n\n" + _DONE
"""A complete stream, also for a plain request."""


def _by_bytes(sent: bytes) -> bytes:
    """Return a body with a chunk for each byte, so that characters of several bytes are split."""
    return b"".join(frame(bytes([byte])) for byte in sent) + END_OF_CHUNKS


def _over_lines(sent: bytes) -> bytes:
    """Return a stream whose JSON is broken over many `data` lines."""
    return sent.replace(b",", b"\ndata: ,")


ODD = (
    body(
        "events: a byte order mark",
        "UTF-8's mark first.",
        instead(b"\xef\xbb\xbf" + _STREAM),
        _EVENTS,
        client="answers",
    ),
    body("events: CR", "Lines that end in CR.", instead(_STREAM.replace(b"\n", b"\r")), _EVENTS, client="answers"),
    body(
        "events: CRLF", "Lines that end in CRLF.", instead(_STREAM.replace(b"\n", b"\r\n")), _EVENTS, client="answers"
    ),
    body(
        "events: no space",
        "No space after the colon.",
        instead(_STREAM.replace(b": ", b":")),
        _EVENTS,
        client="answers",
    ),
    body("events: many lines", "Events of many lines.", instead(_over_lines(_STREAM)), _EVENTS, client="answers"),
    body(
        "events: other fields",
        "Fields with NUL, and a wait of 400 digits.",
        instead(b"retry: " + b"9" * 400 + b"\nid: \0\nfoo: bar\ndata\n: x\n\n" + _STREAM),
        _EVENTS,
        client="either",
    ),
    body(
        "events: pings",
        "Events named ping.",
        instead(b"event: ping\nid: 1\n\n" * 99 + _STREAM),
        _EVENTS,
        client="answers",
    ),
    body(
        "events: empty data",
        "10,000 events without data.",
        instead(b"data:\n\n" * _MANY + _STREAM),
        _EVENTS,
        client="answers",
    ),
    body(
        "events: empty objects",
        "10,000 empty objects.",
        instead(b"data: {}\n\n" * _MANY + _STREAM),
        _EVENTS,
        client="either",
    ),
    body(
        "events: line separators",
        "U+2028 within a line.",
        instead(_STREAM.replace(b"two", "\u2028\u0085".encode())),
        _EVENTS,
        client="answers",
    ),
    chunked("events: a chunk for each byte", "Characters split between chunks.", _by_bytes, client="answers"),
    body(
        "events: a character cut by an event",
        "The two halves of a character in two events.",
        instead(_STREAM.replace(b"one two", b"\xe2\x82") + _STREAM.replace(b"one two", b"\xac")),
        _EVENTS,
        client="either",
    ),
    body(
        "events: no end",
        "Neither a finish reason nor `[DONE]`.",
        instead(b"data: " + _DELTA % (b"one", b"null") + b"\n\n"),
        _EVENTS,
    ),
    body(
        "events: no blank line",
        "The last event is not finished.",
        instead(_STREAM.removesuffix(b"\n\n")),
        _EVENTS,
        client="answers",
    ),
)

WRONG = (
    body(
        "events: only comments",
        "10,000 comments and the end.",
        instead(b": OPENROUTER PROCESSING\n\n" * _MANY),
        _EVENTS,
    ),
    body("events: only the end", "Only `[DONE]`.", instead(_DONE), _EVENTS),
    body("events: the end first", "`[DONE]` before the answer.", instead(_DONE + _STREAM), _EVENTS),
    body(
        "events: the end twice",
        "An answer after `[DONE]`.",
        instead(_STREAM + _STREAM.replace(b"one", b"evil")),
        _EVENTS,
        client="answers",
    ),
    body("events: a number", "A number as an event.", instead(b"data: 5\n\n" + _STREAM), _EVENTS),
    body("events: a list", "A list as an event.", instead(b"data: []\n\n" + _STREAM), _EVENTS),
    body("events: no JSON", "A word as an event.", instead(b"data: hello\n\n" + _STREAM), _EVENTS),
    body("events: named error", "An event named error.", instead(b"event: error\ndata: gone\n\n" + _DONE), _EVENTS),
    body(
        "events: an error in the middle",
        "An error after some text.",
        instead(
            b"data: " + _DELTA % (b"one", b"null") + b'\n\ndata: {"error":{"code":502,"message":"\\u001b[2J gone"}}\n\n'
        ),
        _EVENTS,
    ),
    body(
        "events: choices of other indices",
        "1,000 choices with other indices.",
        instead(
            b"".join(b'data: {"choices":[{"index":%d,"delta":{"content":"evil"}}]}\n\n' % at for at in range(1, 1000))
            + _STREAM
        ),
        _EVENTS,
        client="either",
    ),
    body(
        "events: a choice that is a number",
        "A number as a choice.",
        instead(b'data: {"choices":[5]}\n\n' + _STREAM),
        _EVENTS,
    ),
    body(
        "events: calls that change their index",
        "A call with indices of many types.",
        instead(
            b"".join(
                b'data: {"choices":[{"delta":{"tool_calls":[{"index":%b,"function":{"arguments":"{"}}]}}]}\n\n' % at
                for at in (b"0", b"-1", b"1e3", b'"0"', b"null", b"{}", b"99999999999999999999")
            )
            + _STREAM
        ),
        _EVENTS,
        client="either",
    ),
)

HUGE = (
    body(
        "events: a line of 8 MiB",
        "A comment of 8 MiB.",
        instead(b":" + b"x" * (8 * _MIB) + b"\n\n" + _STREAM),
        _EVENTS,
        client="answers",
    ),
    body("events: a line of 17 MiB", "A line of 17 MiB.", instead(b"data: " + b"x" * (17 * _MIB)), _EVENTS),
    body("events: an event of many lines", "An event of 3 million lines.", instead(b"data:\n" * (3 * _MIB)), _EVENTS),
    body(
        "events: a megabyte of brackets",
        "An event of opened lists.",
        instead(b"data: " + b"[" * _MIB + b"\n\n" + _STREAM),
        _EVENTS,
    ),
    body(
        "events: text of a megabyte",
        "A delta of a MiB.",
        instead(within_text(b"x" * _MIB)(_STREAM)),
        _EVENTS,
        client="answers",
    ),
)

ENDLESS = (
    endless(
        "events: comments for ever",
        "Comments without end.",
        instead(b": hi\n\n"),
        Repeat(frame(b": hi\n\n"), 0.01),
        _EVENTS,
    ),
    endless(
        "events: empty data for ever",
        "Empty data without end.",
        instead(b"data:\n\n"),
        Repeat(frame(b"data: \n\n"), 0.01),
        _EVENTS,
    ),
    endless(
        "events: empty data for ever, fast",
        "Empty data without end.",
        instead(b"data:\n\n"),
        Repeat(frame(b"data: \n\n" * 999), 0.0),
        _EVENTS,
    ),
    endless(
        "events: empty texts for ever",
        "Empty deltas without end.",
        instead(_EMPTY),
        Repeat(frame(_EMPTY), 0.01),
        _EVENTS,
    ),
    endless(
        "events: empty objects for ever",
        "Empty objects without end.",
        instead(b"data: {}\n\n"),
        Repeat(frame(b"data: {}\n\n"), 0.01),
        _EVENTS,
    ),
    endless(
        "events: pings for ever",
        "Pings without end.",
        instead(b"event: ping\n\n"),
        Repeat(frame(b"event: ping\n\n"), 0.01),
        _EVENTS,
    ),
    endless(
        "events: fields for ever",
        "Fields without end.",
        instead(b"id: 1\n"),
        Repeat(frame(b"id: 1\nretry: 1\n"), 0.01),
        _EVENTS,
    ),
    endless(
        "events: the same event for ever",
        "An event without end, in lines.",
        instead(b"data: {\n"),
        Repeat(frame(b"data:\n"), 0.01),
        _EVENTS,
    ),
    endless(
        "events: text for ever",
        "Text without end.",
        instead(b""),
        Repeat(frame(b"data: " + _DELTA % (b"a ", b"null") + b"\n\n"), 0.01),
        _EVENTS,
    ),
    endless(
        "events: after the end, for ever",
        "Empty deltas after `[DONE]`, without end.",
        instead(_STREAM),
        Repeat(frame(_EMPTY), 0.01),
        _EVENTS,
    ),
    endless(
        "events: text after the end, for ever",
        "Text after `[DONE]`, without end.",
        instead(_STREAM),
        Repeat(frame(b"data: " + _DELTA % (b"evil", b"null") + b"\n\n"), 0.01),
        _EVENTS,
    ),
    endless(
        "events: usage for ever",
        "The end of the answer without end.",
        instead(_STREAM.removesuffix(_DONE)),
        Repeat(frame(b'data: {"id":"gen-1","choices":[],"usage":{"prompt_tokens":1}}\n\n'), 0.01),
        _EVENTS,
    ),
    endless("events: the end for ever", "`[DONE]` without end.", instead(_STREAM), Repeat(frame(_DONE), 0.01), _EVENTS),
    endless(
        "events: comments after the end, for ever",
        "The answer, and then comments.",
        same,
        Repeat(frame(b"\n:\n"), 0.02),
    ),
)
