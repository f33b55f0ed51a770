#!/usr/bin/env python3
"""Hold the estimate of tokens against what others measured, on texts that anyone can install; writes a document.

    pip install --target TEXTS dashscope django botocore sphinx cfn-lint faker jupyterlab httpx rich
    python -m scripts.measure_texts TEXTS --vocabulary TEXTS/dashscope/resources/qwen.tiktoken --catalogs TEXTS/django

The vocabulary is any file of tiktoken's form; it is cut by Kimi's pattern, and the numbers of two and three digits are
added, which Kimi's has. The catalogs are those of a translated package, for the languages. Of each file one piece is
measured and of each package a few, the same ones each time as long as the packages are.
"""

import argparse
import base64
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import tiktoken

from langchain_kimi._tokens.estimate import estimate_tokens
from langchain_kimi._tokens.vocabulary import PATTERN
from scripts.recorded_prompts import Pair, row, table

DOCUMENT = Path(__file__).parents[1] / "docs" / "token-estimate-texts.md"
PIECE = 2_000
MOST, MOST_OF_A_PACKAGE = 60, 6
COMPACT = "JSON without blanks"
KINDS = {
    "Python": ("*.py",),
    "JavaScript, HTML, CSS": ("*.js", "*.html", "*.css"),
    "JSON": ("*.json",),
    COMPACT: ("*.json",),
    "plain text": ("*.txt", "*.rst"),
    "Markdown": ("*.md",),
    "licences": ("LICENSE*", "COPYING*"),
}
PUBLISHED = {
    "Spanish": ("es", 3.47),
    "French": ("fr", 3.44),
    "German": ("de", 3.28),
    "Portuguese": ("pt", 3.33),
    "Indonesian": ("id", 3.27),
    "Dutch": ("nl", 3.20),
    "Polish": ("pl", 2.59),
    "Turkish": ("tr", 2.80),
    "Vietnamese": ("vi", 2.40),
    "Russian": ("ru", 4.43),
    "Ukrainian": ("uk", 4.13),
    "Greek": ("el", 3.15),
    "Arabic": ("ar", 3.78),
    "Persian": ("fa", 3.66),
    "Hebrew": ("he", 2.98),
    "Hindi": ("hi", 4.47),
    "Bengali": ("bn", 4.19),
    "Thai": ("th", 3.69),
    "Chinese": ("zh_Hans", 4.34),
    "Japanese": ("ja", 3.57),
    "Korean": ("ko", 2.89),
}
"""Bytes a token by Kimi K2's own vocabulary, of web pages, by language and the name of its catalogs."""
SHORTEST_MESSAGE = 40
_MESSAGE = re.compile(r'^msgstr(?:\[\d\])? ((?:"(?:[^"\\]|\\.)*"\n?)+)', re.MULTILINE)
_LINE = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]")


def read_vocabulary(file: Path) -> Callable[[str], int]:
    """Read a vocabulary; gives what counts a text's tokens by it."""
    lines = (line.split() for line in file.read_bytes().splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    first = max(ranks.values()) + 1
    numbers = [f"{number:0{digits}}".encode() for digits in (2, 3) for number in range(10**digits)]
    ranks |= {number: first + place for place, number in enumerate(numbers) if number not in ranks}
    encoding = tiktoken.Encoding("measure", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})
    return lambda text: len(encoding.encode_ordinary(text))


def pieces(directories: Sequence[Path], kind: str) -> list[str]:
    """Choose pieces of a kind of text, from the middle of files, the same ones each time."""
    chosen: dict[str, None] = {}
    of_package = Counter[str]()
    for package, file in sorted(_files(directories, KINDS[kind]), key=_place):
        piece = "" if of_package[package] >= MOST_OF_A_PACKAGE else _piece(file, kind)
        if piece and piece not in chosen:
            of_package[package] += 1
            chosen[piece] = None
        if len(chosen) == MOST:
            break
    return list(chosen)


def _files(directories: Sequence[Path], patterns: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Give the files of a kind, each with the name of its package."""
    for directory in directories:
        for file in (file for pattern in patterns for file in directory.rglob(pattern) if file.is_file()):
            yield file.relative_to(directory).parts[0], file


def _place(found: tuple[str, Path]) -> tuple[str, str]:
    """An order without any sense in it, that is the same on every machine."""
    package, file = found
    return sha256(f"{package}/{file.parent.name}/{file.name}".encode()).hexdigest(), str(file)


def _piece(file: Path, kind: str) -> str:
    try:
        text = file.read_text(encoding="utf-8")
        if kind == COMPACT:
            text = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        # Not every file of a name is such a text.
        return ""
    middle = (len(text) - PIECE) // 2
    return text[middle : middle + PIECE] if middle >= 0 else ""


def messages(catalogs: Path, language: str) -> str:
    """Give all the longer texts of a language's catalogs."""
    texts = []
    for file in sorted(catalogs.rglob(f"{language}/LC_MESSAGES/*.po")):
        for found in _MESSAGE.findall(file.read_text(encoding="utf-8")):
            text = "".join(_LINE.findall(found)).replace("\\n", "\n").replace('\\"', '"')
            if len(text) >= SHORTEST_MESSAGE and "Project-Id-Version" not in text:
                texts.append(_PLACEHOLDER.sub("", text))
    return " ".join(texts)


def row_of_language(name: str, text: str, published: float) -> str:
    """One line of the table of languages: bytes a token as published and as estimated, and by how much that is off."""
    size, estimated = len(text.encode()), estimate_tokens(text)
    off = estimated / (size / published) - 1
    return f"| {name} | {len(text):,} | {published:.2f} | {size / estimated:.2f} | {off:+.0%} |"


def main(arguments: Sequence[str]) -> int:
    """Write the figures; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("texts", type=Path, nargs="+", help="directories with texts")
    parser.add_argument("--vocabulary", type=Path, required=True, help="a file of tiktoken's form")
    parser.add_argument("--catalogs", type=Path, required=True, help="a directory with catalogs of translations")
    parser.add_argument("--file", type=Path, default=DOCUMENT, help="what to write (default: %(default)s)")
    options = parser.parse_args(arguments)
    measure = read_vocabulary(options.vocabulary)
    kinds = {kind: pieces(options.texts, kind) for kind in KINDS}
    found = {name: messages(options.catalogs, language) for name, (language, _) in PUBLISHED.items()}
    if not (any(kinds.values()) and any(found.values())):
        sys.stderr.write("There are no texts, or no catalogs, in these directories.\n")
        return 1
    measured = {kind: [Pair(estimate_tokens(text), measure(text)) for text in texts] for kind, texts in kinds.items()}
    languages = [row_of_language(name, text, PUBLISHED[name][1]) for name, text in found.items() if text]
    options.file.write_text(
        TEMPLATE.format(
            vocabulary=options.vocabulary.name,
            kinds=table("texts", [row(kind, pairs) for kind, pairs in measured.items()]),
            languages="\n".join(
                ["| language | letters | published | estimated | off by |", "|---|---|---|---|---|", *languages]
            ),
        ),
        encoding="utf-8",
    )
    sys.stdout.write(f"{sum(map(len, kinds.values()))} pieces, {len(languages)} languages: {options.file}\n")
    return 0


TEMPLATE = """\
# The estimate on code, JSON, prose and other languages

Written by `scripts/measure_texts.py` from texts of installed packages, which are named there. What an error is, and how
prompts fare that were billed, is said in [token-estimate.md](token-estimate.md).

## Code, JSON and other texts

Kimi's vocabulary was not at hand. Another public one of the same make and size (`{vocabulary}`, cut by Kimi's pattern,
with all numbers of two and three digits) counts recorded prompts of known form nearly as billed, and so serves as a
measure, on pieces of 2,000 characters. The cost of a capital in the middle of a name was set by it:

{kinds}

## Languages

What a published benchmark counted with Kimi K2's own vocabulary, in a megabyte of web pages of each language
([tokka-bench](https://github.com/bgub/tokka-bench), FineWeb-2), beside the estimate for the texts of a translated
package, in bytes a token. Web pages and such texts differ, so this shows whether a language is about right, no more.
Below zero, too few tokens are estimated. The costs of Vietnamese and of the accented letters of Polish and Turkish were
set by this table:

{languages}
"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
