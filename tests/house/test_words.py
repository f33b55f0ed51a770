"""What is found in texts and sources that hold it, put together here so that this file does not hold it itself."""

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house import words

UNDONE = "TO" + "DO"
HOME = "/ho" + "me/somebody/project"
FAKE_KEY = "sk-or" + "-v1-" + "0a" * 32


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"x = 1  # {UNDONE}: more", "something left undone"),
        ("FIX" + "ME", "something left undone"),
        (f"see {HOME}", "an absolute path"),
        (f'open("{HOME}")', "an absolute path"),
        ("C:" + "\\Users", "a path on a drive"),
        (f"key = {FAKE_KEY}", "a key"),
        ("https://py" + "pi.org/simple", "a package index"),
        ("--extra-index" + "-url https://packages.example", "a package index"),
    ],
)
def test_an_unwanted_word(line: str, found: str) -> None:
    assert words.unwanted_words({"README.md": f"fine\n{line}\n"}) == [f"README.md:2 holds {found}"]


@pytest.mark.parametrize(
    "line",
    [
        "#!/usr/bin/env bash",
        ">/dev/null 2>&1",
        "https://openrouter.ai/home/models",
        "langchain_kimi/work/file.py",
        "sk-or-v1-...",
        "mastodon, methods, axxxb",
        "class A:\\n    pass",
    ],
)
def test_a_word_that_is_fine(line: str) -> None:
    assert words.unwanted_words({"README.md": line}) == []


def test_a_recording_may_say_anything_but_a_key() -> None:
    said = {"cassettes/a.yaml": f"content: {UNDONE} in {HOME}\nkey: {FAKE_KEY}"}
    assert words.unwanted_words(said) == ["cassettes/a.yaml:2 holds a key"]


@pytest.mark.parametrize(
    "directive", ["noqa", "noqa: S101", "noqa: S101, S102", "type: ignore", "type: ignore[arg-type]"]
)
def test_a_checker_switched_off(directive: str) -> None:
    silent = {"a.py": f"x = 1\ny = 2  # {directive}"}
    assert words.silent_exceptions(silent) == ["a.py:2 switches a checker off without a reason"]
    assert words.silent_exceptions({"a.py": f"y = 2  # {directive}  # the stub lacks it"}) == []


def test_two_directives_are_no_reason() -> None:
    both = "x = 1  # type: " + "ignore[misc]  # no" + "qa: S101\n"
    assert len(words.silent_exceptions({"a.py": both})) == 1
    assert len(words.silent_exceptions({"a.py": "x = 1  # pragma: no " + "cover"})) == 1


def test_a_directive_in_a_string_is_none() -> None:
    assert words.silent_exceptions({"a.py": 'x = "# noqa"  # why not'}) == []


@pytest.mark.parametrize(
    "source",
    [
        "import unittest.mock",
        "from unittest import mock",
        "from unittest.mock import patch",
        "import respx",
        "from pytest_mock import MockerFixture",
        "def test(mocker): ...",
        "client = MagicMock()",
        "client = doubles.AsyncMock()",
        "import httpx\nmonkeypatch.setattr(httpx, 'get', 1)",
        "import httpx as http\nmonkeypatch.setattr(http.Client, 'get', 1)",
        "from httpx import Client\nmonkeypatch.setattr(Client, 'get', 1)",
        "monkeypatch.setattr('httpx.get', 1)",
        "from langchain_kimi.openrouter import transport\nmonkeypatch.setattr(transport, 'sleep', 1)",
        "from langchain_kimi import ChatKimi\nmonkeypatch.delattr(ChatKimi, 'invoke')",
    ],
)
def test_a_mock(source: str) -> None:
    lines = len(source.splitlines())
    assert words.mocks({"tests/test_a.py": source}) == [f"tests/test_a.py:{lines} mocks"]


@pytest.mark.parametrize(
    "source",
    [
        "import httpx\ntransport = httpx.MockTransport(handler)",
        "monkeypatch.setenv('OPENROUTER_API_KEY', KEY)",
        "import langchain_core.exceptions\nmonkeypatch.delattr(langchain_core.exceptions, 'ModelRefusalError')",
        "from langchain_kimi.testing import responses",
        "import httpx\nsetattr(x, 'y', 1)",
    ],
)
def test_what_is_no_mock(source: str) -> None:
    assert words.mocks({"tests/test_a.py": source}) == []


def plant(root: Path) -> None:
    for path in ("README.md", ".ci/run", "build/lib/a.py", ".venv/a.py"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("text", encoding="utf-8")
    (root / "cassette.yaml.gz").write_bytes(gzip.compress(b"packed"))


def test_files_without_git(tmp_path: Path) -> None:
    plant(tmp_path)
    assert words.files_of_project(tmp_path) == {"README.md": "text", "cassette.yaml.gz": "packed"}


def test_files_that_git_knows(tmp_path: Path) -> None:
    if (git := shutil.which("git")) is None:
        pytest.skip("git is not installed")
    plant(tmp_path)
    for command in (["init", "-q"], ["add", "README.md", ".ci/run", "build/lib/a.py"]):
        subprocess.run([git, *command], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "build/lib/a.py").unlink()
    assert words.files_of_project(tmp_path) == {".ci/run": "text", "README.md": "text"}
