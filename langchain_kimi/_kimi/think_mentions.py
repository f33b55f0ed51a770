"""Decide whether a text only mentions or quotes `<think>` or `</think>`, as in texts about reasoning models.

A tag is a word of its sentence if a blank and a small letter or punctuation follow it: "Models write <think> before
their thoughts." Tags of a host touch the text after them, or a line break: "<think>Add them.</think>The sum is 5."
"""

import re

from langchain_kimi._kimi.markup.grammar import TAG_CLOSE
from langchain_kimi._patterns import lazy_pattern

OPEN, CLOSE = "<think>", "</think>"
LONGEST_CLOSE = 96
"""The maximum length of a closing tag, with the tags of K3's channels."""
_CLOSED_CHANNEL = lazy_pattern(
    r"<\|close\|>\s{0,8}think\s{0,8}(?:<\|sep\|>\s{0,8})?"
    r"(?:<\|open\|>\s{0,8}response\s{0,8}<\|sep\|>|(?=<\|open\|>\s{0,8}tools\s{0,8}<\|sep\|>))"
)
"""The end of the thoughts in K3's markup, whose template opens them in the prompt, and the channel that follows.

The tag of the tools is left for the parser of calls."""
_LONGEST_ENDING = 80
"""The length of the end of a text that is searched for the end of a sentence."""
_OPENING_QUOTES, _CLOSING_QUOTES = frozenset("`'\"“«("), frozenset("`'\"”»)")
PUNCTUATION = frozenset(",.;:?!)")

# The lookbehinds exclude the number of a list item, such as `1.`.
_END_OF_SENTENCE = lazy_pattern(r"(?<!^\d)(?<!^\d\d)[.!?\u2026\u3002\uff01\uff1f]\s*\Z", re.MULTILINE)


def closes_thoughts(text: str) -> bool:
    """Return whether a text contains a closing tag."""
    return CLOSE in text or (TAG_CLOSE in text and _CLOSED_CHANNEL.search(text) is not None)


def closing_at(text: str) -> tuple[str, str, str]:
    """Return the text before the first closing tag, the tag, and the text after it, like `str.partition`."""
    before, tag, after = text.partition(CLOSE)
    closed = _CLOSED_CHANNEL.search(before) if TAG_CLOSE in before else None
    return (text[: closed.start()], closed[0], text[closed.end() :]) if closed else (before, tag, after)


def is_quoted(before: str, after: str) -> bool:
    """Return whether a tag between two texts is in quotation marks."""
    return before[-1:] in _OPENING_QUOTES and after[:1] in _CLOSING_QUOTES


def continues_sentence(after: str) -> bool:
    """Return whether the text after a tag continues a sentence that mentions the tag."""
    return (after[:1] == " " and after[1:2].islower()) or after[:1] in PUNCTUATION


def is_mention(before: str, tag: str, after: str) -> bool:
    """Return whether a text mentions or quotes the closing tag."""
    if tag != CLOSE and (TAG_CLOSE[:2] in before or before.endswith(" ") or before.rstrip()[-1:] in ("", ":")):
        # Texts about K3's markup name other markers, or set the tags off. Without thoughts, the tags are stray markers.
        return True
    if OPEN[:-1] in before or before.count("```") % 2 or is_quoted(before, after):
        return True
    # Thoughts end with a sentence or a line. A tag in the middle of a sentence is a word of it, also at a line break.
    is_word = after[:1].isspace() and _END_OF_SENTENCE.search(before, max(0, len(before) - _LONGEST_ENDING)) is None
    return before[-1:] == " " and (not after or after[0] == " " or after[0] in PUNCTUATION or is_word)


def overlap(text: str) -> int:
    """Return the length of a tag, or of the beginning of one, at the end of a text."""
    opened = text.rfind("<", max(0, len(text) - len(CLOSE)))
    end = text[opened:] if opened >= 0 else " "
    return len(end) if OPEN.startswith(end) or CLOSE.startswith(end) else 0
