#!/usr/bin/env python3
"""Compare the estimate of tokens with public vocabularies and a published benchmark, and write a document.

    pip install --target TEXTS dashscope django botocore sphinx cfn-lint faker jupyterlab httpx rich
    python -m scripts.measure_texts PACKAGES TEXTS --catalogs TEXTS/django --vocabulary TEXTS/.../qwen.tiktoken

PACKAGES is the `site-packages` of the environment. The vocabulary is a file in tiktoken's format. Texts are split by
Kimi's pattern, and all numbers of two and three digits are added, because Kimi's vocabulary has them. The catalogs are
the translations of a package. One piece of each file and a few pieces of each package are measured; for the same
packages, the pieces are always the same. Prompts of 50 to 50,000 tokens are joined from whole files.
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
"""Bytes per token of web pages by Kimi K2's own vocabulary, by language, with the name of its catalogs."""
PUBLISHED_CODE = {
    "C": (3.484, 3.466),
    "C#": (4.689, 4.728),
    "C++": (4.001, 3.968),
    "CSS": (3.289, 3.246),
    "Go": (3.580, 3.571),
    "HTML": (3.683, 3.715),
    "Java": (4.465, 4.489),
    "JavaScript": (4.003, 4.014),
    "JSON": (3.198, 3.229),
    "Markdown": (3.902, 4.050),
    "PHP": (3.856, 3.912),
    "Python": (4.397, 4.397),
    "Ruby": (3.966, 3.964),
    "Rust": (4.151, 4.138),
    "shell": (3.389, 3.343),
    "SQL": (2.743, 2.784),
    "TypeScript": (4.259, 4.274),
    "YAML": (3.575, 3.535),
    "English": (4.537, 4.585),
}
"""Bytes per token of two megabytes each, by Kimi K2's own vocabulary and by `o200k_base`."""
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


def row_of_language(name: str, text: str, published: float) -> str:
    """Return a table line: bytes per token as published and as estimated, and the error."""
    size, estimated = len(text.encode()), estimate_tokens(text)
    off = estimated / (size / published) - 1
    return f"| {name} | {len(text):,} | {published:.2f} | {size / estimated:.2f} | {off:+.0%} |"


def _table_of_lengths(prompts: dict[str, list[str]], measure: Callable[[str], int]) -> str:
    pairs = {name: [Pair(estimate_tokens(text), measure(text)) for text in texts] for name, texts in prompts.items()}
    return table("prompts", [row(name, of_length) for name, of_length in pairs.items()])


def table_of_published_code() -> str:
    """Return the published bytes per token of code, and the difference between the two vocabularies."""
    rows = [f"| {name} | {kimi:.2f} | {other:.2f} | {other / kimi - 1:+.1%} |" for name, (kimi, other) in _BY_NAME]
    return "\n".join(["| text | Kimi K2 | `o200k_base` | difference |", "|---|---|---|---|", *rows])


_BY_NAME = sorted(PUBLISHED_CODE.items(), key=lambda item: item[0].lower())


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
    matched = {name: messages(options.catalogs, language) for name, (language, _) in PUBLISHED.items()}
    if not (any(kinds.values()) and any(matched.values())):
        sys.stderr.write("There are no texts, or no catalogs, in these directories.\n")
        return 1
    measured = {kind: [Pair(estimate_tokens(text), measure(text)) for text in texts] for kind, texts in kinds.items()}
    languages = [row_of_language(name, text, PUBLISHED[name][1]) for name, text in matched.items() if text]
    options.file.write_text(
        TEMPLATE.format(
            vocabulary=options.vocabulary.name,
            prompts=_table_of_lengths(long_prompts(options.texts), measure),
            code=_table_of_lengths(long_prompts(options.texts, CODE), measure),
            published=table_of_published_code(),
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
# The estimate on long prompts, code, JSON, prose and other languages

Written by `scripts/measure_texts.py` from texts of installed packages, which it names.
[token-estimate.md](token-estimate.md) defines the errors and has those on billed prompts.

Kimi's vocabulary was not available. The reference is another public vocabulary of the same kind and size
(`{vocabulary}`), with Kimi's pattern and all numbers of two and three digits. Two comparisons show how far it can be
trusted. On the recorded prompts it differs from the billed tokens by 0.2 % on average. And a published benchmark
([tokka-bench](https://github.com/bgub/tokka-bench)) counted two megabytes of each kind of code with Kimi K2's own
vocabulary and with `o200k_base`. It gives bytes per token:

{published}

## Prompts of 50 to 50,000 tokens

English documentation and licences, cut from joined files:

{prompts}

Python, JavaScript, HTML, CSS and JSON, likewise:

{code}

## Code, JSON and other texts

Pieces of 2,000 characters:

{kinds}

## Languages

A published benchmark counted a megabyte of web pages of each language with Kimi K2's own vocabulary
([tokka-bench](https://github.com/bgub/tokka-bench), FineWeb-2). The table compares its bytes per token with the
estimate for the texts of a translated package. Web pages differ from such texts, so this is a rough comparison. A
negative error means that too few tokens are estimated:

{languages}
"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
