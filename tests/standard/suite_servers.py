"""The emulators that the standard suites speak to: started when first asked for, closed at the end of the session."""

from functools import cache

from langchain_kimi.testing import Behavior, Emulator

_started: list[Emulator] = []


@cache
def emulator(*, reasoning: bool) -> Emulator:
    """Give the emulator that thinks in every reply, or the one that does as the model does."""
    started = Emulator(behavior=Behavior(reasoning=True if reasoning else None))
    _started.append(started)
    return started


def close_all() -> None:
    """Close what was started."""
    while _started:
        _started.pop().close()
    emulator.cache_clear()
