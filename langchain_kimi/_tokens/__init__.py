"""Count tokens, check the context limit and estimate costs, all offline."""

import importlib
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    """Import the module `model` when it is used: a program that counts nothing does not import it."""
    if name != "model":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
