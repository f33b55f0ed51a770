"""Replies with a correct transfer whose JSON is wrong, ambiguous or huge."""

from langchain_kimi.testing.faults.hostile.entries import CONTENT, body, endless, instead, with_field, within_text
from langchain_kimi.testing.http1 import Repeat, frame

_JSON = "application/json"
_LARGE = 64 * 1024
_DEEP = 100_000
_CHOICE = b'"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"x"%b}}]'
_CALL = b'{"index":%d,"id":"c%d","type":"function","function":{"name":"f","arguments":"{}"}}'


def _reply(more_of_reply: bytes = b"", more_of_message: bytes = b"") -> bytes:
    """Return a plain reply with more fields."""
    return b'{"id":"gen-1",' + _CHOICE % more_of_message + more_of_reply + b"}"


def _calls(count: int) -> bytes:
    """Return the tool calls of a message, as JSON after its other fields."""
    return b',"tool_calls":[' + b",".join(_CALL % (number, number) for number in range(count)) + b"]"


NOT_A_REPLY = (
    body("body: empty", "No body.", instead(b"")),
    body("body: blanks", "64 KiB of blanks.", instead(b" \n" * (_LARGE // 2))),
    body("body: null", "null.", instead(b"null"), _JSON),
    body("body: true", "true.", instead(b"true"), _JSON),
    body("body: a string", "A string.", instead(b'"hello"'), _JSON),
    body("body: a list", "A list.", instead(b"[" + _reply() + b"]"), _JSON),
    body("body: a page", "An HTML page.", instead(b"<!doctype html><title>Login</title>" + b"<" * _LARGE), "text/html"),
    body("body: binary", "Bytes of each value.", instead(bytes(range(256)) * 256)),
    body("body: an empty object", "An empty object.", instead(b"{}"), _JSON),
    body("body: UTF-16", "UTF-16.", lambda sent: b"\xff\xfe" + sent.decode().encode("utf-16-le")),
    body(
        "body: cut within a character", "A body that ends in a character.", lambda sent: sent[:60] + b"\xe2\x82", _JSON
    ),
    body("body: two replies", "Two JSON texts.", instead(_reply() + _reply()), _JSON),
    body("body: a comma too many", "A comma before the end.", instead(_reply(b",")), _JSON),
    body("body: comments", "JSON with comments.", instead(b"/* a */" + _reply()), _JSON),
)

BOMBS = (
    body("bomb: brackets", "100,000 opened lists.", instead(b"[" * _DEEP), _JSON),
    body("bomb: objects", "100,000 opened objects.", instead(b'{"a":' * _DEEP), _JSON),
    body("bomb: lists in a reply", "1,000 lists in a field.", with_field(b'"x":' + b"[" * 1000 + b"]" * 1000)),
    body(
        "bomb: a number",
        "A number of 100,000 digits.",
        instead(_reply(b',"created":' + b"9" * _DEEP)),
        _JSON,
        client="either",
    ),
    body(
        "bomb: usage of 5,000 digits",
        "A number of 5,000 digits in `usage`, beside a complete answer.",
        instead(_reply(b',"usage":{"prompt_tokens":' + b"9" * 5000 + b"}")),
        _JSON,
        client="either",
    ),
    body(
        "bomb: a cost of 400 digits",
        "A cost beyond all floats, beside a complete answer.",
        instead(_reply(b',"usage":{"prompt_tokens":1,"completion_tokens":1,"cost":1e400}')),
        _JSON,
        client="answers",
    ),
    body("bomb: choices", "100,000 choices.", instead(b'{"choices":[' + b"{}," * _DEEP + b"{}]}"), _JSON),
    body(
        "bomb: keys",
        "100,000 unknown fields.",
        instead(_reply(b"".join(b',"k%d":1' % number for number in range(_DEEP)))),
        _JSON,
        client="answers",
    ),
    body("bomb: calls", "10,000 tool calls.", instead(_reply(b"", _calls(10_000))), _JSON, client="answers"),
    body("bomb: a megabyte of id", "An id of a MiB.", instead(b'{"id":"' + b"a" * 2**20 + b'"}'), _JSON),
    body(
        "bomb: a megabyte of error",
        "A message of a MiB, with escape sequences and bidirectional characters.",
        instead(b'{"error":{"code":400,"message":"' + b"\\u001b[31m\\u202e\\n2026 INFO ok " * 30_000 + b'"}}'),
        _JSON,
    ),
    body(
        "bomb: 17 MiB",
        "An event or a text of 17 MiB.",
        lambda sent: sent.replace(CONTENT, CONTENT + b"x" * (17 * 2**20), 1),
        client="either",
    ),
)

VALUES = (
    body("value: NaN", "NaN in a field.", with_field(b'"created":NaN'), client="either"),
    body("value: infinity", "Infinity in a field.", with_field(b'"created":-Infinity'), client="either"),
    body("value: 1e999", "A number beyond all floats.", with_field(b'"created":1e999'), client="either"),
    body(
        "value: a key twice", "A field twice, with different values.", with_field(b'"model":"other"'), client="either"
    ),
    body("value: half a surrogate", "Half of a surrogate pair.", within_text(b"\\ud83d"), client="answers"),
    body("value: NUL", "An escaped NUL in the text.", within_text(b"\\u0000"), client="answers"),
    body("value: raw control characters", "A raw tab and NUL in the text.", within_text(b"\t\0"), client="either"),
    body("value: not UTF-8", "Bytes that are not UTF-8 in the text.", within_text(b"\xff\xfe\xfd"), client="either"),
    body("value: a too long encoding", "A slash in three bytes.", within_text(b"\xe0\x80\xaf"), client="either"),
    body(
        "value: bidirectional characters", "Characters that reverse a line.", within_text(b"\\u202e"), client="answers"
    ),
    body("value: NUL around it", "NUL before and after.", lambda sent: b"\0" * 9 + sent + b"\0" * 9, client="either"),
    body("value: a byte order mark", "UTF-8's mark first.", lambda sent: b"\xef\xbb\xbf" + sent, client="answers"),
    body(
        "value: an error beside an answer", "An error and an answer.", with_field(b'"error":{"code":500,"message":"x"}')
    ),
    body("value: an empty error", "An empty error beside an answer.", with_field(b'"error":{}'), client="either"),
    body(
        "value: content of objects",
        "Nested objects as the text.",
        instead(_reply().replace(b'"content":"x"', b'"content":{"a":{"b":{"c":[1]}}}')),
        _JSON,
        client="either",
    ),
    body(
        "value: a message that is a list",
        "A list in place of a message.",
        instead(b'{"choices":[{"message":[1,2],"finish_reason":"stop"}]}'),
        _JSON,
    ),
    body(
        "value: an index of a fraction",
        "An index of 0.5.",
        instead(_reply().replace(b'"index":0', b'"index":0.5')),
        _JSON,
        client="either",
    ),
    body(
        "value: a finish reason that is an object",
        "An object as the finish reason.",
        instead(_reply().replace(b'"finish_reason":"stop"', b'"finish_reason":{"a":[]}')),
        _JSON,
        client="either",
    ),
    body(
        "value: a negative cost",
        "A negative cost and negative tokens.",
        instead(_reply(b',"usage":{"prompt_tokens":-5,"completion_tokens":-5,"total_tokens":-10,"cost":-3000}')),
        _JSON,
        client="answers",
    ),
    body(
        "value: usage of texts",
        "Texts in place of numbers.",
        instead(_reply(b',"usage":{"prompt_tokens":"many","cost":[]}')),
        _JSON,
        client="answers",
    ),
)


def _up_to_text(sent: bytes) -> bytes:
    return sent[: sent.index(CONTENT) + len(CONTENT)]


ENDLESS = (
    endless("body: blanks for ever", "Blanks without end.", instead(b" "), Repeat(frame(b" \n" * 9), 0.01)),
    endless("body: a text for ever", "A text without end.", _up_to_text, Repeat(frame(b"and so on " * 6000), 0.0)),
    endless("body: a text for ever, slowly", "A letter each 10 ms.", _up_to_text, Repeat(frame(b"a"), 0.01)),
    endless("body: a list for ever", "A list without end.", instead(b"["), Repeat(frame(b"1," * 30_000), 0.0), _JSON),
    endless(
        "body: brackets for ever", "Brackets without end.", instead(b"["), Repeat(frame(b"[" * 60_000), 0.0), _JSON
    ),
    endless(
        "body: a page for ever", "A page without end.", instead(b"<html>"), Repeat(frame(b"<p>" * 9), 0.01), "text/html"
    ),
)
