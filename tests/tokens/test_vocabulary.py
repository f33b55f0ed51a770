import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import try_to_load_from_cache

from langchain_kimi._tokens.vocabulary import (
    FILE_NAME,
    LONGEST_RUN,
    LONGEST_TEXT,
    PATTERN,
    REPOSITORY,
    REVISION,
    SHA256,
    Vocabulary,
    candidates,
    fetch_vocabulary,
    find_vocabulary,
    hub_cache,
    split,
)
from langchain_kimi.errors import KimiConnectionError, KimiUsageError
from tests.interpreters import Interpreter
from tests.tokens.hub import Hub, serving
from tests.tokens.vocabulary import Made, make

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
    loaded = find_vocabulary(made.path, sha256=made.sha256)
    assert loaded is not None
    return loaded


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
def test_the_encoder_gets_short_texts(text: str, lengths: list[int]) -> None:
    pieces = list(split(text))
    assert "".join(pieces) == text
    assert [len(piece) for piece in pieces] == lengths


def test_a_blob_is_counted(vocabulary: Vocabulary) -> None:
    assert vocabulary.count("x" * 100_000) == 100_000


def test_a_directory_may_hold_the_file_or_be_a_cache(tmp_path: Path) -> None:
    made = make(tmp_path / "plain" / "tiktoken.model", WORDS)
    make(tmp_path / "cache" / SNAPSHOT, WORDS)
    assert find_vocabulary(str(tmp_path / "plain"), sha256=made.sha256) is not None
    assert find_vocabulary(tmp_path / "cache", sha256=made.sha256) is not None


def test_it_is_found_in_the_cache_of_the_hub(home: Path) -> None:
    assert find_vocabulary() is None
    made = make(home / f".cache/huggingface/hub/{SNAPSHOT}", WORDS)
    # Beside it lies another model's, which is passed over.
    make(home / ".cache/huggingface/hub/models--moonshotai--A/snapshots/1/tiktoken.model", ["other"])
    loaded = find_vocabulary(sha256=made.sha256)
    assert loaded is not None
    assert loaded.encode("Hello") == [256]
    assert find_vocabulary() is None


def test_a_file_that_cannot_be_read_is_passed_over(home: Path) -> None:
    made = make(home / f".cache/huggingface/hub/{SNAPSHOT}", WORDS)
    # A directory of the file's name, and a link to what is gone.
    (home / ".cache/huggingface/hub/tiktoken.model").mkdir(parents=True)
    gone = home / ".cache/huggingface/hub/models--moonshotai--Kimi-A/snapshots/1/tiktoken.model"
    gone.parent.mkdir(parents=True)
    gone.symlink_to("../../blobs/gone")
    assert find_vocabulary(sha256=made.sha256) is not None


def test_a_named_file_must_be_kimis_vocabulary(made: Made, tmp_path: Path) -> None:
    for candidate in (made.path, tmp_path / "missing", tmp_path, "~nobody-of-that-name/file"):
        with pytest.raises(KimiUsageError, match=r"no Kimi vocabulary at .*fetch"):
            find_vocabulary(candidate)


def test_a_file_is_read_once_until_it_changes(made: Made) -> None:
    first = find_vocabulary(made.path, sha256=made.sha256)
    assert find_vocabulary(made.path, sha256=made.sha256) is first
    changed = make(made.path, [*WORDS, "more"])
    loaded = find_vocabulary(made.path, sha256=changed.sha256)
    assert loaded is not None
    assert loaded.encode("more") == [264]


def test_neither_tiktoken_nor_transformers_is_needed_for_an_estimate(tmp_path: Path, interpreter: Interpreter) -> None:
    # Both can be imported there, and neither is.
    (tmp_path / "transformers.py").touch()
    program = (
        "import sys\n"
        "from langchain_kimi._tokens.counting import TokenCounter\n"
        "counter = TokenCounter('moonshotai/kimi-k2-0905')\n"
        "print(counter.count_messages([{'role': 'user', 'content': 'Hi'}]).tokens)\n"
        "print(*{'tiktoken', 'transformers'} & set(sys.modules))\n"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    assert interpreter.printed(program, environment=environment).split() == ["26"]


NAMES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME")
CACHES = [
    ({}, "~/.cache/huggingface/hub"),
    ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface/hub"),
    ({"HF_HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/h/hub"),
    ({"HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/h"}, "/old"),
    ({"HF_HUB_CACHE": "/c", "HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/h"}, "/c"),
    ({"HF_HOME": "~/models"}, "~/models/hub"),
    ({"HF_HOME": "$DISK/models", "DISK": "/disk"}, "/disk/models/hub"),
    ({"HF_HUB_CACHE": "${DISK}/c", "DISK": "/disk"}, "/disk/c"),
]


@pytest.mark.parametrize(("environment", "cache"), [*CACHES, (dict.fromkeys(NAMES, " "), "~/.cache/huggingface/hub")])
def test_the_environment_names_the_cache(
    home: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], cache: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert hub_cache() == Path(cache).expanduser()


def test_the_cache_is_that_of_huggingface_hub(home: Path) -> None:
    # Its constants are read when a module is executed.
    program = (
        "import importlib, json, os, sys\n"
        "from huggingface_hub import constants\n"
        "for environment in json.load(sys.stdin):\n"
        "    os.environ.update(environment)\n"
        "    print(importlib.reload(constants).HF_HUB_CACHE)\n"
        "    for name in environment:\n"
        "        del os.environ[name]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps([environment for environment, _ in CACHES]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(Path(cache).expanduser()) for _, cache in CACHES]


def test_each_snapshot_of_a_kimi_may_be_it(tmp_path: Path) -> None:
    names = [
        "models--moonshotai--Kimi-K2-Instruct-0905/snapshots/2",
        "models--moonshotai--Kimi-K2-Instruct-0905/snapshots/1",
        "models--moonshotai--Kimi-K2.5/snapshots/1",
        "models--acme--kimi-k2-fp4/snapshots/9",
    ]
    others = [
        "models--moonshotai--Moonlight-16B/snapshots/1",
        "models--acme--llama/snapshots/1",
        "datasets--acme--kimi/snapshots/1",
    ]
    for name in [*names, *others]:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / FILE_NAME).touch()
    loaded = dict.fromkeys(candidates(tmp_path))
    expected = [tmp_path, *(tmp_path / name for name in (names[1], names[0], names[2], names[3]))]
    assert list(loaded) == [directory / FILE_NAME for directory in expected]


@pytest.fixture
def hub(home: Path, made: Made, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(made.path.read_bytes()) as served:
        monkeypatch.setenv("HF_ENDPOINT", f"{served.url}/")
        yield served


def test_a_download_is_where_huggingface_hub_finds_it(hub: Hub, made: Made) -> None:
    file = fetch_vocabulary(sha256=made.sha256)
    assert file.read_bytes() == hub.content
    assert try_to_load_from_cache(REPOSITORY, FILE_NAME, hub_cache(), REVISION) == str(file)
    assert find_vocabulary(sha256=made.sha256) is not None


def test_the_file_is_downloaded_once(hub: Hub, made: Made) -> None:
    assert fetch_vocabulary(sha256=made.sha256) == fetch_vocabulary(sha256=made.sha256)
    assert hub.downloads == 1


def test_an_access_token_is_not_sent(hub: Hub, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_planted")
    fetch_vocabulary(sha256=made.sha256)
    assert set(hub.credentials) == {None}


def test_a_damaged_file_is_replaced(hub: Hub, made: Made) -> None:
    file = fetch_vocabulary(sha256=made.sha256)
    file.write_bytes(b"damaged")
    assert fetch_vocabulary(sha256=made.sha256).read_bytes() == hub.content
    assert hub.downloads == 2


def test_another_file_than_kimis_is_refused(hub: Hub) -> None:
    with pytest.raises(KimiConnectionError, match=r"is not Kimi's vocabulary: its checksum is not b6c497a7469b…\."):
        fetch_vocabulary()
    assert find_vocabulary() is None


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_is_reported(hub: Hub, status: int) -> None:
    hub.status = status
    with pytest.raises(KimiConnectionError, match=r"Downloading Kimi's vocabulary failed: .*another machine"):
        fetch_vocabulary()


def test_a_directory_that_cannot_be_made_is_reported(hub: Hub, made: Made) -> None:
    with pytest.raises(KimiConnectionError, match="failed"):
        fetch_vocabulary(made.path / "directory", sha256=made.sha256)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(KimiUsageError, match=r"pip install 'langchain-kimi-openrouter\[tokenizer\]'"):
        fetch_vocabulary()
