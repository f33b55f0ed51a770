"""The command that downloads Kimi's vocabulary, so that tokens can be counted exactly and offline from then on.

    python -m langchain_kimi.tokenizer fetch [--directory DIRECTORY]

Without it tokens are estimated. An interrupted download goes on where it stopped, or from the start if the file has
changed by then, and nothing is kept under the file's name whose checksum is not the one expected. The cache of Hugging
Face's tools is looked into as well, also where `HF_HOME` or `HF_HUB_CACHE` put it; any other place is named to a model
by `tokenizer_file=` or `KIMI_TOKENIZER`. A mirror is named by `HF_ENDPOINT`, as for those tools, or by `--url`.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import httpx

from langchain_kimi.kimi.tokenizer import SHA256
from langchain_kimi.kimi.vocabulary_places import FILE_NAME, HUB, hub_endpoint, own_directory

__all__ = ["main"]

_REVISION = "ac6c49f04883bd0a0598b790693a72061c676629"
_PATH = f"moonshotai/Kimi-K2-Instruct-0905/resolve/{_REVISION}/{FILE_NAME}"
URL = f"{HUB}/{_PATH}"
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_LARGEST = 32_000_000
_MEGABYTE = 1_000_000


class _FetchError(Exception):
    """The vocabulary could not be had; the text says why, and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m langchain_kimi.tokenizer", description="Kimi's vocabulary.")
    commands = parser.add_subparsers(dest="command", required=True)
    fetch = commands.add_parser("fetch", help="download Kimi's vocabulary (3 MB) for exact offline counts")
    fetch.add_argument("--directory", type=Path, default=own_directory(), help="where to put it (%(default)s)")
    fetch.add_argument(
        "--url", default=f"{hub_endpoint()}/{_PATH}", help="where to get it, such as a mirror (%(default)s)"
    )
    fetch.add_argument("--sha256", default=SHA256, help="the checksum that it must have")
    options = parser.parse_args(arguments)
    target: Path = options.directory.expanduser() / FILE_NAME
    try:
        if _has_checksum(target, options.sha256):
            sys.stdout.write(f"Kimi's vocabulary is there already: {target}\n")
            return 0
        sys.stdout.write(f"Kimi's vocabulary goes to {target.parent}\n")
        _fetch(options.url, target, options.sha256)
    except (_FetchError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"Done: {target}\n")
    return 0


def _fetch(url: str, target: Path, sha256: str) -> None:
    part = target.with_name(f"{target.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    # The last piece may have come before an interruption.
    if not _has_checksum(part, sha256):
        try:
            with httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as client:
                resumed = _download(client, url, part)
                if resumed and not _has_checksum(part, sha256):
                    # What came before belongs to another file.
                    part.unlink()
                    _download(client, url, part)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise _FetchError(
                f"The download from {url} failed: {str(problem) or type(problem).__name__}. What came so far is kept: "
                "run the command again to go on. Without a network, copy the file from another machine."
            ) from problem
    if not _has_checksum(part, sha256):
        part.unlink()
        raise _FetchError(f"What came from {url} is not Kimi's vocabulary: its checksum is wrong. Nothing was kept.")
    part.replace(target)


def _download(client: httpx.Client, url: str, part: Path) -> bool:
    """Download into a file, after what is in it already; tells whether anything was."""
    begin = part.stat().st_size if part.exists() else 0
    # Compressed, the numbers of bytes would not be the file's.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={begin}-"} if begin else {})}
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            # There is nothing after what we have; the checksum decides about it.
            return True
        if response.status_code not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            raise _FetchError(f"{url} answered {response.status_code} {response.reason_phrase}.")
        goes_on = str(response.headers.get("Content-Range", "")).startswith(f"bytes {begin}-")
        if not goes_on:
            begin = 0
        with part.open("ab" if goes_on else "wb") as file:
            _write(response, file, begin)
    return goes_on


def _write(response: httpx.Response, file: BinaryIO, begin: int) -> None:
    size, shown = begin, -1
    whole = begin + int(response.headers.get("Content-Length", 0))
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > _LARGEST:
            raise _FetchError(f"{response.url} sends far more than a vocabulary.")
        file.write(chunk)
        if size * 10 // _MEGABYTE > shown:
            shown = size * 10 // _MEGABYTE
            sys.stderr.write(f"\r  {size / _MEGABYTE:.1f} of {whole / _MEGABYTE:.1f} MB")
    sys.stderr.write("\n")


def _has_checksum(file: Path, sha256: str) -> bool:
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256.lower()


if __name__ == "__main__":
    sys.exit(main())
