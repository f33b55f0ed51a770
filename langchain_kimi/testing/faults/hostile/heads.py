"""Replies with a wrong status line or wrong headers, and bytes that are not HTTP/1.1."""

from langchain_kimi.testing.faults.hostile.entries import after_status, head, raw, status
from langchain_kimi.testing.http1 import Hang, Repeat

_LARGE = 64 * 1024
_MANY = 10_000
_OK = b"HTTP/1.1 200 OK\r\n"
_ELSEWHERE = b"http://127.0.0.1:9/elsewhere"

OTHER_PROTOCOLS = (
    raw("protocol: a mail server", "The greeting of an SMTP server.", b"220 mail.example ESMTP\r\n"),
    raw("protocol: zero bytes", "64 KiB of NUL.", b"\0" * _LARGE),
    raw("protocol: HTTP/0.9", "A page without a head, as in HTTP/0.9.", b"<html>hello</html>"),
    raw("protocol: a TLS alert", "A TLS alert on a connection without TLS.", b"\x15\x03\x01\x00\x02\x02\x28"),
    raw("protocol: a TLS hello", "The start of a TLS handshake.", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9),
    raw("protocol: HTTP/2 settings", "The first frame of HTTP/2.", b"\0\0\x12\x04\0\0\0\0\0" + b"\0" * 18),
    raw("protocol: HTTP/2 preface", "The bytes that begin HTTP/2.", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    raw("protocol: line feeds for ever", "Line feeds without end.", b"", Repeat(b"\n", 0.0), client="stops"),
    raw("protocol: an echo", "The request line, as an echo server sends it.", b"POST /api/v1 HTTP/1.1\r\n\r\n"),
)

STATUS_LINES = (
    raw("status: cut", "The connection closes within the status line.", b"HTTP/1.1 20"),
    raw("status: nothing after it", "Nothing follows the status line.", _OK, Hang(), client="stops"),
    head("status: HTTP/2.0", "A status line of HTTP/2.0.", status(b"HTTP/2.0 200 OK"), client="either"),
    head("status: HTTP/1.9", "A minor version that does not exist.", status(b"HTTP/1.9 200 OK"), client="either"),
    head("status: HTTP/1.0", "HTTP/1.0 with a length.", status(b"HTTP/1.0 200 OK"), client="answers"),
    head("status: lower case", "A protocol name in lower case.", status(b"http/1.1 200 ok"), client="either"),
    head("status: a word", "A word in place of the status.", status(b"HTTP/1.1 fine OK")),
    head("status: four digits", "A status with four digits.", status(b"HTTP/1.1 2000 OK")),
    head("status: 999", "A status above the classes of HTTP.", status(b"HTTP/1.1 999 Odd")),
    head("status: 600", "A status above the classes of HTTP.", status(b"HTTP/1.1 600 Odd")),
    head("status: negative", "A negative status.", status(b"HTTP/1.1 -200 OK")),
    head("status: no reason", "A status line without a reason.", status(b"HTTP/1.1 200"), client="answers"),
    head(
        "status: control characters in the reason",
        "An escape sequence and a bell in the reason.",
        status(b"HTTP/1.1 200 \x1b[31mOK\x07"),
        client="either",
    ),
    head("status: 64 KiB of reason", "A reason of 64 KiB.", status(_OK[:-4] + b"a" * _LARGE), client="either"),
)

HEADERS = (
    raw("header: cut", "The connection closes within a header.", _OK + b"content-ty"),
    raw("header: one without end", "A header that never ends.", _OK + b"x: ", Repeat(b"a" * 4096, 0.0), client="stops"),
    raw("header: without end", "Headers without end.", _OK, Repeat(b"x: y\r\n" * 512, 0.0), client="stops"),
    raw("header: without end, slowly", "A header each 20 ms.", _OK, Repeat(b"x: y\r\n", 0.02), client="stops"),
    head("header: no colon", "A header line without a colon.", after_status(b"nonsense\r\n")),
    head("header: no name", "A header without a name.", after_status(b": value\r\n")),
    head("header: blank before the colon", "A blank after the name.", after_status(b"x-odd : a\r\n"), client="either"),
    head(
        "header: folded", "A header that continues on the next line.", after_status(b"x: 1\r\n 2\r\n"), client="either"
    ),
    head(
        "header: a folded length",
        "A Content-Length hidden in a continued line.",
        after_status(b"x: 1\r\n content-length: 3\r\n"),
        client="either",
    ),
    head("header: NUL in a name", "A NUL in a name.", after_status(b"x\0y: value\r\n")),
    head("header: NUL in a value", "A NUL in a value.", after_status(b"x: a\0b\r\n")),
    head("header: CR in a value", "A carriage return without a line feed.", after_status(b"x: a\rb: c\r\n")),
    head("header: not ASCII", "UTF-8 in a value.", after_status("x: caf\u00e9 \u2603\r\n".encode()), client="answers"),
    head("header: 64 KiB", "A value of 64 KiB.", after_status(b"x: " + b"a" * _LARGE + b"\r\n"), client="either"),
    head("header: ten thousand", "10,000 headers.", after_status(b"x: y\r\n" * _MANY), client="either"),
    head(
        "header: bare line feeds", "Lines that end in LF.", lambda sent: sent.replace(b"\r\n", b"\n"), client="either"
    ),
    head("header: blank lines before it", "Blank lines first.", lambda sent: b"\r\n" * 3 + sent, client="either"),
    head("header: a byte order mark before it", "UTF-8's mark first.", lambda sent: b"\xef\xbb\xbf" + sent),
    head(
        "header: cookies",
        "Cookies for other hosts, which must not be sent with the next request.",
        after_status(b"set-cookie: session=stolen; Domain=.example; Path=/\r\n" * 3),
        client="answers",
    ),
    head(
        "header: another service",
        "Alt-Svc names another host and port, where no request may go.",
        after_status(b'alt-svc: h2="127.0.0.1:9"; ma=86400\r\nrefresh: 0; url=%b\r\n' % _ELSEWHERE),
        client="answers",
    ),
    head(
        "header: an offer to upgrade",
        "The connection is to change to HTTP/2.",
        after_status(b"upgrade: h2c\r\nconnection: upgrade\r\n"),
        client="answers",
    ),
    head(
        "header: an escape sequence in the generation id",
        "Characters that would color a terminal or forge a line of a log.",
        lambda sent: sent.replace(b"x-generation-id: ", b"x-generation-id: \x1b[31m"),
        client="either",
    ),
    head(
        "header: a wrong content type",
        "The answer as an image.",
        lambda sent: sent.replace(b"content-type: ", b"content-type: image/png; x="),
        client="either",
    ),
    head(
        "header: a wrong charset",
        "The charset UTF-16 for UTF-8.",
        lambda sent: sent.replace(b"content-type: ", b"content-type: application/json; charset=utf-16\r\nx-type: "),
        client="answers",
    ),
    head(
        "header: closes, but does not",
        "The header `Connection: close` on a connection that stays open.",
        after_status(b"connection: close\r\n"),
        Hang(),
        client="answers",
    ),
)

STATUSES = (
    head(
        "redirect: to another host",
        "A redirect, where a client must not send its key.",
        status(b"HTTP/1.1 302 Found\r\nlocation: " + _ELSEWHERE),
    ),
    head(
        "redirect: that repeats the request",
        "A redirect that repeats the method and the body.",
        status(b"HTTP/1.1 307 Temporary Redirect\r\nlocation: " + _ELSEWHERE),
    ),
    head("redirect: a loop", "A redirect to the same address.", status(b"HTTP/1.1 308 Loop\r\nlocation: ?")),
    head("redirect: a file", "A redirect to a file.", status(b"HTTP/1.1 307 File\r\nlocation: file:///etc/hostname")),
    head("redirect: nowhere", "A redirect without an address.", status(b"HTTP/1.1 301 Moved")),
    head("redirect: a proxy", "305 demands a proxy.", status(b"HTTP/1.1 305 Proxy\r\nlocation: " + _ELSEWHERE)),
    head(
        "status: other credentials",
        "401 asks for a password.",
        status(b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm=x"),
    ),
    head(
        "status: a proxy's credentials",
        "407 from a server that is not a proxy.",
        status(b"HTTP/1.1 407 Proxy\r\nproxy-authenticate: Basic realm=x"),
    ),
    head("status: 204 with a body", "204 cannot have a body.", status(b"HTTP/1.1 204 No Content")),
    head("status: 304 with a body", "304 cannot have a body.", status(b"HTTP/1.1 304 Not Modified")),
    head("status: 205 with a body", "205 with the answer.", status(b"HTTP/1.1 205 Reset"), client="either"),
    head("status: 206", "A part, as if a range had been requested.", status(b"HTTP/1.1 206 Part"), client="either"),
    head(
        "status: 429 with a wait of 400 digits",
        "A Retry-After of 400 digits.",
        status(b"HTTP/1.1 429 Slow\r\nretry-after: " + b"9" * 400),
    ),
    head(
        "status: 503 with a negative wait",
        "A negative Retry-After.",
        status(b"HTTP/1.1 503 Slow\r\nretry-after: -99999"),
    ),
)
