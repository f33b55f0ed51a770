"""Reads the body of a reply whose status says that the call failed."""

from collections.abc import Mapping
from typing import NoReturn

from langchain_kimi.errors import KimiError
from langchain_kimi.openrouter.failures import error_from_response
from langchain_kimi.openrouter.reading import Opened

PATIENCE = 5.0
"""Seconds: the status alone says nearly all, so its body is not waited for as an answer is."""
LONGEST = 2**18
"""Bytes: no explanation is longer; an endless page is."""
SHORTEST_KEY = 8


class RefusalReader:
    """Collects the body; its end, however it comes, is the error."""

    def __init__(self, opened: Opened, request_headers: Mapping[str, str]) -> None:
        self._opened = opened
        self._request_headers = request_headers
        self._pieces: list[bytes] = []
        self._length = 0
        opened.patience.enough(PATIENCE)

    @property
    def has_begun(self) -> bool:
        """A refusal is no answer."""
        return False

    def feed(self, piece: bytes, waited: float) -> tuple[()]:
        """Take the next bytes."""
        self._opened.patience.passed(waited, content=False)
        self._pieces.append(piece)
        self._length += len(piece)
        if self._length >= LONGEST:
            self._opened.patience.enough(0.0)
        return ()

    def close(self) -> NoReturn:
        """Take the end of the bytes.

        Raises:
            KimiError: always, as the status and the body say.
        """
        text = b"".join(self._pieces)[:LONGEST].decode("utf-8", errors="replace")
        for name, value in self._request_headers.items():
            key = value.removeprefix("Bearer ")
            # A proxy's page may repeat the request's headers.
            if name.lower() == "authorization" and len(key) >= SHORTEST_KEY:
                text = text.replace(key, "[key]")
        raise error_from_response(self._opened.status, self._opened.headers, text, now=self._opened.now)

    def explain(self, _error: KimiError) -> tuple[()]:
        """Add nothing: nothing came of the answer."""
        return ()
