"""JSON schemas of tools and of structured output."""

import importlib
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    """Import the module `tools` when it is used: a program without tools does not import it."""
    if name != "tools":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
