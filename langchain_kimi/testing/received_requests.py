"""The requests that the emulator received, for assertions in tests."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from langchain_kimi._openrouter.limits import MAX_JSON_DEPTH, has_more_levels
from langchain_kimi.testing.http1 import HttpRequest

_SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie", "x-api-key")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


@dataclass(eq=False, slots=True)
class ReceivedRequest:
    """A request and the state of its reply. Secrets are not stored; of the API key only a digest is.

    The fields about the reply change while it is sent. Call `wait` to wait for its end.

    Attributes:
        method: The HTTP method.
        path: The path of the URL, decoded and without a slash at its end.
        query: The parameters of the URL's query, the last value of each.
        headers: The headers, with names in lower case and secrets redacted.
        raw: The bytes of the body.
        body: The parsed JSON, or None if the body was empty, not JSON, or nested more than 500 levels deep.
        received_at: A reading of `time.monotonic`.
        status: The HTTP status of the reply.
        generation_id: The generation id of the reply.
        finished: Whether the whole reply was sent.
        hung_up_at: When the client closed the connection before the end of the reply, by `time.monotonic`.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes = field(repr=False)
    body: Any = field(repr=False)
    received_at: float
    _key: bytes | None = field(repr=False)
    status: int | None = None
    generation_id: str | None = None
    finished: bool = False
    hung_up_at: float | None = None
    _over: threading.Event = field(default_factory=threading.Event, repr=False)

    @classmethod
    def of(cls, request: HttpRequest) -> "ReceivedRequest":
        """Return the record of a request."""
        target = urlsplit(request.target)
        # RFC 9110, section 11.1: schemes are case-insensitive.
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        return cls(
            method=request.method,
            path=unquote(target.path).rstrip("/") or "/",
            query={name: values[-1] for name, values in parse_qs(target.query).items()},
            headers={n: "[redacted]" if n in _SECRET_HEADERS else v for n, v in request.headers.items()},
            raw=request.body,
            body=_json(request.body),
            received_at=time.monotonic(),
            _key=_digest(key.strip()) if scheme.lower() == "bearer" and key.strip() else None,
        )

    @property
    def has_key(self) -> bool:
        """Whether the request had a bearer token."""
        return self._key is not None

    def sent_key(self, key: str) -> bool:
        """Return whether the request had this API key."""
        return self._key is not None and hmac.compare_digest(self._key, _digest(key))

    def wait(self, timeout: float | None = 10.0) -> bool:
        """Wait until the reply is finished or the client has closed the connection.

        Args:
            timeout: The longest time to wait, in seconds. None: no limit.

        Returns:
            False if the time was not enough.
        """
        return self._over.wait(timeout)

    def end(self, finished: bool) -> None:  # noqa: FBT001 - the signature of `Response.on_end`
        """Record the end of the reply."""
        self.finished = finished
        if not finished:
            self.hung_up_at = time.monotonic()
        self._over.set()


def _json(raw: bytes) -> Any:
    try:
        body = json.loads(raw)
        if b"\\ud" in raw.lower():
            # Half a surrogate pair, which JSON may escape, becomes U+FFFD, as in JavaScript's encoder.
            text = json.dumps(body, ensure_ascii=False).encode("utf-16", "surrogatepass")
            body = json.loads(text.decode("utf-16", "replace"))
    except (ValueError, RecursionError):
        return None
    # Deeper than every request of the package: the checks of the emulator would end in a RecursionError.
    is_too_deep = raw.count(b"[") + raw.count(b"{") > MAX_JSON_DEPTH and has_more_levels(body, MAX_JSON_DEPTH)
    return None if is_too_deep else body
