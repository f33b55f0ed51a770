"""The average number of tokens that a piece of a text has, estimated from its characters. `pieces` splits texts.

Kimi's vocabulary has 163,584 tokens, too many to ship. `piece_costs.bin` summarizes it in 80 KB. Each sequence of up to
four characters has a weight in the table, and the weights of all sequences in a piece add up to about its tokens:
" the" is one token, so its weights add up to about 1; " pvbnkqxz" has rare sequences with high weights and costs more.
An index into the table is a hash of the characters, so several sequences may share a weight.

Three kinds of pieces do not use the table, because exact rules for them are short: numbers, white space, and runs of
one character such as a line of dashes. Frequent words (see `frequent_words`) are one token.

Format of `piece_costs.bin` (no header):
    Bytes 0 to 32,767: the weights for pieces in ASCII, as signed bytes in units of 1/40 token; see `ascii_indices`.
    Bytes 32,768 to 65,535: the weights for all other pieces, in the same form; see `other_indices`.
    Bytes 65,536 to 81,919: for each character of the first plane of Unicode, its tokens less one, in two bits; four
        characters per byte, the first one in the lowest bits.

Origin: `scripts/fit_piece_costs.py` fits the weights to counts of tokens by the vocabulary file of
https://huggingface.co/moonshotai/Kimi-K2-Instruct-0905 (see `vocabulary`); its docstring says how to make the file
again. The file contains no token of the vocabulary and no text, only numbers, and has the license of this
project. All Kimi models from K2 to K3 share the vocabulary, so it changes only if a later model has another one.
"""

import re
from array import array
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

from langchain_kimi._tokens.frequent_words import EVERYWHERE, IN_TEXTS, NAMES

SIZE = 1 << 15
"""The number of weights for pieces in ASCII, and of those for other pieces. It is a power of two."""
_MASK = SIZE - 1
UNIT = 40
"""The weights in the file are integers, and this one stands for one token."""
_SHORTEST_WORD, _LONGEST_WORD = 4, 19
"""Pieces in ASCII with a number of characters in this range have a weight for the piece as a whole, too."""
_MAX_TOKENS_PER_CHARACTER = 3
"""The limit for pieces that are not in ASCII: a token has at least one byte, and nearly all characters have up to 3."""
_LONGEST_CACHED = 32

_TABLE = files("langchain_kimi._tokens").joinpath("piece_costs.bin").read_bytes()
_ASCII = tuple(array("b", _TABLE[:SIZE]))
_OTHERS = tuple(array("b", _TABLE[SIZE : 2 * SIZE]))
_CHARACTERS = _TABLE[2 * SIZE :]
_LAST_OF_FIRST_PLANE = 0xFFFF
_EMOJI, _AFTER_EMOJI = 0x1F000, 0x1FB00
# The table has no room for characters beyond the first plane. Emoji take the codes for private use, which texts hardly
# contain, and all others share the code of one surrogate, which is not a character.
CODE_FOR_EMOJI, CODE_FOR_OTHERS = 0xE000, 0xD800


def cost_of_piece(piece: str) -> float:
    """Return the estimated tokens of a piece: at least one."""
    return _cached_cost(piece) if len(piece) <= _LONGEST_CACHED else _cost(piece)


def _cost(piece: str) -> float:
    if piece[0] == " " and piece[1:] in _FREQUENT_WORDS:
        return 1.0
    if piece[0] in _DIGITS:
        # The vocabulary has all numbers of up to three digits, and a piece has no more of them.
        return 1.0
    if piece.isspace():
        return _cost_of_blanks(piece)
    cost, end = 0.0, 0
    others = []
    for run in _LONG_RUN.finditer(piece):
        if characters := _CHARACTERS_PER_TOKEN.get(run[1], _CHARACTERS_PER_OTHER_TOKEN if run[1].isascii() else 0.0):
            cost += max(1.0, len(run[0]) / characters)
            others.append(piece[end : run.start()])
            end = run.end()
    others.append(piece[end:])
    return cost + sum(map(_cost_of_sequences, filter(None, others)))


_FREQUENT_WORDS = EVERYWHERE | IN_TEXTS | NAMES
_cached_cost = lru_cache(maxsize=16_384)(_cost)
_DIGITS = frozenset("0123456789")
# A run of five or more equal characters, such as "-----". The vocabulary has tokens for runs of some lengths: 80 dashes
# are about two tokens. These are the characters per token in long runs, measured with the vocabulary.
_LONG_RUN = re.compile(r"(.)\1{4,}", re.DOTALL)
_CHARACTERS_PER_TOKEN = {
    **dict.fromkeys("-*=/#", 32.0),
    **dict.fromkeys("_%.", 21.0),
    **dict.fromkeys("+;~", 17.7),
    **dict.fromkeys("!^F\u2500\u2550\u2588", 12.0),
    **dict.fromkeys("&)<>:@\\|aAfMoxX\u2014\u2501", 7.2),
    **dict.fromkeys("\"$'(?`}bBcCdeEhmOy\u00b7\u2026\u54c8", 3.9),
    **dict.fromkeys("\u2013\u2591\u25a0\u3002\uff01\u3000", 2.0),
}
_CHARACTERS_PER_OTHER_TOKEN = 2.0
"""The same for other characters in ASCII. Sequences decide about those outside ASCII."""
# White space, measured in the same way: one run is equal spaces, tabs or line ends.
_RUN_OF_BLANKS = re.compile(r" +|\t+|(?:\r\n)+|\n+|.", re.DOTALL)
_BLANKS_PER_TOKEN = {" ": 128.0, "\t": 20.0, "\n": 14.0, "\r": 6.0}
_SPACES_IN_ONE_TOKEN = 78
"""The vocabulary has tokens for all runs of up to this many spaces."""
_RUNS_PER_TOKEN = 2.8
"""The average for mixed white space, such as an indented blank line: a token often contains several short runs."""


def _cost_of_blanks(blanks: str) -> float:
    if len(blanks) <= _SPACES_IN_ONE_TOKEN and not blanks.strip(" "):
        return 1.0
    runs = _RUN_OF_BLANKS.findall(blanks)
    cost = sum(len(run) / _BLANKS_PER_TOKEN.get(run[0], 1.0) for run in runs)
    has_longer_run = any(len(run) > _SPACES_IN_ONE_TOKEN and run[0] == " " for run in runs)
    return max(2.0 if has_longer_run else 1.0, cost, len(runs) / _RUNS_PER_TOKEN)


def _cost_of_sequences(piece: str) -> float:
    """Return the sum of the weights of a piece's sequences, at least one token and at most one per byte."""
    if piece.isascii():
        total, maximum = sum(map(_ASCII.__getitem__, ascii_indices(piece))), len(piece)
    else:
        total, maximum = sum(map(_OTHERS.__getitem__, other_indices(piece))), _MAX_TOKENS_PER_CHARACTER * len(piece)
    return min(max(1.0, total / UNIT), maximum)


def _hashes(codes: list[int]) -> tuple[list[int], list[int]]:
    """Return the hashes and the indices that both tables have in common.

    The multipliers are large odd numbers, which spread neighboring codes over the table. The table is fitted to these
    functions: a change of any number in them needs a new table.

    Args:
        codes: The codes of the characters of a piece.

    Returns:
        A hash of each sequence of three characters, and the indices of: the weight that every piece has, each
        character, each pair, each sequence of three.
    """
    pairs = [first * 1000003 ^ second for first, second in pairwise(codes)]
    triples = [first * 1000003 ^ second for first, second in zip(pairs, codes[2:], strict=False)]
    indices = [0]
    indices += [code * 2654435 + 101 & _MASK for code in codes]
    indices += [pair * 40503 >> 5 & _MASK for pair in pairs]
    indices += [triple * 40503 >> 7 & _MASK for triple in triples]
    return triples, indices


def ascii_indices(piece: str) -> list[int]:
    """Return the indices of the weights of a piece in ASCII.

    They are the index of the weight that every piece has, those of all sequences of one to four characters, and that
    of the piece as a whole if it is as long as a word.
    """
    codes = [*map(ord, piece)]
    triples, indices = _hashes(codes)
    indices += [
        (triple * 1000003 ^ code) * 40503 >> 9 & _MASK for triple, code in zip(triples, codes[3:], strict=False)
    ]
    if _SHORTEST_WORD <= len(codes) <= _LONGEST_WORD:
        word = len(codes)
        for code in codes:
            word = (word * 1000003 ^ code) & 0xFFFFFFFFFFFF
        indices.append(word >> 11 & _MASK)
    return indices


def other_indices(piece: str) -> list[int]:
    """Return the indices of the weights of a piece that is not in ASCII.

    They are the index of the weight that every piece has, those of all sequences of one to three characters, and two
    for each character: one that it shares with all characters of as many tokens, and one that it shares with those of
    them in the same block of 64 codes. With these, characters that are rare in the texts still have good estimates.
    """
    codes = [*map(ord, piece)]
    _, indices = _hashes(codes)
    extra_tokens = [*map(_extra_tokens, codes)]
    indices += [extra + 1 for extra in extra_tokens]
    indices += [
        ((code >> 6) * 4 + extra) * 40503 + 7919 & _MASK for code, extra in zip(codes, extra_tokens, strict=True)
    ]
    return indices


def _extra_tokens(code: int) -> int:
    """Return by how many tokens a character by itself exceeds one, from 0 to 3."""
    if code > _LAST_OF_FIRST_PLANE:
        code = CODE_FOR_EMOJI + (code & 0xFFF) if _EMOJI <= code < _AFTER_EMOJI else CODE_FOR_OTHERS
    return _CHARACTERS[code >> 2] >> ((code & 3) * 2) & 3
