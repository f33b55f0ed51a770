"""Warn with the line of the user's program that caused the warning."""

import inspect
import warnings

_INSIDE = frozenset({"langchain_kimi", "langchain_core", "pydantic"})
"""The packages whose lines are not those of the user's program. pydantic calls validators of this package."""


def warn_user(text: str) -> None:
    """Issue a warning for the innermost line that belongs neither to this package nor to LangChain or pydantic."""
    depth, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE:
        depth, frame = depth + 1, frame.f_back
    warnings.warn(text, stacklevel=depth)
