"""Send the text of content blocks whose type is unknown.

Conversations contain blocks of other providers, and newer blocks. An unknown block must not make a conversation fail,
so its text is sent, and the rest is left out.
"""

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from langchain_kimi._request.blocks import Block
from langchain_kimi._request.media import WEB

logger = logging.getLogger("langchain_kimi")

_TEXT_KEYS = ("text", "content", "output", "code", "summary")
_REFERENCES = ("id", "name", "uri", "url")
"""The ends of keys, in lower case, whose values refer to something."""
_DEEPEST = 8
"""The maximum depth at which text is searched in a block."""
_LONGEST_NAME = 80
"""The maximum number of characters of a type in the log."""


def text_in(block: Block) -> str:
    """Return the text in a block of unknown type, or an empty string.

    The keys `text`, `content`, `output`, `code`, `summary` and the one named after the type are tried in this order,
    until one contains a text, or blocks with text. The texts of several blocks are joined by newlines.
    """
    return _text_of(block, _DEEPEST)


def is_reasoning(block: Block) -> bool:
    """Return whether the type of an unknown block shows that its text is reasoning, as in Bedrock's blocks."""
    name = str(_name(block)).lower()
    return "reasoning" in name or "thinking" in name


def log_left_out(block: Block, role: str) -> None:
    """Log that a block is not sent completely, once for each type and role."""
    name = repr(_name(block))
    _log(name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…", role)


@lru_cache(maxsize=256)
def _log(name: str, role: str) -> None:
    logger.warning(
        "Content blocks of type %s are unknown in messages of role %r: their text is sent, the rest is left out.",
        name,
        role,
    )


def _name(block: Block) -> Any:
    """Return the type of a block. Bedrock's blocks have a single key instead of a type."""
    kind = block.get("type")
    return next(iter(block)) if kind is None and len(block) == 1 else kind


def _text_of(value: Any, depth: int) -> str:
    """Return the text in a value; see `text_in`."""
    if isinstance(value, str):
        return value
    if depth == 0:
        return ""
    if isinstance(value, list):
        return "\n".join(filter(None, (_text_of(item, depth - 1) for item in value)))
    if not isinstance(value, Mapping):
        return ""
    # The text of OpenAI's Assistants is an object with `value` and `annotations`.
    keys = (*_TEXT_KEYS, "value") if "annotations" in value else _TEXT_KEYS
    texts = (_text_of(value.get(key), depth - 1) for key in keys)
    return next(filter(None, texts), "") or _text_named_after_type(value, depth)


def _text_named_after_type(block: Block, depth: int) -> str:
    name = _name(block)
    if not isinstance(name, str) or name == "type" or name.lower().endswith(_REFERENCES):
        return ""
    text = _text_of(block.get(name), depth - 1)
    # A link to a file is not text for the model.
    return "" if text.startswith(WEB) else text
