"""What the emulator received, for tests to look at."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from langchain_kimi.testing.http1 import HttpRequest

_SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie", "x-api-key")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


@dataclass(eq=False, slots=True)
class ReceivedRequest:
    """One request as it came, and how its reply went; secrets are not kept, only compared.

    Times are readings of `time.monotonic`. The fields about the reply change while it is sent; wait for its end with
    `wait`.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """With names in lower case and secrets redacted."""
    raw: bytes = field(repr=False)
    body: Any = field(repr=False)
    """The parsed JSON; none where the body was empty or no JSON."""
    received_at: float
    _key: bytes | None = field(repr=False)
    status: int | None = None
    generation_id: str | None = None
    finished: bool = False
    """Whether the whole reply was sent."""
    hung_up_at: float | None = None
    """When the client closed the connection before the reply was finished."""
    _over: threading.Event = field(default_factory=threading.Event, repr=False)

    @classmethod
    def of(cls, request: HttpRequest) -> "ReceivedRequest":
        """Take note of a request."""
        target = urlsplit(request.target)
        authorization = request.headers.get("authorization", "")
        return cls(
            method=request.method,
            path=target.path,
            query={name: values[-1] for name, values in parse_qs(target.query).items()},
            headers={n: "[redacted]" if n in _SECRET_HEADERS else v for n, v in request.headers.items()},
            raw=request.body,
            body=_json(request.body),
            received_at=time.monotonic(),
            _key=_digest(authorization.removeprefix("Bearer ")) if authorization.startswith("Bearer ") else None,
        )

    @property
    def has_key(self) -> bool:
        """Whether it came with a bearer token."""
        return self._key is not None

    def sent_key(self, key: str) -> bool:
        """Say whether it came with this API key."""
        return self._key is not None and hmac.compare_digest(self._key, _digest(key))

    def wait(self, timeout: float | None = 10.0) -> bool:
        """Wait until the reply is finished or the client hung up; false when that took longer than `timeout`."""
        return self._over.wait(timeout)

    def end(self, finished: bool) -> None:  # noqa: FBT001 - the shape of `Response.on_end`
        """Take note of the reply's end."""
        self.finished = finished
        if not finished:
            self.hung_up_at = time.monotonic()
        self._over.set()


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
