#!/usr/bin/env python3
"""Fit the table of the token estimate to Kimi's vocabulary.

    pip install scipy
    python -m scripts.fit_piece_costs TEXTS --vocabulary tiktoken.model

This makes `langchain_kimi/_tokens/piece_costs.bin` again, whose format `piece_costs.py` describes. It is needed if the
rules in `piece_costs.py` or `pieces.py` change, or if a new family of models has another vocabulary. The steps:

1.  `python -m langchain_kimi tokenizer fetch` downloads the vocabulary, `tiktoken.model`.
2.  TEXTS is a file that you collect: a JSON object per line, for example
    `{"kind": "python", "weight": 0.02, "text": "import os ..."}`. The texts of a kind share its weight. The table in
    the package was fitted to prose in 130 languages, code in 700 languages, documentation, licenses and data of
    installed packages, keys, numbers and logs. These texts are not part of the project: they belong to others.
3.  This script fits the table, with memory for all distinct pieces of the texts.
4.  Measure the estimate with other texts than these: `scripts/measure_texts.py`, then `scripts/calibrate_estimate.py`.

The order of the texts and the seed are fixed, so the same texts result in the same table.

The fit minimizes the squared errors of the pieces, weighted by how frequent they are in their kind of text. Rare pieces
get an extra share, and random pieces are added, so that pieces which are in no text are not underestimated.
"""

import argparse
import json
import random
import re
import string
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from langchain_kimi._tokens import piece_costs
from langchain_kimi._tokens.piece_costs import CODE_FOR_EMOJI, CODE_FOR_OTHERS, SIZE, UNIT
from langchain_kimi._tokens.pieces import pieces
from langchain_kimi._tokens.vocabulary import find_vocabulary

TABLE = Path(piece_costs.__file__).with_name("piece_costs.bin")
Measure = Callable[[str], int]
Weighted = Mapping[str, tuple[float, Counter[str]]]
# Numbers, white space and long runs of one character have rules of their own.
_BY_RULE = re.compile(r"\s+\Z|[0-9]{1,3}\Z|.*(.)\1{4}", re.DOTALL)
LONGEST = 60
"""The number of characters of the longest pieces that are fitted. Longer ones are keys and other data."""
WEIGHT_OF_RANDOM = {
    True: {"mixed": 1.0, "prefixed": 1.0, "random": 2.5},
    False: {"letters": 1.0, "symbols": 1.0, "Han": 2.5, "Hangul": 1.0},
}
"""How the kinds of random pieces compare with each other: first for the table of ASCII, then for the other one."""
SHARE_OF_RANDOM = 0.008
"""The weight of a kind of random pieces with the value 1 above, relative to all pieces of the texts together."""
SHARE_OF_RARE = {True: 0.3, False: 0.25}
"""The share, in addition to their frequency, that pieces get by its square root, which favors rare ones."""
RANDOM_PIECES = 30_000
ITERATIONS = 110
RIDGE = 1e-7
"""The penalty on large weights. It decides about weights that hardly any piece uses."""
_LETTERS_OF_WORDS, _WORDS_OF_A_KIND = range(4, 20), 150
_HAN, _HANGUL = (0x4E00, 0x9FA6), (0xAC00, 0xD7A4)


def read(file: Path) -> dict[str, tuple[float, Counter[str]]]:
    """Return the weight and the pieces of each kind of text."""
    kinds: dict[str, tuple[float, Counter[str]]] = {}
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            text = json.loads(line)
            _, counts = kinds.setdefault(text["kind"], (text["weight"], Counter()))
            counts.update(pieces(text["text"]))
    return kinds


def random_pieces(kinds: Weighted, *, is_ascii: bool, number: int = RANDOM_PIECES) -> dict[str, Counter[str]]:
    """Return random pieces by their kind.

    In ASCII, `mixed` are two halves of words, `prefixed` are words after another sign, and `random` are letters and
    signs. Outside of it, `letters` and `symbols` come from one block of neighboring codes each.
    """
    chance = random.Random(9)  # noqa: S311 - for samples, not for secrets
    samples: dict[str, Counter[str]] = defaultdict(Counter)
    if is_ascii:
        words = sorted({word for _, counts in kinds.values() for word in _some_words(counts, chance)})
        for _ in range(4 * number if words else 0):
            first, second = chance.choice(words), chance.choice(words)
            tail = second[chance.randrange(1, len(second)) :]
            tail = tail.upper() if first.isupper() else tail.lower()
            samples["mixed"].update(pieces(first[: chance.randrange(2, len(first))] + tail))
            samples["prefixed"].update(
                pieces(chance.choice(' ._-/(="<[{@$#:') + second.lstrip(string.punctuation + " "))
            )
        base64 = string.ascii_letters + string.digits + "+/"
        printable = base64 + string.punctuation
        for letters in (string.ascii_lowercase, string.ascii_uppercase, base64, printable):
            for _ in range(number // 2):
                samples["random"].update(pieces(" " + "".join(chance.choices(letters, k=chance.randrange(2, 16)))))
        return samples
    for kind, blocks in _blocks().items():
        for block in blocks:
            for _ in range(number // 200):
                text = "".join(chance.choices(block, k=chance.randrange(1, 9)))
                samples[kind].update(pieces(chance.choice(["", " "]) + text))
    for kind, (first_code, last_code) in (("Han", _HAN), ("Hangul", _HANGUL)):
        for _ in range(number):
            codes = (chance.randrange(first_code, last_code) for _ in range(chance.randrange(1, 12)))
            samples[kind].update(pieces("".join(map(chr, codes))))
    return samples


def _some_words(counts: Counter[str], chance: random.Random) -> list[str]:
    words = [piece for piece in counts if piece.isascii() and piece[-1].isalpha() and len(piece) in _LETTERS_OF_WORDS]
    return chance.sample(words, min(_WORDS_OF_A_KIND, len(words)))


def _blocks() -> dict[str, list[list[str]]]:
    """Return letters and symbols outside ASCII, in lists of those with neighboring codes."""
    samples: dict[str, dict[int, list[str]]] = {"letters": defaultdict(list), "symbols": defaultdict(list)}
    for code in range(0x80, 0x20000):
        kind = {"L": "letters", "M": "letters", "S": "symbols", "P": "symbols", "N": "symbols"}.get(
            unicodedata.category(chr(code))[0]
        )
        if kind and not any(first <= code < last for first, last in (_HAN, _HANGUL)):
            samples[kind][code >> 6].append(chr(code))
    return {kind: list(blocks.values()) for kind, blocks in samples.items()}


def tokens_of_characters(measure: Measure) -> bytes:
    """Return the tokens of each character, less one, in two bits each."""
    table = bytearray(1 << 14)
    for index in range(1 << 16):
        code = 0x1F000 + (index & 0xFFF) if CODE_FOR_EMOJI <= index < CODE_FOR_EMOJI + 0x1000 else index
        # Surrogates cannot be encoded. One of them stands for the characters of `CODE_FOR_OTHERS`: three tokens.
        tokens = 3 if CODE_FOR_OTHERS <= index < CODE_FOR_EMOJI else measure(chr(code))
        table[index >> 2] |= (min(tokens, 4) - 1) << (index & 3) * 2
    return bytes(table)


def weights_of_pieces(
    kinds: Weighted, measure: Measure, *, is_ascii: bool, number: int = RANDOM_PIECES
) -> Iterator[tuple[str, int, float]]:
    """Yield the pieces to fit, with their tokens and their weights."""
    weights: dict[str, float] = defaultdict(float)
    for weight, counts in kinds.values():
        total = sum(measure(piece) * count for piece, count in counts.items())
        for piece, count in counts.items():
            if piece.isascii() == is_ascii and len(piece) <= LONGEST and not _BY_RULE.match(piece):
                weights[piece] += weight * count / total
    # A rare piece stands for all the pieces that no text has.
    total_weight, total_root = sum(weights.values()), sum(weight**0.5 for weight in weights.values())
    rare = SHARE_OF_RARE[is_ascii]
    for piece, weight in weights.items():
        weights[piece] = (weight / total_weight + rare * weight**0.5 / total_root) / (1 + rare)
    for kind, counts in random_pieces(kinds, is_ascii=is_ascii, number=number).items():
        fitted = {piece: n for piece, n in counts.items() if piece.isascii() == is_ascii and not _BY_RULE.match(piece)}
        share = SHARE_OF_RANDOM * WEIGHT_OF_RANDOM[is_ascii][kind]
        total = sum(measure(piece) * count for piece, count in fitted.items())
        for piece, count in fitted.items():
            weights[piece] += share * count / total
    for piece, weight in weights.items():
        yield piece, measure(piece), weight


def fit(kinds: Weighted, measure: Measure, *, is_ascii: bool) -> bytes:
    """Return one of the two tables of weights, those that are best for these pieces, as signed bytes."""
    from scipy.optimize import minimize  # noqa: PLC0415 - only this script needs the package
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - for the reason above

    # A sparse matrix with a row per piece and a column per weight, in the form of `csr_matrix`.
    rows, columns, tokens, shares = [0], [], [], []
    indices_of = piece_costs.ascii_indices if is_ascii else piece_costs.other_indices
    for piece, number, share in weights_of_pieces(kinds, measure, is_ascii=is_ascii):
        columns += indices_of(piece)
        rows.append(len(columns))
        tokens.append(number)
        shares.append(share / number**0.5)
    matrix = csr_matrix(
        (np.ones(len(columns), np.float32), np.array(columns, np.int32), np.array(rows)), shape=(len(tokens), SIZE)
    )
    transposed, wanted, share_of = matrix.T.tocsr(), np.array(tokens, np.float32), np.array(shares, np.float32)

    def loss(weights: "np.ndarray") -> "tuple[float, np.ndarray]":
        estimated = matrix @ weights.astype(np.float32)
        off = np.maximum(estimated, 1.0) - wanted
        # A piece has at least one token, so a lower estimate of one token is not wrong.
        slope = np.where((estimated > 1) | (wanted > 1), 2 * share_of * off, 0.0).astype(np.float32)
        value = float((share_of * off * off).sum()) + RIDGE * float(weights @ weights)
        return value, (transposed @ slope).astype(float) + 2 * RIDGE * weights

    # A start near the result saves iterations: index 0 is the weight of every piece, 1 to 4 those of a character.
    start = np.full(SIZE, 0.02 if is_ascii else 0.0)
    start[0] = 1.0 if is_ascii else 0.2
    if not is_ascii:
        start[1:5] = 0.5, 1.6, 2.6, 3.4
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}).x
    table: bytes = np.clip(np.round(best * UNIT), -127, 127).astype(np.int8).tobytes()
    return table


def main(arguments: Sequence[str]) -> int:
    """Write the table and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("texts", type=Path, help="a file with a JSON object per text")
    parser.add_argument("--vocabulary", type=Path, required=True, help="Kimi's vocabulary file")
    parser.add_argument("--file", type=Path, default=TABLE, help="the table to write (default: %(default)s)")
    options = parser.parse_args(arguments)
    kinds = read(options.texts)
    vocabulary = find_vocabulary(options.vocabulary) if kinds else None
    if vocabulary is None:
        sys.stderr.write(f"There are no texts in {options.texts}.\n")
        return 1
    counted: dict[str, int] = {}

    def measure(piece: str) -> int:
        if piece not in counted:
            counted[piece] = vocabulary.count(piece)
        return counted[piece]

    # The indices of pieces beyond ASCII depend on the tokens of their characters.
    characters = tokens_of_characters(measure)
    piece_costs._CHARACTERS = characters  # noqa: SLF001 - for the reason above
    table = [fit(kinds, measure, is_ascii=is_ascii) for is_ascii in (True, False)]
    options.file.write_bytes(b"".join(table) + characters)
    sys.stdout.write(f"{len(kinds)} kinds of text, {len(counted):,} pieces: {options.file}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
