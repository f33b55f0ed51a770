"""Decide whether a text only mentions or quotes `<think>` or `</think>`, as in texts about reasoning models.

A tag is a word of its sentence if a blank and a small letter or punctuation follow it: "Models write <think> before
their thoughts." Tags of a host touch the text after them, or a line break: "<think>Add them.</think>The sum is 5."
"""

import re

from langchain_kimi._patterns import lazy_pattern

OPEN, CLOSE = "<think>", "</think>"
_LONGEST_ENDING = 80
"""The length of the end of a text that is searched for the end of a sentence."""
_OPENING_QUOTES, _CLOSING_QUOTES = frozenset("`'\"“«("), frozenset("`'\"”»)")
PUNCTUATION = frozenset(",.;:?!)")

# The lookbehinds exclude the number of a list item, such as `1.`.
_END_OF_SENTENCE = lazy_pattern(r"(?<!^\d)(?<!^\d\d)[.!?\u2026\u3002\uff01\uff1f]\s*\Z", re.MULTILINE)


def is_quoted(before: str, after: str) -> bool:
    """Return whether a tag between two texts is in quotation marks."""
    return before[-1:] in _OPENING_QUOTES and after[:1] in _CLOSING_QUOTES


def continues_sentence(after: str) -> bool:
    """Return whether the text after a tag continues a sentence that mentions the tag."""
    return (after[:1] == " " and after[1:2].islower()) or after[:1] in PUNCTUATION


def is_mention(before: str, after: str) -> bool:
    """Return whether a text mentions or quotes the closing tag."""
    if OPEN[:-1] in before or before.count("```") % 2 or is_quoted(before, after):
        return True
    # Thoughts end with a sentence or a line. A tag in the middle of a sentence is a word of it, also at a line break.
    is_word = after[:1].isspace() and _END_OF_SENTENCE.search(before, max(0, len(before) - _LONGEST_ENDING)) is None
    return before[-1:] == " " and (not after or after[0] == " " or after[0] in PUNCTUATION or is_word)
