"""Convert wire events to LangChain messages and chunks."""

import importlib
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    """Import the module `events` when it is used: most programs read no protocol events."""
    if name != "events":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
