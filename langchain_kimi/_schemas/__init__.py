"""JSON schemas of tools and of structured output."""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_kimi._schemas import tools as tools


def __getattr__(name: str) -> ModuleType:
    """Import the module `tools` when it is used: a program without tools does not import it."""
    if name != "tools":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module("langchain_kimi._schemas.tools")
