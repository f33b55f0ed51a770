import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from langchain_kimi.errors import KimiRequestError
from langchain_kimi.kimi.tokenizer import (
    LONGEST_RUN,
    LONGEST_TEXT,
    PATTERN,
    SHA256,
    Vocabulary,
    cut,
    find_vocabulary,
)
from tests.kimi.vocabulary import Made, make

ROOT = Path(__file__).parents[2]
WORDS = ["Hello", " world", "世界", "don't", "GPT", " Chat", "123", "\n\n"]
SNAPSHOT = Path("models--moonshotai--Kimi-K2-Instruct-0905", "snapshots", "ac6c49f", "tiktoken.model")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory with nothing in it."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path / "made" / "tiktoken.model", WORDS)


@pytest.fixture
def vocabulary(made: Made) -> Vocabulary:
    found = find_vocabulary(made.path, sha256=made.sha256)
    assert found is not None
    return found


def test_the_pattern_is_kimis() -> None:
    assert hashlib.sha256(PATTERN.encode()).hexdigest() == (
        "de5781783b193d5ccf5b1b28edfa70fa816ce78d54603fdc422cfd8d4ea4411f"
    )
    assert len(PATTERN) == 332


def test_the_checksum_is_kimis() -> None:
    assert SHA256 == "b6c497a7469b33ced9c38afb1ad6e47f03f5e5dc05f15930799210ec050c5103"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", []),
        ("Hello world", [256, 257]),
        ("Hello世界", [256, 258]),
        ("don't", [259]),
        (" ChatGPT", [261, 260]),
        ("12345", [262, ord("4"), ord("5")]),
        ("Hello\n\n", [256, 263]),
        ("<|im_end|>", list(b"<|im_end|>")),
        ("[EOS]", list(b"[EOS]")),
    ],
)
def test_a_text_is_cut_as_kimi_cuts_it(vocabulary: Vocabulary, text: str, ids: list[int]) -> None:
    assert vocabulary.encode(text) == ids
    assert vocabulary.count(text) == len(ids)


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("", []),
        ("a" * LONGEST_RUN, [LONGEST_RUN]),
        ("a" * (LONGEST_RUN + 1), [LONGEST_RUN, 1]),
        (" " * (2 * LONGEST_RUN + 3), [LONGEST_RUN, LONGEST_RUN, 3]),
        ("ab " * 20_000, [60_000]),
        ("b " + "a" * 30_000 + " c", [2 + LONGEST_RUN, 5_000 + 2]),
        ("ab " * 150_000, [LONGEST_TEXT, 50_000]),
    ],
)
def test_the_encoder_is_never_given_too_much(text: str, lengths: list[int]) -> None:
    pieces = list(cut(text))
    assert "".join(pieces) == text
    assert [len(piece) for piece in pieces] == lengths


def test_a_blob_is_counted(vocabulary: Vocabulary) -> None:
    assert vocabulary.count("x" * 100_000) == 100_000


def test_a_directory_may_hold_the_file_or_be_a_cache(tmp_path: Path) -> None:
    made = make(tmp_path / "plain" / "tiktoken.model", WORDS)
    make(tmp_path / "cache" / SNAPSHOT, WORDS)
    assert find_vocabulary(str(tmp_path / "plain"), sha256=made.sha256) is not None
    assert find_vocabulary(tmp_path / "cache", sha256=made.sha256) is not None


@pytest.mark.parametrize("place", [".cache/langchain-kimi/tiktoken.model", f".cache/huggingface/hub/{SNAPSHOT}"])
def test_it_is_found_where_it_is_usually_put(home: Path, place: str) -> None:
    assert find_vocabulary() is None
    made = make(home / place, WORDS)
    # Beside it lies another model's, which is passed over.
    make(home / ".cache/huggingface/hub/models--moonshotai--A/snapshots/1/tiktoken.model", ["other"])
    found = find_vocabulary(sha256=made.sha256)
    assert found is not None
    assert found.encode("Hello") == [256]
    assert find_vocabulary() is None


def test_a_file_that_cannot_be_read_is_passed_over(home: Path) -> None:
    made = make(home / f".cache/huggingface/hub/{SNAPSHOT}", WORDS)
    # A directory of the file's name, and a link to what is gone.
    (home / ".cache/langchain-kimi/tiktoken.model").mkdir(parents=True)
    gone = home / ".cache/huggingface/hub/models--moonshotai--Kimi-A/snapshots/1/tiktoken.model"
    gone.parent.mkdir(parents=True)
    gone.symlink_to("../../blobs/gone")
    assert find_vocabulary(sha256=made.sha256) is not None


def test_what_is_named_must_be_kimis(made: Made, tmp_path: Path) -> None:
    for given in (made.path, tmp_path / "missing", tmp_path, "~nobody-of-that-name/file"):
        with pytest.raises(KimiRequestError, match=r"no vocabulary of Kimi at .*fetch"):
            find_vocabulary(given)


def test_a_file_is_read_once_until_it_changes(made: Made) -> None:
    first = find_vocabulary(made.path, sha256=made.sha256)
    assert find_vocabulary(made.path, sha256=made.sha256) is first
    changed = make(made.path, [*WORDS, "more"])
    found = find_vocabulary(made.path, sha256=changed.sha256)
    assert found is not None
    assert found.encode("more") == [264]


def test_neither_tiktoken_nor_transformers_is_imported_for_an_estimate(tmp_path: Path) -> None:
    # Both can be imported there, and neither is.
    (tmp_path / "transformers.py").touch()
    program = (
        "import sys\n"
        "from langchain_kimi.kimi.counting import TokenCounter\n"
        "counter = TokenCounter('moonshotai/kimi-k2-0905')\n"
        "print(counter.count_messages([{'role': 'user', 'content': 'Hi'}]).tokens)\n"
        "print(*{'tiktoken', 'transformers'} & set(sys.modules))\n"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["26"]
