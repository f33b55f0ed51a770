"""Kimi's own vocabulary, if its file is on this machine: exact numbers of tokens, and nothing is ever downloaded here.

All Kimis from K2 to K3 share one vocabulary, `tiktoken.model`. It is looked for at the path that is given, then where
`python -m langchain_kimi.tokenizer fetch` puts it, then in the cache of Hugging Face's tools, see `vocabulary_places`.
tiktoken's own loader is not used: it downloads without a timeout, and serves files from a cache without looking at
them.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from langchain_kimi.errors import KimiRequestError
from langchain_kimi.kimi.vocabulary_places import candidates, expanded, in_directory

if TYPE_CHECKING:
    from tiktoken import Encoding

SHA256 = "b6c497a7469b33ced9c38afb1ad6e47f03f5e5dc05f15930799210ec050c5103"
"""The checksum of the one vocabulary that all Kimis share."""

PATTERN = (
    r"[\p{Han}]+|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
    r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
    r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Where a text is cut before its pieces are looked up; Rust's syntax, which Python's `re` cannot read."""

LONGEST_TEXT = 400_000
LONGEST_RUN = 25_000
"""Characters that are encoded at once, and without a change between blanks and other signs among them.

Kimi's own tokenizer cuts there too, because the encoder fails on what is longer.
"""

_RUNS = re.compile(r"\s+|\S+")


class Vocabulary:
    """Kimi's vocabulary, read from a file whose checksum was right.

    What looks like a special token in a text is text: who writes `<|im_end|>` ends no turn.
    """

    def __init__(self, encoding: "Encoding") -> None:
        self._encoding = encoding

    def encode(self, text: str) -> list[int]:
        """Give the ids of a text's tokens."""
        return [token for piece in cut(text) for token in self._encoding.encode_ordinary(piece)]

    def count(self, text: str) -> int:
        """Count a text's tokens."""
        return len(self.encode(text))


def cut(text: str) -> Iterator[str]:
    """Cut a text where the encoder would fail on it; a shorter one stays whole."""
    for start in range(0, len(text), LONGEST_TEXT):
        piece = text[start : start + LONGEST_TEXT]
        begin = 0
        if len(piece) > LONGEST_RUN:
            for run in _RUNS.finditer(piece):
                for end in range(run.start() + LONGEST_RUN, run.end(), LONGEST_RUN):
                    yield piece[begin:end]
                    begin = end
        yield piece[begin:]


def find_vocabulary(given: str | Path | None = None, *, sha256: str = SHA256) -> Vocabulary | None:
    """Find Kimi's vocabulary on this machine; None if it is nowhere.

    Args:
        given: The file, or a directory that holds it or is a cache of Hugging Face's tools.
        sha256: The checksum that the file must have.

    Raises:
        KimiRequestError: there is no vocabulary at `given`, or a file with another checksum.
    """
    if given:
        path = expanded(str(given))
        found = _first(in_directory(path) if path.is_dir() else [path], sha256)
        if found is None:
            raise KimiRequestError(
                f"There is no vocabulary of Kimi at {path}, or its checksum is not {sha256:.12}….",
                advice="`python -m langchain_kimi.tokenizer fetch` downloads it; without one, tokens are estimated.",
            )
        return found
    return _first(candidates(), sha256)


def _first(paths: Iterable[Path], sha256: str) -> Vocabulary | None:
    for path in paths:
        try:
            status = path.stat()
            found = _read(path, sha256, (status.st_mtime_ns, status.st_size)) if S_ISREG(status.st_mode) else None
        except OSError:
            # It is not there, or is another account's and must not be read.
            continue
        if found:
            return found
    return None


@lru_cache(maxsize=4)
def _read(path: Path, sha256: str, _version: tuple[int, int]) -> Vocabulary | None:
    """Read a file, once for each version of it; None if its checksum is another."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        return None
    # It takes tens of milliseconds to import, which only those pay who have the file.
    from tiktoken import Encoding  # noqa: PLC0415 - for the reason above

    lines = (line.split() for line in content.splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    return Vocabulary(Encoding("kimi", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={}))
