"""Download Kimi's vocabulary for exact token counts."""

import argparse
import sys
from pathlib import Path

from langchain_kimi._tokens.vocabulary import SHA256, fetch_vocabulary
from langchain_kimi.cli.codes import FAILED, SUCCESS
from langchain_kimi.cli.output import Output
from langchain_kimi.errors import KimiError

HELP = "download Kimi's vocabulary (3 MB) for exact token counts"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("action", choices=["fetch"], help="download the vocabulary from Hugging Face")
    parser.add_argument("--directory", type=Path, help="directory for the file (default: huggingface_hub's cache)")
    parser.add_argument("--sha256", default=SHA256, help="the checksum that the file must have")


def run(options: argparse.Namespace, out: Output) -> int:
    """Download the file and print its path."""
    try:
        file = fetch_vocabulary(options.directory, sha256=options.sha256)
    except KimiError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    out.json({"file": str(file)})
    out.line(str(file))
    return SUCCESS
