"""Content blocks of LangChain messages."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Block: TypeAlias = Mapping[str, Any]


def type_of(block: Block) -> str | None:
    """Return the type of a block; None if the type is missing or not a string."""
    kind = block.get("type")
    return kind if isinstance(kind, str) else None
