"""The emulators of the standard suites: started on first use, closed at the end of the session."""

from functools import cache

from langchain_kimi.testing import Behavior, Emulator

_started: list[Emulator] = []


@cache
def emulator(*, reasoning: bool) -> Emulator:
    """Return the emulator that reasons in every reply, or the one that follows the model."""
    started = Emulator(behavior=Behavior(reasoning=True if reasoning else None))
    _started.append(started)
    return started


def close_all() -> None:
    """Close the emulators that were started."""
    while _started:
        _started.pop().close()
    emulator.cache_clear()
