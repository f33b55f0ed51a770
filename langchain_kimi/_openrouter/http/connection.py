"""Where a call goes and how long it may take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from langchain_kimi.errors import KimiUsageError

BASE_URL = "https://openrouter.ai/api/v1"
LARGEST_TIMEOUT = 1000.0
"""Seconds. A larger number was surely meant in milliseconds, the unit of `ChatOpenRouter`."""
MOST_CONNECTIONS = 1000
"""Below the 1,024 open files that many systems allow a process."""
SHORTEST_WAIT = 0.001
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Timeout:
    """Time limits of a call, in seconds.

    Attributes:
        connect: Until a connection stands, waiting for a free one included.
        idle: Without content: keep-alive comments and blanks are no content. None: no limit.
        total: For the whole call with all its attempts and waits. None: no limit.
    """

    connect: float = 10.0
    idle: float | None = 120.0
    total: float | None = None

    @classmethod
    def of(cls, value: Any) -> Self:
        """Read a user's `timeout`: nothing, a number (the idle and the connect limit), a dict or a `Timeout`.

        Raises:
            KimiUsageError: it is no such thing, not above 0, or so large that it must be milliseconds.
        """
        if value is None:
            return cls()
        if isinstance(value, cls):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = _seconds("timeout", value)
            return cls(connect=min(seconds, cls().connect), idle=seconds)
        if isinstance(value, dict):
            unknown = sorted(set(value) - {"connect", "idle", "total"})
            if unknown:
                raise KimiUsageError(f"timeout has no {', '.join(unknown)}; it takes connect, idle and total.")
            given = {
                name: None if limit is None else _seconds(f"timeout[{name!r}]", limit) for name, limit in value.items()
            }
            if given.get("connect", 0.0) is None:
                raise KimiUsageError("timeout['connect'] must be a number of seconds.")
            return cls(**given)  # type: ignore[arg-type]  # connect was just seen to be no None
        raise KimiUsageError(f"timeout must be seconds or {{'connect', 'idle', 'total'}}, not {type(value).__name__}.")

    def for_attempt(self, time_left: "TimeLeft") -> "PhaseLimits":
        """Give the HTTP client's limits for one attempt, none of them longer than the time that is left."""
        limits = {"connect": self.connect, "pool": self.connect, "write": self.idle, "read": self.idle}
        return PhaseLimits(limits, time_left)


TimeLeft = Callable[[], float | None]
"""Tells the seconds that are left; None when they are not limited."""


class PhaseLimits(dict[str, float | None]):
    """An HTTP client's limits, each of them no longer than what is left when it is asked for.

    A client asks for each phase's limit (connecting, sending, the reply's head, its body) when the phase begins; given
    beforehand, the limits of all phases would add up to several times the total.
    """

    def __init__(self, limits: Mapping[str, float | None], time_left: TimeLeft) -> None:
        super().__init__(limits)
        self._time_left = time_left

    def get(self, key: str, default: float | None = None) -> float | None:  # type: ignore[override]  # one signature
        """Give a phase's limit in seconds, from now on."""
        limit, left = super().get(key, default), self._time_left()
        if left is None:
            return limit
        # A socket takes 0 for "do not wait", which is another error than a time-out.
        return max(SHORTEST_WAIT, left if limit is None else min(limit, left))


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise KimiUsageError(f"{name} must be a number of seconds above 0.")
    if value > LARGEST_TIMEOUT:
        raise KimiUsageError(
            f"{name}={value:g} is over {LARGEST_TIMEOUT:g} seconds.",
            advice="It is given in seconds here, not in milliseconds as in ChatOpenRouter: divide it by 1,000.",
        )
    return float(value)


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a call goes: the base URL, the time limits, and the user's HTTP clients or what ours are to be like."""

    base_url: str = BASE_URL
    timeout: Timeout = field(default_factory=Timeout)
    http_client: Any = None
    http_async_client: Any = None
    verify: Any = True
    # It may hold a password.
    proxy: str | None = field(default=None, repr=False)
    max_connections: int = MOST_CONNECTIONS

    @property
    def url(self) -> str:
        """The endpoint that is posted to."""
        return f"{self.base_url.rstrip('/')}/chat/completions"

    @property
    def host(self) -> str:
        """Where that is, without anything secret that a URL may hold."""
        return urlsplit(self.base_url).hostname or self.base_url
