"""The average tokens of words in ASCII letters, by preceding character, case, length and rare pairs of letters.

The averages were measured with public vocabularies of the same kind and size as Kimi's; see `estimate`.
"""

from collections.abc import Mapping
from operator import add


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, which blanks separate."""
    return frozenset(text.split())


# Average tokens of a word of 1, 2, 3, ... ASCII letters, by the preceding character and by its case.
_AFTER_SPACE = {
    "small": (1.0, 1.0, 1.0, 1.01, 1.02, 1.02, 1.03, 1.06, 1.07, 1.09, 1.16, 1.18, 1.25, 1.32, 1.55, 2.0),
    "capital": (1.0, 1.0, 1.0, 1.02, 1.08, 1.1, 1.1, 1.2, 1.35, 1.42, 1.3, 1.25, 1.4, 1.42, 1.6, 2.0),
    "capitals": (1.0, 1.0, 1.04, 1.1, 1.08, 1.12, 1.1, 1.14, 1.18, 1.15, 1.28, 1.4, 1.5, 2.0, 2.3, 2.6),
}
_AFTER_SIGN = {
    "small": (1.04, 1.1, 1.22, 1.19, 1.34, 1.44, 1.48, 1.66, 1.95, 2.11, 2.5, 2.65, 2.9, 3.0, 3.5, 3.6),
    "capital": (1.17, 1.6, 1.58, 1.58, 1.82, 1.86, 1.9, 2.0, 2.27, 2.5, 2.5, 2.8, 3.0, 3.1, 3.4, 3.6),
    "capitals": (1.17, 1.7, 1.88, 1.95, 1.75, 1.8, 1.6, 1.9, 2.3, 2.7, 2.8, 3.0, 3.3, 3.6, 4.0, 4.3),
}
_AFTER_OTHER = {
    "small": (1.0, 1.0, 1.05, 1.07, 1.09, 1.16, 1.29, 1.38, 1.57, 1.58, 1.6, 2.2, 2.6, 2.6, 3.3, 3.5),
    "capital": (1.0, 1.0, 1.03, 1.03, 1.05, 1.08, 1.1, 1.15, 1.25, 1.3, 1.4, 1.5, 1.5, 1.9, 2.2, 2.4),
    "capitals": (1.0, 1.06, 1.35, 1.65, 1.95, 2.2, 2.2, 2.5, 2.5, 2.8, 3.0, 3.6, 3.7, 3.9, 4.3, 4.6),
}
# The words of JSON schemas have one token each, which tools would otherwise count too high.
_OF_SCHEMAS = words_of(
    "additional array boolean content default description enum function functions integer items location "
    "maximum minimum name null number object parameters properties query required string strict title type "
    "value"
)
_LONG_WORD_LETTERS = {"small": 4.5, "capital": 4.5, "capitals": 2.0}
"""Letters per token beyond the tables: compounds and long names, or sequences of capitals."""
# These signs and the word after them are often one token. Other signs seldom are.
_JOINED_SIGNS = frozenset("_.(\\")
_OTHER_SIGN = 0.2
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
_RARE_PAIR_OF_CAPITALS = 0.7
_FEWEST_LETTERS_PER_TOKEN = 1.6
_LONGEST_WORD = 64
"""Letters in which rare pairs are counted."""


def cost_of_word(piece: str) -> float:
    """Return the average tokens of a word like this one.

    Args:
        piece: Some ASCII letters, with the blank or sign before them, and with the contraction after them.
    """
    table, letters, more = _AFTER_OTHER, piece, 0.0
    if not piece[0].isalpha():
        letters = piece[1:]
        if piece[0].isspace():
            table = _AFTER_SPACE
        elif piece[0] not in _JOINED_SIGNS:
            table, more = _AFTER_SIGN, 0.0 if piece[0] == "-" else _OTHER_SIGN
    letters = letters.partition("'")[0]
    if letters in _OF_SCHEMAS and table is not _AFTER_SIGN:
        return 1.0
    if letters.islower():
        return more + _cost_of_letters(letters, table, "small")
    if letters.isupper() and len(letters) > 1:
        return more + _cost_of_letters(letters, table, "capitals")
    capitals = len(letters) - len(letters.lstrip(_CAPITALS)) - 1
    if 0 < capitals < len(letters) - _PLURAL:
        # An abbreviation before a word, as in `HTTPServer`.
        more += _cost_of_letters(letters[:capitals], table, "capitals")
        table, letters = _AFTER_OTHER, letters[capitals:]
    return more + _cost_of_letters(letters, table, "capital")


_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PLURAL = len("Ds")
"""The letters after the abbreviation in the plural of one, as in `IDs`."""


def _cost_of_letters(letters: str, table: Mapping[str, tuple[float, ...]], case: str) -> float:
    costs = table[case]
    cost = costs[min(len(letters), len(costs)) - 1]
    if len(letters) > len(costs):
        cost += (len(letters) - len(costs)) / _LONG_WORD_LETTERS[case]
    folded = letters[:_LONGEST_WORD].lower()
    rare = sum(map(_RARE_PAIRS.__contains__, map(add, folded, folded[1:])))
    if rare:
        each = _RARE_PAIR_OF_CAPITALS if case == "capitals" else _RARE_PAIR
        most = max(cost, len(letters) / _FEWEST_LETTERS_PER_TOKEN)
        cost = min(most, cost + rare * (each + rare * _RARE_PAIR_SQUARED))
    return cost
