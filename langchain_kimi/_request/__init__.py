"""Convert LangChain messages and parameters to the request body."""

import importlib
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    """Import the modules for blocks and for other fields of messages when they are used: most messages are texts."""
    if name not in {"assistant", "content"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
