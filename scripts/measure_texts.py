#!/usr/bin/env python3
"""Compare the estimate of tokens with a vocabulary, and write a document.

    pip install --target TEXTS django pandas sympy wagtail ansible-core sphinx nltk
    python -m scripts.measure_texts TEXTS --catalogs TEXTS/django --vocabulary tiktoken.model

The table of the estimate was fitted to other packages. The vocabulary is a file in tiktoken's format. Texts are split
by Kimi's pattern, and the numbers of two and three digits are added, which Kimi's vocabulary has. The catalogs are the
translations of a package. One piece of each file and a few pieces of each package are measured; the choice is the same
each time for the same packages. Prompts of 50 to 50,000 tokens are joined from whole files.
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
from langchain_kimi._tokens.vocabulary import PATTERN, split
from scripts.recorded_prompts import Pair, row, table

DOCUMENT = Path(__file__).parents[1] / "docs" / "token-estimate-texts.md"
PIECE = 2_000
MOST, MOST_OF_A_PACKAGE = 60, 6
COMPACT = "JSON without spaces"
KINDS = {
    "Python": ("*.py",),
    "JavaScript, HTML, CSS": ("*.js", "*.html", "*.css"),
    "JSON": ("*.json",),
    COMPACT: ("*.json",),
    "plain text": ("*.txt", "*.rst"),
    "Markdown": ("*.md",),
    "licences": ("LICENSE*", "COPYING*"),
}
LANGUAGES = {
    "Albanian": "sq", "Arabic": "ar", "Armenian": "hy", "Basque": "eu", "Belarusian": "be", "Bengali": "bn",
    "Bulgarian": "bg", "Burmese": "my", "Catalan": "ca", "Chinese": "zh_Hans", "Chinese (traditional)": "zh_Hant",
    "Czech": "cs", "Danish": "da", "Dutch": "nl", "Estonian": "et", "Finnish": "fi", "French": "fr", "Georgian": "ka",
    "German": "de", "Greek": "el", "Hebrew": "he", "Hindi": "hi", "Hungarian": "hu", "Icelandic": "is",
    "Indonesian": "id", "Irish": "ga", "Italian": "it", "Japanese": "ja", "Kazakh": "kk", "Khmer": "km",
    "Korean": "ko", "Latvian": "lv", "Lithuanian": "lt", "Malayalam": "ml", "Mongolian": "mn", "Nepali": "ne",
    "Norwegian": "nb", "Persian": "fa", "Polish": "pl", "Portuguese": "pt", "Romanian": "ro", "Russian": "ru",
    "Serbian": "sr", "Slovak": "sk", "Spanish": "es", "Swahili": "sw", "Swedish": "sv", "Tamil": "ta", "Telugu": "te",
    "Thai": "th", "Turkish": "tr", "Ukrainian": "uk", "Urdu": "ur", "Vietnamese": "vi",
}  # fmt: skip
"""Languages, and the names of their catalogs."""
SHORTEST_MESSAGE = 40
_MESSAGE = re.compile(r'^msgstr(?:\[\d\])? ((?:"(?:[^"\\]|\\.)*"\n?)+)', re.MULTILINE)
_LINE = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]")


def read_vocabulary(file: Path) -> Callable[[str], int]:
    """Return a function that counts the tokens of a text by the vocabulary in a file."""
    lines = (line.split() for line in file.read_bytes().splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    first = max(ranks.values()) + 1
    numbers = [f"{number:0{digits}}".encode() for digits in (2, 3) for number in range(10**digits)]
    ranks |= {number: first + place for place, number in enumerate(numbers) if number not in ranks}
    encoding = tiktoken.Encoding("measure", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})
    return lambda text: sum(len(encoding.encode_ordinary(piece)) for piece in split(text))


def pieces(directories: Sequence[Path], kind: str) -> list[str]:
    """Return pieces from the middle of files of a kind, the same ones each time."""
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
    """Yield the files of a kind, each with the name of its package."""
    for directory in directories:
        for file in (file for pattern in patterns for file in directory.rglob(pattern) if file.is_file()):
            yield file.relative_to(directory).parts[0], file


def _place(located: tuple[str, Path]) -> tuple[str, str]:
    """Return a sort key that mixes packages and is the same on every machine."""
    package, file = located
    return sha256(f"{package}/{file.parent.name}/{file.name}".encode()).hexdigest(), str(file)


def _piece(file: Path, kind: str) -> str:
    try:
        text = file.read_text(encoding="utf-8")
        if kind == COMPACT:
            text = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        # The file is not UTF-8, or not JSON.
        return ""
    middle = (len(text) - PIECE) // 2
    return text[middle : middle + PIECE] if middle >= 0 else ""


LENGTHS = {"50 to 200 tokens": 200, "to 1,000": 1_000, "to 5,000": 5_000, "to 20,000": 20_000, "to 50,000": 50_000}
LETTERS_PER_TOKEN = 4
PROMPTS_PER_LENGTH = 20
PROSE = ("plain text", "Markdown", "licences")
CODE = ("Python", "JavaScript, HTML, CSS", "JSON")


def long_prompts(directories: Sequence[Path], kinds: Sequence[str] = PROSE) -> dict[str, list[str]]:
    """Return English prompts of many lengths by the name of their length, joined from whole files of these kinds."""
    files = [located for kind in kinds for located in _files(directories, KINDS[kind])]
    texts = [text for _, file in sorted(files, key=_place) if (text := _english(file))]
    if not texts:
        return {}
    whole, place = "\n\n".join(texts), 0
    prompts: dict[str, list[str]] = {}
    shortest = SHORTEST_PROMPT
    for name, longest in LENGTHS.items():
        for number in range(PROMPTS_PER_LENGTH):
            size = LETTERS_PER_TOKEN * (shortest + (longest - shortest) * number // PROMPTS_PER_LENGTH)
            prompts.setdefault(name, []).append(whole[place : place + size])
            # The next prompt begins in another file, and the text is read again from its start at its end.
            place = (place + size + SKIPPED) % max(1, len(whole) - LETTERS_PER_TOKEN * longest)
        shortest = longest
    return prompts


SHORTEST_PROMPT = 50
SKIPPED = 9_973
MOST_NOT_ASCII = 0.05


def _english(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except ValueError:
        return ""
    return text if sum(not sign.isascii() for sign in text) <= MOST_NOT_ASCII * len(text) else ""


def messages(catalogs: Path, language: str) -> str:
    """Return the longer texts of a language's catalogs."""
    texts = []
    for file in sorted(catalogs.rglob(f"{language}/LC_MESSAGES/*.po")):
        for matched in _MESSAGE.findall(file.read_text(encoding="utf-8")):
            text = "".join(_LINE.findall(matched)).replace("\\n", "\n").replace('\\"', '"')
            if len(text) >= SHORTEST_MESSAGE and "Project-Id-Version" not in text:
                texts.append(_PLACEHOLDER.sub("", text))
    return " ".join(texts)


def pairs_of_language(text: str, measure: Callable[[str], int]) -> list[Pair]:
    """Return the estimated and the true tokens of the pieces of a text."""
    parts = (text[start : start + PIECE] for start in range(0, len(text), PIECE))
    return [Pair(estimate_tokens(part), measure(part)) for part in parts if len(part) == min(PIECE, len(text))]


def _table_of_lengths(prompts: dict[str, list[str]], measure: Callable[[str], int]) -> str:
    pairs = {name: [Pair(estimate_tokens(text), measure(text)) for text in texts] for name, texts in prompts.items()}
    return table("prompts", [row(name, of_length) for name, of_length in pairs.items()])


def main(arguments: Sequence[str]) -> int:
    """Write the document and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("texts", type=Path, nargs="+", help="directories with texts")
    parser.add_argument("--vocabulary", type=Path, required=True, help="a file in tiktoken's format")
    parser.add_argument("--catalogs", type=Path, required=True, help="a directory with catalogs of translations")
    parser.add_argument("--file", type=Path, default=DOCUMENT, help="the document to write (default: %(default)s)")
    options = parser.parse_args(arguments)
    measure = read_vocabulary(options.vocabulary)
    kinds = {kind: pieces(options.texts, kind) for kind in KINDS}
    matched = {name: messages(options.catalogs, language) for name, language in LANGUAGES.items()}
    if not (any(kinds.values()) and any(matched.values())):
        sys.stderr.write("There are no texts, or no catalogs, in these directories.\n")
        return 1
    measured = {kind: [Pair(estimate_tokens(text), measure(text)) for text in texts] for kind, texts in kinds.items()}
    languages = [row(name, pairs_of_language(text, measure)) for name, text in matched.items() if text]
    options.file.write_text(
        TEMPLATE.format(
            prompts=_table_of_lengths(long_prompts(options.texts), measure),
            code=_table_of_lengths(long_prompts(options.texts, CODE), measure),
            kinds=table("texts", [row(kind, pairs) for kind, pairs in measured.items()]),
            languages=table("language", languages),
        ),
        encoding="utf-8",
    )
    sys.stdout.write(f"{sum(map(len, kinds.values()))} pieces, {len(languages)} languages: {options.file}\n")
    return 0


TEMPLATE = """\
# The estimate on long prompts, code, JSON, prose and other languages

Written by `scripts/measure_texts.py` from texts of packages, which it names. None of these texts was used for the
estimate.
[token-estimate.md](token-estimate.md) defines the errors and has those on billed prompts.

The reference is Kimi's own vocabulary, which all models from K2 to K3 share, with Kimi's pattern.

## Prompts of 50 to 50,000 tokens

English documentation and licences, cut from joined files:

{prompts}

Python, JavaScript, HTML, CSS and JSON, likewise:

{code}

## Code, JSON and other texts

Pieces of 2,000 characters:

{kinds}

## Languages

Pieces of 2,000 characters of the translated messages of a package:

{languages}
"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
