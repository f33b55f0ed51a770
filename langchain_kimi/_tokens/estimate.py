"""An estimate of the tokens that a text has for Kimi, without its vocabulary.

The text is split where Kimi's tokenizer splits it (a word with the sign before it, up to three digits, a run of signs,
white space). The tokenizer encodes each piece by itself, so the tokens of a text are a sum over its pieces, and each
piece has an average from a table that was fitted to Kimi's vocabulary. `docs/token-estimate.md` has the errors.

`pieces` splits the text and `piece_costs` has the table. Without them, the vocabulary file would have to be downloaded
and `tiktoken` be installed; with both, `vocabulary` counts exactly.
"""

from collections import Counter

from langchain_kimi._tokens.piece_costs import cost_of_piece
from langchain_kimi._tokens.pieces import pieces
from langchain_kimi._tokens.vocabulary import LONGEST_TEXT


def estimate_tokens(text: str) -> float:
    """Return the estimated tokens of a text, in time linear in its length.

    Args:
        text: The text.

    Returns:
        The number of tokens. It is a sum of averages and so not an integer.
    """
    total = 0.0
    for start in range(0, len(text), LONGEST_TEXT):
        # A text repeats most of its pieces, so each distinct piece is estimated once.
        counts = Counter(pieces(text[start : start + LONGEST_TEXT]))
        total += sum(count * cost_of_piece(piece) for piece, count in counts.items())
    # Before Python 3.12, sums of floats have larger rounding errors, so a count would depend on the version.
    return round(total, 6)
