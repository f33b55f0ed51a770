"""Find, read and download Kimi's own vocabulary, for exact token counts.

All Kimi models from K2 to K3 share one vocabulary file, `tiktoken.model`. It is read from a configured path, or from
the cache of `huggingface_hub`, where `python -m langchain_kimi tokenizer fetch` stores it. Counting never downloads it.
tiktoken's own loader is not used: it downloads without a timeout, and does not verify files in its cache.
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
"""The revision of https://huggingface.co/moonshotai/Kimi-K2-Instruct-0905 from which the file is downloaded."""

SHA256 = "b6c497a7469b33ced9c38afb1ad6e47f03f5e5dc05f15930799210ec050c5103"
"""The checksum of the vocabulary that all Kimi models share."""

PATTERN = (
    r"[\p{Han}]+|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
    r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
    r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""The pattern that splits a text into pieces before encoding, in the syntax of Rust's regex, not of Python's `re`."""

LONGEST_TEXT = 400_000
LONGEST_RUN = 25_000
"""The maximum number of characters that are encoded at once, in total and in a run of only white space or only others.

Kimi's own tokenizer splits at the same lengths, because the encoder fails on longer input.
"""

_RUNS = re.compile(r"\s+|\S+")


class Vocabulary:
    """Kimi's vocabulary, read from a file with a verified checksum.

    Special tokens in a text, such as `<|im_end|>`, are encoded as ordinary text.
    """

    def __init__(self, encoding: "Encoding") -> None:
        self._encoding = encoding

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text's tokens."""
        return [token for piece in split(text) for token in self._encoding.encode_ordinary(piece)]

    def count(self, text: str) -> int:
        """Return the number of a text's tokens."""
        return len(self.encode(text))


def split(text: str) -> Iterator[str]:
    """Yield pieces of a text that the encoder can process; a short text is one piece."""
    for start in range(0, len(text), LONGEST_TEXT):
        piece = text[start : start + LONGEST_TEXT]
        begin = 0
        if len(piece) > LONGEST_RUN:
            for run in _RUNS.finditer(piece):
                for end in range(run.start() + LONGEST_RUN, run.end(), LONGEST_RUN):
                    yield piece[begin:end]
                    begin = end
        yield piece[begin:]


def find_vocabulary(location: str | Path | None = None, *, sha256: str = SHA256) -> Vocabulary | None:
    """Return Kimi's vocabulary from this machine; None if the default locations do not have it.

    Args:
        location: The file, a directory that contains it, or a cache of `huggingface_hub`; None: the default cache.
        sha256: The checksum that the file must have.

    Raises:
        KimiUsageError: There is no vocabulary at `location`, or its checksum differs.
    """
    if location:
        path = expanded(str(location))
        vocabulary = _first(candidates(path) if path.is_dir() else [path], sha256)
        if vocabulary is None:
            raise KimiUsageError(
                f"There is no Kimi vocabulary at {path}, or its checksum is not {sha256:.12}….",
                advice="Download it with `python -m langchain_kimi tokenizer fetch`, or unset `tokenizer_file` and "
                "`KIMI_TOKENIZER` to estimate tokens.",
            )
        return vocabulary
    return _first(candidates(hub_cache()), sha256)


def fetch_vocabulary(directory: Path | None = None, *, sha256: str = SHA256) -> Path:
    """Download Kimi's vocabulary (3 MB) with `huggingface_hub`, unless it was downloaded before.

    The environment variable `HF_ENDPOINT` may name a mirror. No access token is sent.

    Args:
        directory: The directory for the file; None: the cache of `huggingface_hub`.
        sha256: The checksum that the file must have.

    Returns:
        The path of the file.

    Raises:
        KimiUsageError: The extra `tokenizer` is not installed.
        KimiConnectionError: The download failed, or the checksum of the file differs.
    """
    try:
        # An extra that only the download needs.
        from huggingface_hub import hf_hub_download  # noqa: PLC0415 - for the reason above
    except ImportError as error:
        raise KimiUsageError(
            "Downloading Kimi's vocabulary requires the package huggingface_hub.",
            advice="Run `pip install 'langchain-kimi-openrouter[tokenizer]'`.",
        ) from error

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
    # huggingface_hub never downloads a file of a fixed revision twice, so a damaged file is replaced by force.
    for force in (False, True):
        try:
            file = Path(download(force_download=force))
        except Exception as error:
            # The package also raises its HTTP client's errors, and each major version uses another client.
            raise KimiConnectionError(
                f"Downloading Kimi's vocabulary failed: {error}",
                advice="Run the command again, or copy the file from another machine.",
            ) from error
        if hashlib.sha256(file.read_bytes()).hexdigest() == sha256:
            return file
    raise KimiConnectionError(
        f"{file} is not Kimi's vocabulary: its checksum is not {sha256:.12}….",
        advice="Unset HF_ENDPOINT if it names a mirror, and try again.",
    )


def candidates(directory: Path) -> Iterator[Path]:
    """Yield the paths in a directory where the vocabulary may be.

    The directory contains the file itself, or is a cache of `huggingface_hub`, which has a folder per revision; see
    https://huggingface.co/docs/huggingface_hub/guides/manage-cache. The repositories of all Kimi models, and copies of
    them, have the same file.
    """
    yield directory / FILE_NAME
    for author in ("moonshotai", "*"):
        yield from sorted(directory.glob(f"models--{author}--*[Kk]imi*/snapshots/*/{FILE_NAME}"))


def hub_cache() -> Path:
    """Return the cache directory of `huggingface_hub`, even if the package is not installed.

    Its rules: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables.
    """
    home = _path("HF_HOME") or (_path("XDG_CACHE_HOME") or expanded("~/.cache")) / "huggingface"
    return _path("HF_HUB_CACHE") or _path("HUGGINGFACE_HUB_CACHE") or home / "hub"


def _path(name: str) -> Path | None:
    """Return the path in an environment variable; None if it is unset or empty."""
    value = os.environ.get(name, "").strip()
    return expanded(value) if value else None


def expanded(path: str) -> Path:
    """Return a path with `~` and environment variables replaced."""
    # `Path.expanduser` raises an error for an account without a home directory.
    return Path(os.path.expandvars(os.path.expanduser(path)))  # noqa: PTH111 - for the reason above


def _first(paths: Iterable[Path], sha256: str) -> Vocabulary | None:
    """Return the first vocabulary among files whose checksum is right."""
    for path in paths:
        try:
            status = path.stat()
            version = (status.st_mtime_ns, status.st_size)
            vocabulary = _read(path, sha256, version) if S_ISREG(status.st_mode) else None
        except OSError:
            # The file does not exist, or this account may not read it.
            continue
        if vocabulary:
            return vocabulary
    return None


@lru_cache(maxsize=4)
def _read(path: Path, sha256: str, _version: tuple[int, int]) -> Vocabulary | None:
    """Return the vocabulary in a file; None if its checksum differs. The arguments include the version of the file."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        return None
    # The import takes tens of milliseconds and is needed only with a vocabulary file.
    from tiktoken import Encoding  # noqa: PLC0415 - for the reason above

    lines = (line.split() for line in content.splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    return Vocabulary(Encoding("kimi", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={}))
