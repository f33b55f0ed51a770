"""The destination, the time limits and the HTTP settings of a call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from urllib.parse import urlsplit

from langchain_kimi._openrouter.host import OPENROUTER
from langchain_kimi.errors import KimiUsageError

BASE_URL = OPENROUTER.base_url
LARGEST_TIMEOUT = 1000.0
"""Seconds. A larger number is taken for milliseconds, the unit of `ChatOpenRouter`."""
MOST_CONNECTIONS = 1000
"""The default limit of open connections, below the 1,024 open files that many systems allow a process."""
SHORTEST_WAIT = 0.001
"""Seconds."""
_PAIR = 2


@dataclass(frozen=True, slots=True)
class Timeout:
    """Time limits of a call, in seconds.

    Attributes:
        connect: The limit for opening a connection, which includes the wait for a free one.
        idle: The limit without content. Keep-alive comments and whitespace are not content. None: no limit.
        total: The limit for the whole call with all retries and waits. None: no limit.
    """

    connect: float = 10.0
    idle: float | None = 120.0
    total: float | None = None

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return the limits for a user's `timeout`.

        Args:
            value: None for the defaults, a number of seconds (the idle limit, and the connect limit if that is
                shorter), a dict with `connect`, `idle` and `total`, or a `Timeout`. An `httpx.Timeout` and a pair of
                the connect and the read limit, which ChatOpenAI takes, set the connect and the idle limit.

        Raises:
            KimiUsageError: The value has another type, is not above 0, or is so large that it must be milliseconds.
        """
        if value is None:
            return cls()
        if isinstance(value, cls):
            return value
        if isinstance(value, tuple) and len(value) == _PAIR:
            return cls.of(dict(zip(("connect", "idle"), value, strict=True)))
        if hasattr(value, "connect") and hasattr(value, "read"):
            # httpx and httpx2 each have such a class. A model always has a connect limit.
            return cls.of({"idle": value.read, **({} if value.connect is None else {"connect": value.connect})})
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = _seconds("timeout", value)
            return cls(connect=min(seconds, cls().connect), idle=seconds)
        if isinstance(value, dict):
            unknown = sorted(set(value) - {"connect", "idle", "total"})
            if unknown:
                raise KimiUsageError(f"timeout has no {', '.join(unknown)}; it takes connect, idle and total.")
            limits = {
                name: None if limit is None else _seconds(f"timeout[{name!r}]", limit) for name, limit in value.items()
            }
            if limits.get("connect", 0.0) is None:
                raise KimiUsageError("timeout['connect'] must be a number of seconds.")
            return cls(**limits)  # type: ignore[arg-type]  # connect cannot be None here
        raise KimiUsageError(f"timeout must be seconds or {{'connect', 'idle', 'total'}}, not {type(value).__name__}.")

    def for_attempt(self, time_left: "TimeLeft") -> "PhaseLimits":
        """Return the HTTP client's limits for one attempt. None of them exceeds the time left."""
        limits = {"connect": self.connect, "pool": self.connect, "write": self.idle, "read": self.idle}
        return PhaseLimits(limits, time_left)


if TYPE_CHECKING:
    import httpx

    TimeoutSetting: TypeAlias = (
        float | Timeout | httpx.Timeout | tuple[float, float | None] | dict[str, float | None] | None
    )
else:
    # pydantic evaluates the annotations of settings, and an import of httpx takes 50 ms.
    TimeoutSetting = float | Timeout | dict[str, float | None] | None

TimeLeft = Callable[[], float | None]
"""Returns the seconds left, or None when there is no limit."""


class PhaseLimits(dict[str, float | None]):
    """The limits of an HTTP client. `get` returns at most the time that is left when it is called.

    A client reads the limit of each phase (connect, send, response head, body) when the phase begins. If the limits
    were fixed beforehand, those of all phases would add up to several times the total.
    """

    def __init__(self, limits: Mapping[str, float | None], time_left: TimeLeft) -> None:
        super().__init__(limits)
        self._time_left = time_left

    def get(self, key: str, default: float | None = None) -> float | None:  # type: ignore[override]  # one signature
        """Return the limit of a phase in seconds from now on."""
        limit, left = super().get(key, default), self._time_left()
        if left is None:
            return limit
        # For a socket 0 means "do not wait", which raises another error than a timeout.
        return max(SHORTEST_WAIT, left if limit is None else min(limit, left))


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise KimiUsageError(f"{name} must be a number of seconds above 0.")
    if value > LARGEST_TIMEOUT:
        raise KimiUsageError(
            f"{name}={value:g} is over {LARGEST_TIMEOUT:g} seconds.",
            advice="The unit is seconds, not milliseconds as in ChatOpenRouter: divide the number by 1,000.",
        )
    return float(value)


# Not frozen: each call creates one.
@dataclass(slots=True)
class Connection:
    """The base URL, the time limits, and the user's own HTTP clients or the settings of the shared ones."""

    base_url: str = BASE_URL
    timeout: Timeout = field(default_factory=Timeout)
    http_client: Any = None
    http_async_client: Any = None
    verify: Any = True
    # The URL may contain a password.
    proxy: str | None = field(default=None, repr=False)
    max_connections: int = MOST_CONNECTIONS
    transport: str = "httpx"

    @property
    def url(self) -> str:
        """The URL of the chat completions endpoint."""
        return f"{self.base_url.rstrip('/')}/chat/completions"

    @property
    def host(self) -> str:
        """The host name, without the secrets that a URL may contain."""
        return urlsplit(self.base_url).hostname or self.base_url
