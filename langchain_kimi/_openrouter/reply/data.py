"""Read the responses of endpoints other than chat completions: bytes, JSON objects, and objects with `data`."""

from collections.abc import Iterator
from typing import Any, cast

from langchain_kimi._openrouter.errors import error_from_reply, find_error, malformed
from langchain_kimi._openrouter.reply.bodies import parse_body, size_with, truncated_reply, without_comments
from langchain_kimi._openrouter.reply.reading import IdleTimer, ResponseHead
from langchain_kimi._openrouter.wire import WireEvent
from langchain_kimi.errors import KimiError


class BytesReader:
    """Collects a body and yields it as it is.

    Args:
        head: The head of the response.
        idle: The limit without content, in seconds. None: no limit.
    """

    def __init__(self, head: ResponseHead, idle: float | None) -> None:
        self._head = head
        self._pieces: list[bytes] = []
        self._size = 0
        head.idle_timer = IdleTimer(idle)

    @property
    def has_begun(self) -> bool:
        """Always False: nothing is returned before the end."""
        return False

    def feed(self, piece: bytes, waited: float) -> tuple[()]:
        """Read the next bytes."""
        self._head.idle_timer.passed(waited, content=bool(piece.strip()))
        self._size = size_with(self._size, piece)
        self._pieces.append(piece)
        return ()

    def close(self) -> Iterator[Any]:
        """Yield the bytes of the response at its end."""
        yield b"".join(self._pieces)

    def explain(self, _error: KimiError) -> tuple[()]:
        """Do nothing: no part of an answer arrived."""
        return ()


class ObjectReader(BytesReader):
    """Collects a body and yields it as one JSON object."""

    def close(self) -> Iterator[Any]:
        """Yield the object of the response at its end.

        Raises:
            KimiMalformedReplyError: The response is not a JSON object, or not of the expected form.
            KimiError: It is an error, which some gateways send with status 200.
        """
        text = without_comments(b"".join(self._pieces)).decode("utf-8", errors="replace")
        reply = parse_body(self._head, text)
        if reason := self._problem(reply):
            raw_reply = truncated_reply(self._head, text)
            if isinstance(reply, dict) and find_error(cast("WireEvent", reply)):
                raise error_from_reply(cast("WireEvent", reply), raw_reply, now=self._head.now)
            raise malformed(reason, raw_reply)
        yield reply

    def _problem(self, reply: Any) -> str | None:
        """Return the error message for a response of another form; None if it has the expected form."""
        return None if isinstance(reply, dict) else "The response is not a JSON object."


class DataReader(ObjectReader):
    """Collects a body and yields it as one JSON object, whose `data` is a list or an object.

    Args:
        head: The head of the response.
        data_type: The type of `data`: `list` or `dict`.
        idle: The limit without content, in seconds. None: no limit.
    """

    def __init__(self, head: ResponseHead, data_type: type, idle: float | None) -> None:
        super().__init__(head, idle)
        self._data_type = data_type

    def _problem(self, reply: Any) -> str | None:
        is_valid = isinstance(reply, dict) and isinstance(reply.get("data"), self._data_type)
        return None if is_valid else "The response does not contain the expected `data`."
