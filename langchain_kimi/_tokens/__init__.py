"""Token counts, the context check and cost estimates."""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_kimi._tokens import model as model


def __getattr__(name: str) -> ModuleType:
    """Import the module `model` when it is used: a program that counts nothing does not import it."""
    if name != "model":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module("langchain_kimi._tokens.model")
