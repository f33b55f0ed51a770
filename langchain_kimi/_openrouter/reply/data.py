"""Read the JSON object of an endpoint other than chat completions."""

from collections.abc import Iterator

from langchain_kimi._openrouter.errors import malformed
from langchain_kimi._openrouter.reply.bodies import kept_reply, parse_body, size_with, without_comments
from langchain_kimi._openrouter.reply.reading import IdleTimer, ResponseHead
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.errors import KimiError


class DataReader:
    """Collects a body and yields it as one JSON object, whose `data` is a list or an object.

    Args:
        head: The head of the response.
        shape: The type of `data`: `list` or `dict`.
        idle: The limit without content, in seconds. None: no limit.
    """

    def __init__(self, head: ResponseHead, shape: type, idle: float | None) -> None:
        self._head = head
        self._shape = shape
        self._pieces: list[bytes] = []
        self._size = 0
        head.idle_timer = IdleTimer(idle)

    @property
    def has_begun(self) -> bool:
        """Always False: nothing is returned before the end."""
        return False

    def feed(self, piece: bytes, waited: float) -> tuple[()]:
        """Read the next bytes. Return nothing."""
        self._head.idle_timer.passed(waited, content=bool(piece.strip()))
        self._size = size_with(self._size, piece)
        self._pieces.append(piece)
        return ()

    def close(self) -> Iterator[JSONObject]:
        """End the response. Yield its object.

        Raises:
            KimiMalformedReplyError: The response is not JSON, or it has no `data` of the expected type.
        """
        text = without_comments(b"".join(self._pieces)).decode("utf-8", errors="replace")
        reply = parse_body(self._head, text)
        if not isinstance(reply, dict) or not isinstance(reply.get("data"), self._shape):
            raise malformed("The response does not contain the expected `data`.", kept_reply(self._head, text))
        yield reply

    def explain(self, _error: KimiError) -> tuple[()]:
        """Add nothing: no part of an answer arrived."""
        return ()
