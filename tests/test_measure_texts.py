import base64
import json
from pathlib import Path

import pytest

from langchain_kimi._tokens.estimate import estimate_tokens
from scripts import measure_texts
from tests.tokens.vocabulary import make

CATALOG = """
msgid ""
msgstr ""
"Project-Id-Version: A package of somebody's who translates it\\n"
"Language: pl\\n"

msgid "short"
msgstr "Krótko."

#, python-format
msgid "long"
msgstr ""
"To jest trochę dłuższy komunikat, jeden z %(number)s, "
"w dwóch wierszach."
"""


def test_a_vocabulary_has_the_numbers_of_kimis(tmp_path: Path) -> None:
    measure = measure_texts.read_vocabulary(make(tmp_path / "made.tiktoken", ["Hello", " world"]).path)
    assert [measure(text) for text in ("Hello world", "7", "42", "007", "1234", "Hi")] == [2, 1, 1, 1, 2, 2]


def test_pieces_come_from_the_middle_of_files_and_from_many_packages(tmp_path: Path) -> None:
    for package in ("one", "two"):
        for number in range(9):
            file = tmp_path / package / f"{number}.py"
            file.parent.mkdir(exist_ok=True)
            file.write_text("#" * 500 + f"{package}{number}".ljust(measure_texts.PIECE, "x") + "#" * 500)
    (tmp_path / "one" / "short.py").write_text("pass")
    (tmp_path / "one" / "odd.py").write_bytes(b"\xff" * 9_000)
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "copy.py").write_text((tmp_path / "one" / "1.py").read_text())
    chosen = measure_texts.pieces([tmp_path], "Python")
    assert chosen == measure_texts.pieces([tmp_path], "Python")
    assert all(len(piece) == measure_texts.PIECE and "#" not in piece for piece in chosen)
    by_package = [sum(piece.startswith(package) for piece in chosen) for package in ("one", "two")]
    assert by_package in ([6, 6], [7, 6])
    assert len(set(chosen)) == len(chosen)


def test_there_is_an_end_to_pieces(tmp_path: Path) -> None:
    for number in range(measure_texts.MOST + 9):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "a.json").write_text(json.dumps({"n": [number] * 2_000}, indent=2))
    spaced, compact = (measure_texts.pieces([tmp_path], kind) for kind in ("JSON", measure_texts.COMPACT))
    assert len(spaced) == len(compact) == measure_texts.MOST
    assert "\n" in spaced[0]
    assert not any(" " in piece for piece in compact)


def test_messages_are_the_longer_ones_without_their_placeholders(tmp_path: Path) -> None:
    file = tmp_path / "app" / "locale" / "pl" / "LC_MESSAGES" / "django.po"
    file.parent.mkdir(parents=True)
    file.write_text(CATALOG)
    assert measure_texts.messages(tmp_path, "pl") == "To jest trochę dłuższy komunikat, jeden z , w dwóch wierszach."
    assert measure_texts.messages(tmp_path, "de") == ""


def test_the_figures_are_written(tmp_path: Path) -> None:
    texts, catalog, file = tmp_path / "texts", tmp_path / "locale" / "pl" / "LC_MESSAGES" / "a.po", tmp_path / "a.md"
    (texts / "package").mkdir(parents=True)
    (texts / "package" / "code.py").write_text("x = 1\n" * 1_000)
    catalog.parent.mkdir(parents=True)
    catalog.write_text(CATALOG)
    vocabulary = tmp_path / "small.tiktoken"
    vocabulary.write_bytes(b"".join(base64.b64encode(bytes([n])) + b" %d\n" % n for n in range(256)))
    arguments = [str(texts), "--vocabulary", str(vocabulary), "--catalogs", str(tmp_path), "--file", str(file)]
    assert measure_texts.main(arguments) == 0
    figures = file.read_text()
    assert "| Python | 1 | " in figures
    assert "| JSON | 0 | | | |" in figures
    text = measure_texts.messages(tmp_path, "pl")
    error = estimate_tokens(text) / len(text.encode()) - 1
    assert f"| Polish | 1 | {abs(error):.1%} | {error:+.1%} | {error:+.1%} |" in figures
    assert "German" not in figures


def test_nothing_to_measure_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vocabulary = make(tmp_path / "made.tiktoken", []).path
    arguments = [
        str(tmp_path),
        "--vocabulary",
        str(vocabulary),
        "--catalogs",
        str(tmp_path),
        "--file",
        str(tmp_path / "a"),
    ]
    assert measure_texts.main(arguments) == 1
    assert "no texts, or no catalogs" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_prompts_of_many_lengths_come_from_english_files(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "README.md").write_text("An English sentence. " * 20_000)
    (tmp_path / "package" / "LICENSE").write_text("это не по-английски " * 100)
    (tmp_path / "package" / "COPYING").write_bytes(b"\xff" * 100)
    prompts = measure_texts.long_prompts([tmp_path])
    assert list(prompts) == list(measure_texts.LENGTHS)
    assert prompts == measure_texts.long_prompts([tmp_path])
    shortest = min(map(len, prompts["50 to 200 tokens"]))
    assert shortest == 200
    assert 150_000 < max(map(len, prompts["to 50,000"])) <= 200_000
    assert all(text.isascii() for texts in prompts.values() for text in texts)
    assert measure_texts.long_prompts([tmp_path / "nothing"]) == {}
