"""An estimate of the tokens that a text has for Kimi, without its vocabulary.

The text is split about where Kimi's tokenizer splits it (a word with the sign before it, up to three digits, a run of
signs, white space), and each piece counts as the average of such pieces. The costs of English, digits and signs were
fitted to billed prompts and answers, those of other scripts and languages to a published benchmark of Kimi's
vocabulary; `docs/token-estimate.md` has the figures.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

# The tokens of a word by its number of ASCII letters: common English words are one token, long words are rare.
_WORD = (0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.03, 1.08, 1.13, 1.18, 1.23, 1.3, 1.4, 1.5, 1.7, 1.9)
_LONG_WORD_LETTERS = 4.5
"""Letters per token of words that are longer than the table: compounds, names, or random letters."""
# A capital right after a letter is inside a name, as in `getUserName`. Vocabularies have fewer such words.
_IN_NAME = 1.1
_SHORTEST_IN_NAME = 3
_CAPITALS = 4
_CAPITALS_LETTERS = 4.0
_RULER = 8
_SIGNS_OF_RULER_IN_ONE = 16
_RARE_SIGN = 0.62
_BLANKS_IN_ONE = 16
# Unaccented words of a language with accents have more tokens than English words, depending on the share of accented
# words.
_FEW_ACCENTS = 0.05
_FOREIGN_SLOPE = 4
_FOREIGN_MOST = 0.35
_FOREIGN_MOST_EXTENDED = 0.6
# A language without accents is known by the English words that it lacks: of the different words of a text in English,
# or of code, more than a twentieth are such. Words of other languages have half as many tokens again, and more.
_PROSE_WORDS = 20
_LEAST_ENGLISH = 0.05
_PLAIN_FOREIGN = 0.8
_ENGLISH = frozenset(
    re.findall(
        r"\w+",
        "the of and to a in is that for it as with was on be by not this are or from at an if i you your we can will "
        "have return else def import class self const let var function new null true false void int static public end",
    )
)
# Base64: capitals, small letters and digits in random order, which are in no vocabulary.
_NOISE = re.compile(r"[A-Za-z0-9+/_-]{60,}+=*")
_NOISE_LETTERS = 1.4
_NOISE_CASES = 0.15

# Letters per token, slightly below what a benchmark measured with Kimi's vocabulary on web pages.
LETTERS_PER_TOKEN = {
    "accented": 2.1,
    "extended": 1.7,
    "vietnamese": 1.25,
    "cyrillic": 2.3,
    "greek": 1.5,
    "hebrew": 1.45,
    "arabic": 1.7,
    "devanagari": 1.3,
    "indic": 1.2,
    "thai": 1.2,
    "kana": 1.15,
    "han": 1.6,
    "hangul": 1.0,
    "emoji": 0.55,
    "other": 0.5,
}


@dataclass(frozen=True, slots=True)
class Fit:
    """The costs that were fitted to billed prompts. The others come from benchmarks and from the tokenizer's rules.

    Attributes:
        before_small_letter: The tokens of a sign before a small letter, as in `"name`.
        before_capital: The tokens of a sign before a capital.
        signs_in_one: The signs in a row that make one token.
    """

    before_small_letter: float = 0.35
    before_capital: float = 0.8
    signs_in_one: float = 3.0


FIT = Fit()

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
_VIETNAMESE = r"\u01a0\u01a1\u01af\u01b0\u1ea0-\u1ef9"
# Kimi's vocabulary has fewer words with letters of Latin Extended-A, as in Polish and Turkish, than with those of
# Latin-1.
_EXTENDED = r"\u0100-\u0151\u0154-\u017f"
_ACCENTED = r"\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0300-\u036f\u1e00-\u1eff"
_ASCII_SIGNS = r"!-/:-@\[-`{-~"
_SIGNS = (
    _ASCII_SIGNS + r"\u00a1-\u00bf\u00d7\u00f7\u2010-\u205e\u20a0-\u20cf\u2100-\u23ff\u2500-\u25ff"
    r"\u3001-\u3004\u3008-\u301f\uff01-\uff0f\uff1a-\uff20"
)
_BEFORE_WORD = rf"(?:[^\S\r\n]|[{_ASCII_SIGNS}])?"
_PIECES = re.compile(
    rf"(?P<word>{_BEFORE_WORD}(?:[A-Z]*[a-z]++|[A-Z]++)(?![{_ACCENTED}])(?:'(?:s|t|re|ve|m|ll|d)\b)?)"
    rf"|(?P<vietnamese>{_BEFORE_WORD}[A-Za-z{_ACCENTED}]*?[{_VIETNAMESE}][A-Za-z{_ACCENTED}]*)"
    rf"|(?P<extended>{_BEFORE_WORD}[A-Za-z{_ACCENTED}]*?[{_EXTENDED}][A-Za-z{_ACCENTED}]*)"
    rf"|(?P<accented>{_BEFORE_WORD}[A-Za-z{_ACCENTED}]+)"
    r"|(?P<digits>[0-9]{1,3})"
    + "".join(rf"|(?P<{name}>[^\S\r\n]?[{letters}]+)" for name, letters in _SCRIPTS.items())
    + rf"|(?P<signs>[ ]?[{_SIGNS}]+[\r\n]*)"
    r"|(?P<lines>\s*[\r\n]+)"
    r"|(?P<blanks>\s+(?!\S)|\s)"
    r"|(?P<other>\S)"
)


def estimate_tokens(text: str, fit: Fit = FIT) -> float:
    """Return the estimated tokens of a text, in time linear in its length.

    Args:
        text: The text.
        fit: The fitted costs.

    Returns:
        The number of tokens. It is a sum of averages and so not an integer.
    """
    noise, text = _without_noise(text)
    costs: defaultdict[str, float] = defaultdict(float)
    words = set()
    before = ""
    for piece in _PIECES.finditer(text):
        kind = piece.lastgroup or "other"
        characters = piece[0]
        cost = _COSTS.get(kind, _cost_of_script)(characters, kind, fit)
        if kind == "word":
            if characters[0] == " ":
                words.add(characters[1:].lower())
            elif before == "word" and len(characters) >= _SHORTEST_IN_NAME and characters[0].isalpha():
                cost *= _IN_NAME
        costs[kind] += cost
        before = kind
    costs["word"] *= 1 + (_by_accents(costs) or _PLAIN_FOREIGN * _is_foreign(words))
    return noise + sum(costs.values())


def _without_noise(text: str) -> tuple[float, str]:
    """Return the tokens of the random runs in a text, and the text without them."""
    words = _NOISE.sub(lambda run: "" if _is_noise(run[0]) else run[0], text)
    return (len(text) - len(words)) / _NOISE_LETTERS, words


def _is_noise(run: str) -> bool:
    capitals = sum(map(str.isupper, run))
    small = sum(map(str.islower, run))
    return min(capitals, small) > _NOISE_CASES * len(run) and any(map(str.isdigit, run))


def _by_accents(costs: dict[str, float]) -> float:
    extended = costs["extended"] + costs["vietnamese"]
    accented = costs["accented"] + extended
    share = accented / (accented + costs["word"]) if accented else 0.0
    most = _FOREIGN_MOST_EXTENDED if extended > costs["accented"] else _FOREIGN_MOST
    return min(max(0.0, share - _FEW_ACCENTS) * _FOREIGN_SLOPE, most)


def _is_foreign(words: set[str]) -> bool:
    return len(words) >= _PROSE_WORDS and len(words & _ENGLISH) < len(words) * _LEAST_ENGLISH


def _cost_of_word(piece: str, _kind: str, fit: Fit) -> float:
    letters, before = len(piece), 0.0
    if not piece[0].isalpha():
        letters -= 1
        if not piece[0].isspace():
            before = fit.before_capital if piece[1].isupper() else fit.before_small_letter
    if letters >= _CAPITALS and piece[-2:].isupper():
        return before + letters / _CAPITALS_LETTERS
    if letters < len(_WORD):
        return before + _WORD[letters]
    return before + letters / _LONG_WORD_LETTERS


def _cost_of_signs(piece: str, _kind: str, fit: Fit) -> float:
    signs = piece.strip()
    if len(signs) >= _RULER and len(set(signs)) == 1:
        # The vocabulary has rulers of hyphens as words, but not rulers of dashes.
        return len(signs) / _SIGNS_OF_RULER_IN_ONE if signs.isascii() else len(signs) * _RARE_SIGN
    rare = sum(not sign.isascii() for sign in signs)
    return max(1.0, (len(signs) - rare) / fit.signs_in_one + rare * _RARE_SIGN)


def _cost_of_blanks(piece: str, _kind: str, _fit: Fit) -> float:
    return max(1.0, len(piece) / _BLANKS_IN_ONE)


def _cost_of_script(piece: str, kind: str, _fit: Fit) -> float:
    # The tokenizer separates Han characters from a space before them. In other scripts the space is part of the piece.
    blank = piece[0].isspace()
    return (kind == "han" and blank) + max(1.0, (len(piece) - blank) / LETTERS_PER_TOKEN[kind])


_COSTS: dict[str, Callable[[str, str, Fit], float]] = {
    "word": _cost_of_word,
    "digits": lambda _piece, _kind, _fit: 1.0,
    "signs": _cost_of_signs,
    "lines": _cost_of_blanks,
    "blanks": _cost_of_blanks,
}
