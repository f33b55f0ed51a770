"""The average number of tokens of a word in ASCII letters, by preceding character, case, length and rare letter pairs.

The averages were measured with public vocabularies of the same kind and size as Kimi's; see `estimate`.
"""

from collections.abc import Mapping
from operator import add

from langchain_kimi._tokens.frequent_words import EVERYWHERE, IN_TEXTS, words_of

_Costs = Mapping[str, tuple[float, ...]]

# Average number of tokens of a word with 1, 2, 3, ... ASCII letters, by the preceding character and by its case. The
# signs of "joined" often form one token with the word after them, other signs rarely.
_COSTS: Mapping[str, _Costs] = {
    "space": {
        "small": (1.0, 1.0, 1.0, 1.01, 1.04, 1.06, 1.08, 1.11, 1.12, 1.14, 1.21, 1.25, 1.29, 1.34, 1.55, 1.95),
        "capital": (1.0, 1.0, 1.01, 1.06, 1.1, 1.2, 1.25, 1.35, 1.48, 1.5, 1.45, 1.42, 1.42, 1.35, 1.39, 1.57),
        "capitals": (1.0, 0.99, 1.07, 1.26, 1.35, 1.37, 1.39, 1.56, 1.6, 1.45, 1.42, 1.76, 1.65, 1.14, 1.03, 1.03),
    },
    "other": {
        "small": (1.0, 0.92, 1.05, 1.14, 1.3, 1.5, 1.65, 1.72, 1.77, 1.78, 1.82, 2.0, 2.23, 2.56, 2.89, 3.44),
        "capital": (1.0, 1.01, 1.03, 1.04, 1.18, 1.18, 1.21, 1.3, 1.38, 1.39, 1.41, 1.47, 1.54, 1.84, 1.99, 2.11),
        "capitals": (1.0, 0.97, 1.41, 1.32, 1.3, 1.78, 2.1, 2.24, 2.56, 2.94, 3.42, 3.78, 3.54, 3.16, 3.16, 3.35),
    },
    "joined": {
        "small": (1.0, 1.01, 1.08, 1.19, 1.55, 1.57, 1.67, 1.79, 1.82, 1.84, 2.0, 2.24, 2.36, 2.64, 2.68, 3.08),
        "capital": (1.03, 1.42, 1.27, 1.51, 1.93, 1.81, 1.6, 1.95, 2.03, 1.86, 2.22, 2.29, 2.28, 2.16, 2.22, 2.29),
        "capitals": (1.0, 1.04, 1.24, 1.72, 1.46, 1.76, 1.97, 1.94, 1.79, 1.87, 2.37, 2.92, 2.97, 3.41, 4.76, 5.64),
    },
    "dash": {
        "small": (1.0, 1.17, 1.38, 1.3, 1.57, 1.58, 1.74, 2.07, 2.22, 2.07, 1.93, 2.31, 2.42, 2.52, 3.01, 3.29),
        "capital": (1.0, 1.54, 1.46, 1.93, 2.12, 1.5, 1.58, 2.05, 2.54, 2.58, 2.68, 2.76, 2.71, 2.86, 3.3, 3.48),
        "capitals": (1.17, 1.52, 1.67, 2.03, 1.83, 1.87, 1.9, 2.03, 2.34, 2.58, 2.61, 2.63, 2.99, 3.58, 3.94, 4.12),
    },
    "sign": {
        "small": (1.07, 1.36, 1.65, 1.89, 1.92, 1.93, 2.02, 2.16, 2.23, 2.39, 2.71, 2.82, 2.71, 2.87, 3.42, 4.01),
        "capital": (1.22, 1.96, 1.74, 1.81, 2.33, 2.21, 2.24, 2.26, 2.22, 2.5, 2.9, 2.89, 2.85, 3.23, 3.44, 3.51),
        "capitals": (1.37, 1.89, 2.15, 2.33, 2.76, 2.83, 3.03, 3.63, 4.08, 4.2, 3.68, 3.31, 3.52, 3.84, 4.15, 4.33),
    },
}
# Average tokens of the words in `frequent_words`.
_FREQUENT_COSTS: Mapping[str, Mapping[str, float]] = {
    "space": {"small": 1.0, "capital": 1.0, "capitals": 1.01},
    "other": {"small": 1.0, "capital": 1.0, "capitals": 1.05},
    "joined": {"small": 1.0, "capital": 1.34, "capitals": 1.08},
    "dash": {"small": 1.02, "capital": 1.64, "capitals": 2.2},
    "sign": {"small": 1.19, "capital": 1.7, "capitals": 1.34},
}
_FREQUENT_COSTS_IN_TEXTS: Mapping[str, Mapping[str, float]] = {
    "space": {"small": 1.0, "capital": 1.02, "capitals": 1.02},
    "other": {"small": 1.02, "capital": 1.02},
    "joined": {"small": 1.03, "capital": 1.46},
}
_LONG_WORD_LETTERS = {"small": 4.5, "capital": 4.5, "capitals": 2.0}
"""Letters per token of words that are longer than the tables: compounds and long names, or sequences of capitals."""
_PLACES = {**dict.fromkeys("_.(\\", "joined"), **dict.fromkeys(" \t", "space"), "-": "dash"}
# Pairs of letters that are rare in English words and in code, after the first letter of each. A word that contains them
# is a name, an abbreviation or random letters, which the vocabulary has in pieces.
_RARE_PAIRS = frozenset(
    entry[0] + second
    for entry in words_of(
        "a:aehjoq b:bfghkmnpqtvwxz c:bgjnqvwxz d:fhjkqvwxz e:hjkz f:bghjkmpqvwxz g:bdfjkqvwxyz h:bcdfghjknpqvwxyz "
        "i:hijquwy j:bcdfghijklmnpqrtvwxyz k:bcdfghjkmopqrtuvxyz l:hjkmnqrwxz m:cfghjknqrvwxz n:bhjqwxz o:hjqyz "
        "p:bgjkmnqvwxz q:abcdefghijklmnopqrstvwxyz r:hjqxz s:bjvxz t:bgjknqvx u:hjkquvwxyz "
        "v:bdfghjklmnpqrstuvwxyz w:bcdfgjklmpqtuvwxyz x:bdfghjklmnoqrsuvwyz y:bdfghjkqruvwxyz "
        "z:bcdfghjklmnopqrstuvwxyz "
    )
    for second in entry[2:]
)
_RARE_PAIR, _RARE_PAIR_SQUARED = 0.3, 0.08
_FEWEST_LETTERS_PER_TOKEN = 1.6
_LONGEST_WORD = 64
"""The maximum number of letters in which rare pairs are counted."""


def cost_of_word(piece: str) -> float:
    """Return the average number of tokens of words like this one.

    Args:
        piece: ASCII letters, with the blank or sign before them, and with the contraction after them.
    """
    place, letters = "other", piece
    if not piece[0].isalpha():
        place = _PLACES.get(piece[0]) or ("space" if piece[0].isspace() else "sign")
        letters = piece[1:]
    letters = letters.partition("'")[0]
    case = "small" if letters.islower() else "capitals" if letters.isupper() and len(letters) > 1 else "capital"
    folded = letters.lower()
    if folded in EVERYWHERE:
        return _FREQUENT_COSTS[place][case]
    if folded in IN_TEXTS and (frequent := _FREQUENT_COSTS_IN_TEXTS.get(place, {}).get(case)):
        return frequent
    more = 0.0
    if case == "capital":
        capitals = len(letters) - len(letters.lstrip(_CAPITALS)) - 1
        if 0 < capitals < len(letters) - _PLURAL:
            # An abbreviation before a word, as in `HTTPServer`.
            more = _cost_of_letters(letters[:capitals], _COSTS[place], "capitals")
            place, letters = "other", letters[capitals:]
    return more + _cost_of_letters(letters, _COSTS[place], case)


_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PLURAL = len("Ds")
"""The number of letters from the last capital on in the plural of an abbreviation, such as `IDs`."""


def _cost_of_letters(letters: str, table: _Costs, case: str) -> float:
    """Return the average number of tokens of a word with this number of letters, plus that of rare pairs."""
    costs = table[case]
    cost = costs[min(len(letters), len(costs)) - 1]
    if len(letters) > len(costs):
        cost += (len(letters) - len(costs)) / _LONG_WORD_LETTERS[case]
    folded = letters[:_LONGEST_WORD].lower()
    rare = sum(map(_RARE_PAIRS.__contains__, map(add, folded, folded[1:])))
    if rare:
        most = max(cost, len(letters) / _FEWEST_LETTERS_PER_TOKEN)
        cost = min(most, cost + rare * (_RARE_PAIR + rare * _RARE_PAIR_SQUARED))
    return cost
