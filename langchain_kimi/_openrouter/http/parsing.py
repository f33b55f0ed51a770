"""Parse the bytes of HTTP/1.1 replies with httptools, which wraps the C parser llhttp.

httpx's parser, h11, is written in Python and yields each chunk of a body separately. llhttp parses all bytes of a read
in one step, so the chunks that arrived together become one piece. This module does no I/O.
"""

from typing import Any

import httpx
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from langchain_kimi._openrouter.http.heads import CUT_BODY, MAX_HEAD, NO_REPLY, SWITCHING, check_coding, switched

INTERIM = range(100, 200)
CUT_HEAD = "Server disconnected within the head of a response."


class Incoming:
    """One reply: its status, its headers, and the pieces of its body that have not been taken.

    Attributes:
        status: The status.
        headers: The names and values of the headers, in order.
        is_begun: Whether the head is complete.
        is_over: Whether the reply is complete.
        is_last: Whether the connection cannot be used again.
        pieces: The pieces of the body.
        on_body: Adds a piece. For speed it is not a Python function, because it is called for each chunk.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.is_begun = False
        self.is_over = False
        self.is_last = False
        self.pieces: list[bytes] = []
        self.on_body = self.pieces.append
        self._problem: httpx.RemoteProtocolError | None = None
        self._unread = 0
        # Without a length or chunks, the body ends with the connection.
        self._is_framed = False
        self._parser: Any = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Parse the next bytes; empty bytes mean the end of the connection.

        An error is not raised here but by `take`, after it has returned the pieces before the error.
        """
        parser = self._parser
        if parser is None:
            self.is_last = True
            return
        if not data:
            self._end()
            return
        self._unread = 0 if self.pieces else self._unread + len(data)
        try:
            parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self.is_last = True
            if not self.is_over:
                self._fail(str(error.__context__ or error))
        if self.is_over or self._problem is not None:
            # The parser refers to this object.
            self._parser = None
        # The head, the sizes of chunks, and the trailers.
        elif not self.pieces and self._unread > MAX_HEAD:
            self._fail("The response has too many bytes outside of its body.")

    def check(self) -> None:
        """Raise `httpx.RemoteProtocolError` if there is no reply because its head is not HTTP or is incomplete."""
        if self._problem is not None and not self.is_begun:
            raise self._problem

    def take(self) -> bytes:
        """Return all pieces as one; empty if there are none.

        Raises:
            httpx.RemoteProtocolError: The reply is not HTTP, or the connection ended within it.
        """
        pieces = self.pieces
        if not pieces:
            if self._problem is not None:
                raise self._problem
            return b""
        piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._unread = 0
        return piece

    def on_message_begin(self) -> None:
        """Begin a reply. This is also called for interim replies, and for bytes after the end of the reply."""
        if self.is_over:
            raise httpx.RemoteProtocolError("Bytes follow the end of the response.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header. Trailers are ignored."""
        if not self.is_begun:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """End the head. An interim reply precedes the reply itself."""
        self.status = self._parser.get_status_code()
        if self.status == SWITCHING:
            raise switched()
        if self.status in INTERIM:
            self.headers.clear()
            self._unread = 0
            return
        has_length = any(name.lower() == b"content-length" for name, _ in self.headers)
        self._is_framed = check_coding(self.headers) or has_length
        self.is_begun = True

    def on_message_complete(self) -> None:
        """End the reply."""
        if self.is_begun:
            self.is_over = True
            self.is_last = not self._parser.should_keep_alive()

    def _end(self) -> None:
        self._parser, self.is_last = None, True
        if not self.is_begun:
            self._fail(CUT_HEAD if self._unread else NO_REPLY)
        elif self._is_framed:
            self._fail(CUT_BODY)
        else:
            self.is_over = True

    def _fail(self, reason: str) -> None:
        self._parser, self.is_last = None, True
        self._problem = httpx.RemoteProtocolError(reason)
