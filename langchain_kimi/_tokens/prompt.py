"""The segments of a rendered prompt, and helpers to read messages, for all chat templates."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_kimi._openrouter.wire import WireMessage

IMAGE_TOKENS = 1_400
"""The number of tokens that is assumed for an image, which is that of about 1,000 x 1,000 pixels.

Kimi's vision encoder uses one token per 28 x 28 pixels and at most 4,096 per image. A URL does not contain the size.
"""
CLIP_TOKENS = 8_000
"""The number of tokens that is assumed for a video, an audio recording or a file."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt.

    Attributes:
        text: The text, or the name of a special token.
        tokens: The number of tokens if no vocabulary is needed for it; None for text that must be counted.
        is_certain: Whether `tokens` is exact. For images and other media it is an estimate.
    """

    text: str
    tokens: int | None = None
    is_certain: bool = True


class Prompt:
    """A list of segments under construction.

    Adjacent texts are joined into one segment, because a token can reach from one text into the next.
    """

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    def add_special(self, *names: str) -> None:
        """Add special tokens."""
        self.segments += [Segment(name, 1) for name in names]

    def add_counted(self, text: str, tokens: int) -> None:
        """Add text between special tokens, with its number of tokens."""
        self.segments.append(Segment(text, tokens))

    def add_text(self, text: str) -> None:
        """Add text that must be counted."""
        if not text:
            return
        if self.segments and self.segments[-1].tokens is None:
            text = self.segments.pop().text + text
        self.segments.append(Segment(text))

    def add_media(self, kind: str) -> None:
        """Add an image, a video, an audio recording or a file, with an estimated number of tokens."""
        tokens = IMAGE_TOKENS if kind in {"image", "image_url"} else CLIP_TOKENS
        self.segments.append(Segment(kind, tokens, is_certain=False))


def parts_of(message: WireMessage) -> list[str | Mapping[str, Any]]:
    """Return the parts of a message's content: texts as strings, all other parts unchanged."""
    content = message.get("content") or []
    if isinstance(content, str):
        return [content]
    return [str(part.get("text") or "") if part.get("type") == "text" else part for part in content]


def reasoning_of(message: WireMessage) -> str:
    """Return the reasoning of a message, from whichever of its three fields contains it."""
    details = "".join(str(detail.get("text") or "") for detail in message.get("reasoning_details") or ())
    return message.get("reasoning") or message.get("reasoning_content") or details


def compact_json(value: Any) -> str:
    """Return JSON as the templates write it: without spaces, keys sorted, non-ASCII characters unescaped."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
