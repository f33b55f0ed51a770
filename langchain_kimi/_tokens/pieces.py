"""The pieces that Kimi's tokenizer splits a text into before it encodes each of them.

"It's 2024, HelloWorld!" has the pieces "It's", " ", "202", "4", ",", " Hello", "World" and "!". A token never contains
parts of two pieces, so the tokens of a text are the sum over its pieces.

The pattern of the tokenizer is `vocabulary.PATTERN`. It has Unicode categories, which Python's `re` lacks. This module
has ranges of characters instead, so it needs no package. Of 800,000 pieces of texts in many languages it differs in 20.
The tests compare both patterns, and the ranges with the categories of `unicodedata`.
"""

import re
from collections.abc import Iterator

# The inside of a character class: the letters and marks outside ASCII (categories L and M) that are not Han characters.
# To keep it short, gaps of unassigned characters are included, and of the planes beyond the first one also symbols of
# ancient scripts.
LETTERS = (
    r"\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02c1\u02c6-\u02d1\u02e0-\u02e4\u02ec\u02ee\u0300-\u0374"
    r"\u0376-\u037d\u037f\u0386\u0388-\u03f5\u03f7-\u0481\u0483-\u0559\u0560-\u0588\u058b-\u058c\u0591-\u05bd\u05bf"
    r"\u05c1-\u05c2\u05c4-\u05c5\u05c7-\u05f2\u0610-\u061a\u0620-\u065f\u066e-\u06d3\u06d5-\u06dc\u06df-\u06e8"
    r"\u06ea-\u06ef\u06fa-\u06fc\u06ff\u0710-\u07b1\u07ca-\u07f5\u07fa-\u07fd\u0800-\u082d\u0840-\u085b"
    r"\u0860-\u0887\u0889-\u088f\u0897-\u08e1\u08e3-\u0963\u0971-\u09e3\u09f0-\u09f1\u09fc\u09fe-\u0a5e"
    r"\u0a70-\u0a75\u0a81-\u0ae3\u0af9-\u0b63\u0b71\u0b82-\u0bd7\u0c00-\u0c63\u0c80-\u0c83\u0c85-\u0ce3"
    r"\u0cf1-\u0d4e\u0d54-\u0d57\u0d5f-\u0d63\u0d7a-\u0ddf\u0df2-\u0df3\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece"
    r"\u0edc-\u0f00\u0f18-\u0f19\u0f35\u0f37\u0f39\u0f3e-\u0f84\u0f86-\u0fbc\u0fc6\u1000-\u103f\u1050-\u108f"
    r"\u109a-\u109d\u10a0-\u10fa\u10fc-\u135f\u1380-\u138f\u13a0-\u13fd\u1401-\u166c\u166f-\u167f\u1681-\u169a"
    r"\u16a0-\u16ea\u16f1-\u1734\u1740-\u17d3\u17d7\u17dc-\u17dd\u180b-\u180d\u180f\u1820-\u193b\u1950-\u19c9"
    r"\u1a00-\u1a1b\u1a20-\u1a7f\u1aa7\u1ab0-\u1b4c\u1b6b-\u1b73\u1b80-\u1baf\u1bba-\u1bf3\u1c00-\u1c37"
    r"\u1c4d-\u1c4f\u1c5a-\u1c7d\u1c80-\u1cbf\u1cd0-\u1cd2\u1cd4-\u1fbc\u1fbe\u1fc2-\u1fcc\u1fd0-\u1fdb"
    r"\u1fe0-\u1fec\u1ff2-\u1ffc\u2071\u207f\u208f-\u209f\u20d0-\u20f0\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d"
    r"\u2124\u2126\u2128\u212a-\u212d\u212f-\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183-\u2184\u2c00-\u2ce4"
    r"\u2ceb-\u2cf3\u2d00-\u2d6f\u2d7f-\u2dff\u2e2f\u3006\u302a-\u302f\u3031-\u3035\u303c\u3041-\u309a"
    r"\u309d-\u309f\u30a1-\u30fa\u30fc-\u318e\u31a0-\u31bf\u31f0-\u31ff\ua000-\ua48c\ua4d0-\ua4fd\ua500-\ua60c"
    r"\ua610-\ua61f\ua62a-\ua672\ua674-\ua67d\ua67f-\ua6e5\ua6f0-\ua6f1\ua717-\ua71f\ua722-\ua788\ua78b-\ua827"
    r"\ua82c\ua840-\ua873\ua880-\ua8c5\ua8e0-\ua8f7\ua8fb\ua8fd-\ua8ff\ua90a-\ua92d\ua930-\ua953\ua960-\ua9c0"
    r"\ua9cf\ua9e0-\ua9ef\ua9fa-\uaa4d\uaa60-\uaa76\uaa7a-\uaadd\uaae0-\uaaef\uaaf2-\uab5a\uab5c-\uab69\uab6c-\uab6d"
    r"\uab70-\uabea\uabec-\uabed\uac00-\ud7fb\ufb00-\ufb28\ufb2a-\ufbb1\ufbd3-\ufd3d\ufd50-\ufd8f\ufd92-\ufdc7\ufdf0-\ufdfb"
    r"\ufe00-\ufe0f\ufe20-\ufe2f\ufe70-\ufefc\uff21-\uff3a\uff41-\uff5a\uff66-\uffdc"
    r"\U00010280-\U0001e95f"
)
HAN = (
    r"\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff"
)
"""The inside of a character class: the Han characters, which Chinese, Japanese and Korean have."""
# A word includes one sign or blank before it: " the", ".get", "_name".
_BEFORE_WORD = r"(?:[^\r\n\w]|_)?"
_CONTRACTION = r"(?:'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL]))?"
_PIECES = re.compile(
    # A word in ASCII: capital letters, then small ones. It comes first because it is the most frequent and the fastest.
    rf"{_BEFORE_WORD}(?:[A-Z]*[a-z]++|[A-Z]++)(?![a-z{LETTERS}]){_CONTRACTION}"
    # A run of Han characters, without a sign before it
    rf"|[{HAN}]+"
    # Any other run of letters. `re` cannot distinguish capital and small letters here: `pieces` splits it.
    rf"|{_BEFORE_WORD}[A-Za-z{LETTERS}]+{_CONTRACTION}"
    # Up to three digits
    r"|[0-9]{1,3}"
    # Signs, with a space before them and the line ends after them
    r"|[ ]?(?:[^\s\w]|_)+[\r\n]*"
    # White space up to the last line end; up to the blank that belongs to the next word; the rest
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)"
    r"|\s+"
    # Up to three digits of other scripts, or other numbers such as "½"
    rf"|(?:(?![{HAN}A-Za-z{LETTERS}])\w){{1,3}}"
)


def pieces(text: str) -> Iterator[str]:
    """Yield the pieces of a text, in order. Joined they are the text."""
    for piece in _PIECES.findall(text):
        if piece.isascii() or piece.islower() or not _has_inner_capital(piece):
            yield piece
        else:
            yield from _split_at_capitals(piece)


def _has_inner_capital(piece: str) -> bool:
    inner = piece[2:]
    return inner != inner.lower()


def _split_at_capitals(piece: str) -> Iterator[str]:
    """Yield the pieces of a run of letters: a capital after a small letter begins a new piece, as in "straßeÉtat"."""
    start, was_small = 0, False
    for place, letter in enumerate(piece):
        if letter.isupper():
            if was_small:
                yield piece[start:place]
                start, was_small = place, False
        elif letter.islower():
            was_small = True
    yield piece[start:]
