"""Convert tools and the schemas of structured output to JSON schemas."""

import importlib
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    """Import the module `tools` when it is used: a program that has no tools does not import it."""
    if name != "tools":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
