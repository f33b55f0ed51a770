"""The pieces that a rendered prompt consists of, and what all templates read a message by."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_kimi._openrouter.wire import WireMessage

IMAGE_TOKENS = 1_400
"""What an image is taken for: one of about 1,000 x 1,000 pixels.

Kimi's eye makes one token of 28 x 28 pixels, and at most 4,096 of an image; a URL does not tell its size.
"""
CLIP_TOKENS = 8_000
"""What a film, a recording or a file is taken for."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt.

    Attributes:
        text: What it says; of a special token, its name.
        tokens: How many tokens it has where that is known without a vocabulary; None for text that must be counted.
        is_known: Whether `tokens` is certain; an image's is an estimate.
    """

    text: str
    tokens: int | None = None
    is_known: bool = True


class Prompt:
    """Collects the pieces of a prompt; texts that touch each other become one, because tokens reach across."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    def special(self, *names: str) -> None:
        """Add special tokens."""
        self.segments += [Segment(name, 1) for name in names]

    def known(self, text: str, tokens: int) -> None:
        """Add text between special tokens whose number of tokens is known."""
        self.segments.append(Segment(text, tokens))

    def text(self, text: str) -> None:
        """Add text."""
        if not text:
            return
        if self.segments and self.segments[-1].tokens is None:
            text = self.segments.pop().text + text
        self.segments.append(Segment(text))

    def media(self, kind: str) -> None:
        """Add an image, or something that is heard or seen over time, as an estimate."""
        tokens = IMAGE_TOKENS if kind in {"image", "image_url"} else CLIP_TOKENS
        self.segments.append(Segment(kind, tokens, is_known=False))


def parts_of(message: WireMessage) -> list[str | Mapping[str, Any]]:
    """Give the content of a message part by part: texts, and what is no text as it is."""
    content = message.get("content") or []
    if isinstance(content, str):
        return [content]
    return [str(part.get("text") or "") if part.get("type") == "text" else part for part in content]


def reasoning_of(message: WireMessage) -> str:
    """Give the reasoning of a message, whichever of the three fields holds it."""
    details = "".join(str(detail.get("text") or "") for detail in message.get("reasoning_details") or ())
    return message.get("reasoning") or message.get("reasoning_content") or details


def compact_json(value: Any) -> str:
    """Write JSON as the templates do: no blanks, keys in order, letters of every script as they are."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
