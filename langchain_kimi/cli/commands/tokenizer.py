"""Download Kimi's vocabulary for exact token counts."""

import argparse
from pathlib import Path

from langchain_kimi._tokens.vocabulary import SHA256, fetch_vocabulary
from langchain_kimi.cli.codes import SUCCESS
from langchain_kimi.cli.output import Output

HELP = "download Kimi's vocabulary (3 MB) for exact token counts"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("action", choices=["fetch"], help="download the vocabulary from Hugging Face")
    parser.add_argument("--directory", type=Path, help="directory for the file (default: huggingface_hub's cache)")
    parser.add_argument("--sha256", default=SHA256, help="the checksum that the file must have")


def run(options: argparse.Namespace, out: Output) -> int:
    """Download the file and print its path."""
    file = fetch_vocabulary(options.directory, sha256=options.sha256)
    out.json({"file": str(file)})
    out.line(str(file))
    return SUCCESS
