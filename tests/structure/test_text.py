"""The checks of text, suppressions and mocks. The samples are assembled here so that this file passes the checks."""

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.structure import text

UNDONE = "TO" + "DO"
HOME = "/ho" + "me/somebody/project"
FAKE_KEY = "sk-or" + "-v1-" + "0a" * 32


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (f"x = 1  # {UNDONE}: more", "an unfinished note"),
        ("FIX" + "ME", "an unfinished note"),
        (f"see {HOME}", "an absolute path"),
        (f'open("{HOME}")', "an absolute path"),
        ("C:" + "\\Users", "a path on a drive"),
        (f"key = {FAKE_KEY}", "a key"),
        ("https://py" + "pi.org/simple", "a package index"),
        ("--extra-index" + "-url https://packages.example", "a package index"),
        ("<" * 7 + " HEAD", "a marker of a merge conflict"),
        ("=" * 7, "a marker of a merge conflict"),
        (">" * 7 + " main", "a marker of a merge conflict"),
    ],
)
def test_unwanted_text_is_reported(line: str, kind: str) -> None:
    assert text.unwanted_text({"README.md": f"fine\n{line}\n"}) == [f"README.md:2 contains {kind}"]


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
        "Title\n" + "=" * 8,
        ">" * 3 + " print(1)",
        "a = " + "=" * 7,
    ],
)
def test_similar_text_is_allowed(line: str) -> None:
    assert text.unwanted_text({"README.md": line}) == []


def test_a_cassette_is_searched_for_keys_only() -> None:
    texts = {"cassettes/a.yaml": f"content: {UNDONE} in {HOME}\nkey: {FAKE_KEY}"}
    assert text.unwanted_text(texts) == ["cassettes/a.yaml:2 contains a key"]


@pytest.mark.parametrize(
    "directive", ["noqa", "noqa: S101", "noqa: S101, S102", "type: ignore", "type: ignore[arg-type]"]
)
def test_a_suppression_needs_a_reason(directive: str) -> None:
    sources = {"a.py": f"x = 1\ny = 2  # {directive}"}
    assert text.silent_exceptions(sources) == ["a.py:2 suppresses a checker without a reason"]
    assert text.silent_exceptions({"a.py": f"y = 2  # {directive}  # the stub lacks it"}) == []


def test_a_second_directive_is_not_a_reason() -> None:
    both = "x = 1  # type: " + "ignore[misc]  # no" + "qa: S101\n"
    assert len(text.silent_exceptions({"a.py": both})) == 1
    assert len(text.silent_exceptions({"a.py": "x = 1  # pragma: no " + "cover"})) == 1


def test_a_directive_in_a_string_is_ignored() -> None:
    assert text.silent_exceptions({"a.py": 'x = "# noqa"  # why not'}) == []


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
        "from langchain_kimi._openrouter.http import transport\nmonkeypatch.setattr(transport, 'sleep', 1)",
        "from langchain_kimi import ChatKimi\nmonkeypatch.delattr(ChatKimi, 'invoke')",
    ],
)
def test_mocks_and_patches_are_reported(source: str) -> None:
    lines = len(source.splitlines())
    assert text.mocks({"tests/test_a.py": source}) == [f"tests/test_a.py:{lines} mocks"]


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
def test_other_patches_are_allowed(source: str) -> None:
    assert text.mocks({"tests/test_a.py": source}) == []


def plant(root: Path) -> None:
    for path in ("README.md", ".ci/run", "build/lib/a.py", ".venv/a.py"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("text", encoding="utf-8")
    (root / "cassette.yaml.gz").write_bytes(gzip.compress(b"packed"))


def test_all_files_are_read_outside_a_checkout(tmp_path: Path) -> None:
    plant(tmp_path)
    assert text.files_of_project(tmp_path) == {"README.md": "text", "cassette.yaml.gz": "packed"}


def test_tracked_files_are_read_in_a_checkout(tmp_path: Path) -> None:
    if (git := shutil.which("git")) is None:
        pytest.skip("git is not installed")
    plant(tmp_path)
    for command in (["init", "-q"], ["add", "README.md", ".ci/run", "build/lib/a.py"]):
        subprocess.run([git, *command], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "build/lib/a.py").unlink()
    assert text.files_of_project(tmp_path) == {".ci/run": "text", "README.md": "text"}


@pytest.mark.parametrize(
    "source", ["told = 1", "def f(given): ...", "a.known = 1", "def said(): ...", "for x, found in y: ..."]
)
def test_an_unclear_name_is_reported(source: str) -> None:
    assert len(text.unclear_names({"a.py": source})) == 1


@pytest.mark.parametrize("source", ["from hypothesis import given", "a.given", "knowing = 1", "f(known=1)"])
def test_other_names_are_allowed(source: str) -> None:
    assert text.unclear_names({"a.py": source}) == []


@pytest.mark.parametrize(
    "body",
    [
        "options: int | None = None\n    price: Annotated[int, options(3)] = 1",
        "def list(self) -> int: ...\n    def names(self, *others: list[str]) -> None: ...",
        "kind = 1\n    async def get(self) -> kind: ...",
    ],
)
def test_annotations_with_a_name_that_their_class_binds_are_reported(body: str) -> None:
    [line] = text.hidden_annotations({"a.py": f"class A:\n    {body}\n"})
    assert line.startswith("a.py:3 uses ")


def test_annotations_may_use_names_that_are_only_declared() -> None:
    source = "class A:\n    text: str\n    other: text\n    def get(self) -> str: ...\n"
    assert text.hidden_annotations({"a.py": source}) == []
