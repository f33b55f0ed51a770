from pathlib import Path

import pytest

from langchain_kimi.kimi.vocabulary_places import (
    FILE_NAME,
    candidates,
    hub_cache,
    hub_endpoint,
    in_directory,
    own_directory,
)

PLACES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory with nothing in it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("given", "cache"),
    [
        ({}, "~/.cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface/hub"),
        ({"HF_HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/h/hub"),
        ({"HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/h"}, "/old"),
        ({"HF_HUB_CACHE": "/c", "HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/h"}, "/c"),
        ({"HF_HOME": "~/models"}, "~/models/hub"),
        ({"HF_HOME": "$DISK/models", "DISK": "/disk"}, "/disk/models/hub"),
        ({"HF_HUB_CACHE": "${DISK}/c", "DISK": "/disk"}, "/disk/c"),
        (dict.fromkeys(PLACES, " "), "~/.cache/huggingface/hub"),
    ],
)
def test_the_cache_of_hugging_faces_tools(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], cache: str) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert hub_cache() == Path(cache).expanduser()
    assert list(candidates()) == [own_directory() / FILE_NAME, hub_cache() / FILE_NAME]


def test_the_commands_own_directory(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_directory() == home / ".cache" / "langchain-kimi"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "elsewhere"))
    assert own_directory() == home / "elsewhere" / "langchain-kimi"


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
    found = dict.fromkeys(in_directory(tmp_path))
    expected = [tmp_path, *(tmp_path / name for name in (names[1], names[0], names[2], names[3]))]
    assert list(found) == [directory / FILE_NAME for directory in expected]


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        (None, "https://huggingface.co"),
        ("", "https://huggingface.co"),
        ("https://mirror.example/", "https://mirror.example"),
    ],
)
def test_where_downloads_come_from(monkeypatch: pytest.MonkeyPatch, given: str | None, endpoint: str) -> None:
    if given is not None:
        monkeypatch.setenv("HF_ENDPOINT", given)
    assert hub_endpoint() == endpoint
