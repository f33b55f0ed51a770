"""Where Kimi's vocabulary may lie on this machine, and where it is downloaded from, as the environment says.

The caches of Hugging Face's tools are found by the rules of `huggingface_hub`: `HF_HUB_CACHE`, or its older name
`HUGGINGFACE_HUB_CACHE`, or else `hub` in `HF_HOME`, which is `huggingface` in `XDG_CACHE_HOME` if it is not set. Of the
downloads, `HF_ENDPOINT` names a mirror.
"""

import os
from collections.abc import Iterator
from pathlib import Path

FILE_NAME = "tiktoken.model"
HUB = "https://huggingface.co"


def candidates() -> Iterator[Path]:
    """Give the files that may be the vocabulary, those of the command first."""
    yield own_directory() / FILE_NAME
    yield from in_directory(hub_cache())


def in_directory(directory: Path) -> Iterator[Path]:
    """Give the files that may be the vocabulary in a directory that holds it, or is a cache of Hugging Face's tools.

    A cache keeps each revision that was downloaded in a snapshot of its own; all Kimis have the same file, and so have
    the copies of others.
    """
    yield directory / FILE_NAME
    for author in ("moonshotai", "*"):
        yield from sorted(directory.glob(f"models--{author}--*[Kk]imi*/snapshots/*/{FILE_NAME}"))


def own_directory() -> Path:
    """Where the command puts the vocabulary, and where it is looked for."""
    return _user_cache() / "langchain-kimi"


def hub_cache() -> Path:
    """The directory in which Hugging Face's tools keep the repositories that they downloaded."""
    given = _path("HF_HUB_CACHE") or _path("HUGGINGFACE_HUB_CACHE")
    return given or (_path("HF_HOME") or _user_cache() / "huggingface") / "hub"


def hub_endpoint() -> str:
    """Where downloads come from, without a slash at its end."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB


def _user_cache() -> Path:
    return _path("XDG_CACHE_HOME") or expanded("~/.cache")


def _path(name: str) -> Path | None:
    """Give the path in a variable; None if it is empty, which says nothing."""
    given = os.environ.get(name, "").strip()
    return expanded(given) if given else None


def expanded(path: str) -> Path:
    """Give a path with the home directory and the variables in it replaced, as far as there are any."""
    # pathlib's own raises for an account that has no home.
    return Path(os.path.expandvars(os.path.expanduser(path)))  # noqa: PTH111 - for the reason above
