"""How many tokens a text has for Kimi, told without its vocabulary.

The text is cut into pieces about where Kimi's tokenizer cuts it (a word with the sign before it, up to three digits,
a run of signs, white space), and each piece costs what such pieces cost on average. The costs of Latin letters, digits
and signs were fitted to prompts and answers whose tokens were billed; `docs/token-estimate.md` has the figures, and
says of which scripts there are none.
"""

import re
from collections import defaultdict
from collections.abc import Callable

# What a word of n ASCII letters costs, by n: nearly every common English word is one token, the rare ones are long.
_WORD = (0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.03, 1.08, 1.13, 1.18, 1.23, 1.3, 1.4, 1.5, 1.7, 1.9)
_LONG_WORD_LETTERS = 4.5
"""Letters a token of what is longer than the table: compounds, names, or no words at all."""
_CAPITALS = 4
_CAPITALS_LETTERS = 3.2
_SIGN_BEFORE_SMALL_LETTER = 0.35
_SIGN_BEFORE_CAPITAL = 0.8
_SIGNS_IN_ONE = 3
_RULER = 8
_SIGNS_OF_RULER_IN_ONE = 16
_RARE_SIGN = 0.62
_BLANKS_IN_ONE = 16
# Words without an accent in a language that has accents are longer for Kimi than English ones; by the share of words
# that have one.
_FEW_ACCENTS = 0.05
_FOREIGN_SLOPE = 4
_FOREIGN_MOST = 0.35

# Letters a token. These are on the careful side of what other vocabularies of this size need.
LETTERS_PER_TOKEN = {
    "accented": 2.2,
    "cyrillic": 2.3,
    "greek": 1.6,
    "hebrew": 1.5,
    "arabic": 1.7,
    "devanagari": 1.2,
    "indic": 0.7,
    "thai": 1.2,
    "kana": 1.3,
    "han": 1.5,
    "hangul": 1.1,
    "emoji": 0.55,
    "other": 0.5,
}

_SCRIPTS = {
    "cyrillic": r"\u0400-\u052f",
    "greek": r"\u0370-\u03ff\u1f00-\u1fff",
    "hebrew": r"\u0590-\u05ff",
    "arabic": r"\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefe",
    "devanagari": r"\u0900-\u097f",
    "indic": r"\u0980-\u0dff",
    "thai": r"\u0e00-\u0e7f",
    "kana": r"\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "han": r"\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "hangul": r"\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "emoji": r"\u2600-\u27bf\ufe0e\ufe0f\u200d\U0001f000-\U0001faff",
}
_ACCENTED = r"\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0300-\u036f\u1e00-\u1eff"
_ASCII_SIGNS = r"!-/:-@\[-`{-~"
_SIGNS = (
    _ASCII_SIGNS + r"\u00a1-\u00bf\u00d7\u00f7\u2010-\u205e\u20a0-\u20cf\u2100-\u23ff\u2500-\u25ff"
    r"\u3001-\u3004\u3008-\u301f\uff01-\uff0f\uff1a-\uff20"
)
_BEFORE_WORD = rf"(?:[^\S\r\n]|[{_ASCII_SIGNS}])?"
_PIECES = re.compile(
    rf"(?P<word>{_BEFORE_WORD}(?:[A-Z]*[a-z]++|[A-Z]++)(?![{_ACCENTED}])(?:'(?:s|t|re|ve|m|ll|d)\b)?)"
    rf"|(?P<accented>{_BEFORE_WORD}[A-Za-z{_ACCENTED}]+)"
    r"|(?P<digits>[0-9]{1,3})"
    + "".join(rf"|(?P<{name}>[^\S\r\n]?[{letters}]+)" for name, letters in _SCRIPTS.items())
    + rf"|(?P<signs>[ ]?[{_SIGNS}]+[\r\n]*)"
    r"|(?P<lines>\s*[\r\n]+)"
    r"|(?P<blanks>\s+(?!\S)|\s)"
    r"|(?P<other>\S)"
)


def estimate_tokens(text: str) -> float:
    """Estimate the tokens of a text; a sum of averages, and so no whole number."""
    costs: defaultdict[str, float] = defaultdict(float)
    for piece in _PIECES.finditer(text):
        kind = piece.lastgroup or "other"
        costs[kind] += _COSTS.get(kind, _cost_of_script)(piece[0], kind)
    if accented := costs["accented"]:
        share = accented / (accented + costs["word"])
        costs["word"] *= 1 + min(max(0.0, share - _FEW_ACCENTS) * _FOREIGN_SLOPE, _FOREIGN_MOST)
    return sum(costs.values())


def _cost_of_word(piece: str, _kind: str) -> float:
    letters, before = len(piece), 0.0
    if not piece[0].isalpha():
        letters -= 1
        if not piece[0].isspace():
            before = _SIGN_BEFORE_CAPITAL if piece[1].isupper() else _SIGN_BEFORE_SMALL_LETTER
    if letters >= _CAPITALS and piece[-2:].isupper():
        return before + letters / _CAPITALS_LETTERS
    if letters < len(_WORD):
        return before + _WORD[letters]
    return before + letters / _LONG_WORD_LETTERS


def _cost_of_signs(piece: str, _kind: str) -> float:
    signs = piece.strip()
    if len(signs) >= _RULER and len(set(signs)) == 1:
        # A ruler of hyphens is a word of the vocabulary, one of dashes is spelled out.
        return len(signs) / _SIGNS_OF_RULER_IN_ONE if signs.isascii() else len(signs) * _RARE_SIGN
    rare = sum(not sign.isascii() for sign in signs)
    return max(1.0, (len(signs) - rare) / _SIGNS_IN_ONE + rare * _RARE_SIGN)


def _cost_of_blanks(piece: str, _kind: str) -> float:
    return max(1.0, len(piece) / _BLANKS_IN_ONE)


def _cost_of_script(piece: str, kind: str) -> float:
    # Han is cut off from the blank before it; other scripts take it along.
    blank = piece[0].isspace()
    return (kind == "han" and blank) + max(1.0, (len(piece) - blank) / LETTERS_PER_TOKEN[kind])


_COSTS: dict[str, Callable[[str, str], float]] = {
    "word": _cost_of_word,
    "digits": lambda _piece, _kind: 1.0,
    "signs": _cost_of_signs,
    "lines": _cost_of_blanks,
    "blanks": _cost_of_blanks,
}
