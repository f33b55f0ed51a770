"""The average tokens of a piece of a text, from the characters in it.

Kimi's vocabulary has 163,584 tokens. `piece_costs.bin` summarizes it in 80 KB: each sequence of up to four characters
has a weight, at a place that is computed from the characters and that several sequences may share. The weights of the
sequences in a piece add up to about its tokens. `scripts/fit_piece_costs.py` fits them.
"""

import re
from array import array
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

from langchain_kimi._tokens.frequent_words import EVERYWHERE, IN_TEXTS, NAMES

SIZE = 1 << 15
"""The number of weights for pieces in ASCII, and of those for other pieces."""
_MASK = SIZE - 1
UNIT = 40
"""The weights in the file are integers, and this one stands for one token."""
_SHORTEST_WORD, _LONGEST_WORD = 4, 19
_MOST_PER_CHARACTER = 3
_LONGEST_CACHED = 32

_TABLE = files("langchain_kimi._tokens").joinpath("piece_costs.bin").read_bytes()
_ASCII = tuple(array("b", _TABLE[:SIZE]))
_OTHERS = tuple(array("b", _TABLE[SIZE : 2 * SIZE]))
_CHARACTERS = _TABLE[2 * SIZE :]
"""The tokens of each character by itself, less one: two bits each."""
_LAST_OF_FIRST_PLANE = 0xFFFF
_EMOJI, _AFTER_EMOJI = 0x1F000, 0x1FB00
# Emoji have the places of characters for private use, and other characters beyond the first plane that of a surrogate.
PLACE_OF_EMOJI, PLACE_OF_OTHERS = 0xE000, 0xD800


def cost_of_piece(piece: str) -> float:
    """Return the estimated tokens of a piece: at least one."""
    return _cached_cost(piece) if len(piece) <= _LONGEST_CACHED else _cost(piece)


def _cost(piece: str) -> float:
    if piece[0] == " " and piece[1:] in _FREQUENT:
        return 1.0
    if piece[0] in _DIGITS:
        # The vocabulary has all numbers of up to three digits.
        return 1.0
    if piece.isspace():
        return _cost_of_blanks(piece)
    cost, end = 0.0, 0
    others = []
    for ruler in _RULER.finditer(piece):
        if rate := _PER_TOKEN.get(ruler[1], _PER_TOKEN_OF_OTHERS if ruler[1].isascii() else 0.0):
            cost += max(1.0, len(ruler[0]) / rate)
            others.append(piece[end : ruler.start()])
            end = ruler.end()
    others.append(piece[end:])
    return cost + sum(map(_cost_of_sequences, filter(None, others)))


_FREQUENT = EVERYWHERE | IN_TEXTS | NAMES
_cached_cost = lru_cache(maxsize=16_384)(_cost)
_DIGITS = frozenset("0123456789")
# Characters per token of long runs of one character, by Kimi's vocabulary.
_RULER = re.compile(r"(.)\1{4,}", re.DOTALL)
_PER_TOKEN = {
    **dict.fromkeys("-*=/#", 32.0),
    **dict.fromkeys("_%.", 21.0),
    **dict.fromkeys("+;~", 17.7),
    **dict.fromkeys("!^F\u2500\u2550\u2588", 12.0),
    **dict.fromkeys("&)<>:@\\|aAfMoxX\u2014\u2501", 7.2),
    **dict.fromkeys("\"$'(?`}bBcCdeEhmOy\u00b7\u2026\u54c8", 3.9),
    **dict.fromkeys("\u2013\u2591\u25a0\u3002\uff01\u3000", 2.0),
}
_PER_TOKEN_OF_OTHERS = 2.0
_RUN_OF_BLANKS = re.compile(r" +|\t+|(?:\r\n)+|\n+|.", re.DOTALL)
_BLANKS_PER_TOKEN = {" ": 128.0, "\t": 20.0, "\n": 14.0, "\r": 6.0}
_SPACES_IN_ONE = 78
_RUNS_PER_TOKEN = 2.8


def _cost_of_blanks(blanks: str) -> float:
    if len(blanks) <= _SPACES_IN_ONE and not blanks.strip(" "):
        return 1.0
    runs = _RUN_OF_BLANKS.findall(blanks)
    cost = sum(len(run) / _BLANKS_PER_TOKEN.get(run[0], 1.0) for run in runs)
    least = 1.0 + any(len(run) > _SPACES_IN_ONE and run[0] == " " for run in runs)
    return max(least, cost, len(runs) / _RUNS_PER_TOKEN)


def _cost_of_sequences(piece: str) -> float:
    """Return the sum of the weights of a piece's sequences."""
    if piece.isascii():
        total, most = sum(map(_ASCII.__getitem__, places_in_ascii(piece))), len(piece)
    else:
        total, most = sum(map(_OTHERS.__getitem__, places(piece))), _MOST_PER_CHARACTER * len(piece)
    return min(max(1.0, total / UNIT), most)


def _of_sequences(codes: list[int]) -> tuple[list[int], list[int]]:
    """Return numbers of a piece's sequences of three characters, and the places of its shorter sequences."""
    two = [first * 1000003 ^ second for first, second in pairwise(codes)]
    three = [first * 1000003 ^ second for first, second in zip(two, codes[2:], strict=False)]
    numbers = [0]
    numbers += [code * 2654435 + 101 & _MASK for code in codes]
    numbers += [code * 40503 >> 5 & _MASK for code in two]
    numbers += [code * 40503 >> 7 & _MASK for code in three]
    return three, numbers


def places_in_ascii(piece: str) -> list[int]:
    """Return the places of the weights of a piece in ASCII: one of all pieces, those of sequences, one of the word."""
    codes = [*map(ord, piece)]
    three, numbers = _of_sequences(codes)
    numbers += [
        (first * 1000003 ^ second) * 40503 >> 9 & _MASK for first, second in zip(three, codes[3:], strict=False)
    ]
    if _SHORTEST_WORD <= len(codes) <= _LONGEST_WORD:
        word = len(codes)
        for code in codes:
            word = (word * 1000003 ^ code) & 0xFFFFFFFFFFFF
        numbers.append(word >> 11 & _MASK)
    return numbers


def places(piece: str) -> list[int]:
    """Return the places of the weights of another piece: one of all pieces, those of sequences, two of each character.

    The latter are the places of all characters with as many tokens, and of those of them with neighboring codes.
    """
    codes = [*map(ord, piece)]
    _, numbers = _of_sequences(codes)
    tokens = [*map(_more_tokens, codes)]
    numbers += [more + 1 for more in tokens]
    numbers += [((code >> 6) * 4 + more) * 40503 + 7919 & _MASK for code, more in zip(codes, tokens, strict=True)]
    return numbers


def _more_tokens(code: int) -> int:
    """Return by how much a character has more than one token."""
    if code > _LAST_OF_FIRST_PLANE:
        code = PLACE_OF_EMOJI + (code & 0xFFF) if _EMOJI <= code < _AFTER_EMOJI else PLACE_OF_OTHERS
    return _CHARACTERS[code >> 2] >> ((code & 3) * 2) & 3
