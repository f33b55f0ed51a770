"""The command line. `python -m langchain_kimi tokenizer fetch` downloads Kimi's vocabulary for exact token counts."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from langchain_kimi._tokens.vocabulary import SHA256, fetch_vocabulary
from langchain_kimi.errors import KimiError


def main(arguments: Sequence[str] | None = None, *, sha256: str = SHA256) -> int:
    """Run a command and return its exit code.

    Args:
        arguments: The command and its options; None uses the arguments of the process.
        sha256: The checksum that the vocabulary must have.

    Returns:
        0 if the command succeeded, 1 if it failed; the error is written to stderr.
    """
    options = _parser().parse_args(arguments)
    try:
        file = fetch_vocabulary(options.directory, sha256=sha256)
    except KimiError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{file}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m langchain_kimi")
    topics = parser.add_subparsers(dest="topic", required=True)
    tokenizer = topics.add_parser("tokenizer", help="commands for Kimi's vocabulary file")
    commands = tokenizer.add_subparsers(dest="command", required=True)
    fetch = commands.add_parser("fetch", help="download the vocabulary (3 MB) for exact token counts")
    fetch.add_argument("--directory", type=Path, help="directory for the file (default: huggingface_hub's cache)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
