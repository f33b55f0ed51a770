"""A small vocabulary, made here: the 256 bytes, and words that are one token each."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Made:
    """A vocabulary's file and its checksum."""

    path: Path
    sha256: str


def content_of(words: list[str]) -> bytes:
    tokens = [bytes([byte]) for byte in range(256)] + [word.encode() for word in words]
    lines = [base64.b64encode(token) + b" " + str(rank).encode() for rank, token in enumerate(tokens)]
    return b"\n".join([*lines, b""])


def make(path: Path, words: list[str]) -> Made:
    content = content_of(words)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Made(path, hashlib.sha256(content).hexdigest())
