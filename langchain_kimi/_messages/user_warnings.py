"""Warnings that point at the line of the user's that they are about."""

import inspect
import warnings


def warn_user(text: str) -> None:
    """Warn, at the innermost line that is neither this package's nor LangChain's."""
    depth, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE:
        depth, frame = depth + 1, frame.f_back
    warnings.warn(text, stacklevel=depth)


_INSIDE = frozenset({"langchain_kimi", "langchain_core"})
