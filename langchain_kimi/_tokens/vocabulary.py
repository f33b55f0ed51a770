"""Kimi's own vocabulary: exact counts of tokens where its file is on this machine, and the download of that file.

All Kimis from K2 to K3 share one vocabulary, `tiktoken.model`. It is looked for at the path that is given, else in the
cache of `huggingface_hub`, where `python -m langchain_kimi tokenizer fetch` puts it. Counting downloads nothing.
tiktoken's own loader is not used: it downloads without a timeout, and serves files from a cache without looking at
them.
"""

import base64
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from langchain_kimi.errors import KimiConnectionError, KimiUsageError

if TYPE_CHECKING:
    from tiktoken import Encoding

FILE_NAME = "tiktoken.model"
REPOSITORY = "moonshotai/Kimi-K2-Instruct-0905"
REVISION = "ac6c49f04883bd0a0598b790693a72061c676629"
"""Where the file comes from: a fixed revision of https://huggingface.co/moonshotai/Kimi-K2-Instruct-0905."""

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
        KimiUsageError: there is no vocabulary at `given`, or a file with another checksum.
    """
    if given:
        path = expanded(str(given))
        found = _first(in_directory(path) if path.is_dir() else [path], sha256)
        if found is None:
            raise KimiUsageError(
                f"There is no vocabulary of Kimi at {path}, or its checksum is not {sha256:.12}….",
                advice="`python -m langchain_kimi tokenizer fetch` downloads it; without one, tokens are estimated.",
            )
        return found
    return _first(in_directory(hub_cache()), sha256)


def fetch_vocabulary(directory: Path | None = None, *, sha256: str = SHA256) -> Path:
    """Download Kimi's vocabulary (3 MB) with `huggingface_hub`, unless it is there already; return the file.

    `HF_ENDPOINT` names a mirror. No access token is sent.

    Args:
        directory: Where the file is put; None is the cache in which `find_vocabulary` looks.
        sha256: The checksum that the file must have.

    Raises:
        KimiUsageError: the extra `tokenizer` is not installed.
        KimiConnectionError: the download failed, or the file has another checksum.
    """
    try:
        # It is an extra, which only the download needs.
        from huggingface_hub import hf_hub_download  # noqa: PLC0415 - for the reason above
    except ImportError as problem:
        raise KimiUsageError(
            "The download of Kimi's vocabulary needs the package huggingface_hub.",
            advice="Run `pip install 'langchain-kimi-openrouter[tokenizer]'`.",
        ) from problem

    download = partial(
        hf_hub_download,
        REPOSITORY,
        FILE_NAME,
        revision=REVISION,
        cache_dir=hub_cache(),
        local_dir=directory,
        endpoint=os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or None,
        token=False,
    )
    # What is there of a fixed revision is not downloaded again, so a damaged file must be replaced by force.
    for force in (False, True):
        try:
            file = Path(download(force_download=force))
        except Exception as problem:
            # The package also raises the errors of its HTTP client, which each of its major versions changed.
            raise KimiConnectionError(
                f"The download of Kimi's vocabulary failed: {problem}",
                advice="Run the command again, or copy the file from another machine.",
            ) from problem
        if hashlib.sha256(file.read_bytes()).hexdigest() == sha256:
            return file
    raise KimiConnectionError(f"{file} is not Kimi's vocabulary: its checksum is not {sha256:.12}….")


def in_directory(directory: Path) -> Iterator[Path]:
    """Yield the files that may be the vocabulary in a directory that holds it, or is a cache of `huggingface_hub`.

    Such a cache keeps each revision in a snapshot of its own; see
    https://huggingface.co/docs/huggingface_hub/guides/manage-cache. All Kimis have the same file, and so have copies of
    their repositories.
    """
    yield directory / FILE_NAME
    for author in ("moonshotai", "*"):
        yield from sorted(directory.glob(f"models--{author}--*[Kk]imi*/snapshots/*/{FILE_NAME}"))


def hub_cache() -> Path:
    """Return the cache of `huggingface_hub`, by its own rules, also where it is not installed.

    The rules: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables.
    """
    home = _path("HF_HOME") or (_path("XDG_CACHE_HOME") or expanded("~/.cache")) / "huggingface"
    return _path("HF_HUB_CACHE") or _path("HUGGINGFACE_HUB_CACHE") or home / "hub"


def _path(name: str) -> Path | None:
    """Return the path in an environment variable; None if it is unset or empty."""
    value = os.environ.get(name, "").strip()
    return expanded(value) if value else None


def expanded(path: str) -> Path:
    """Return a path with the home directory and the variables in it replaced, as far as there are any."""
    # pathlib's own raises for an account that has no home.
    return Path(os.path.expandvars(os.path.expanduser(path)))  # noqa: PTH111 - for the reason above


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
