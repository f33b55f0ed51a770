"""The coding agent, over a file server of MCP in a process of its own."""

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from examples.agents import coding
from examples.agents.files_server import Edit, Folder
from tests.applications.playing import play

OFFICIAL = Path(sys.prefix) / "node_modules" / "@modelcontextprotocol" / "server-filesystem" / "dist" / "index.js"
FIXED = 'return "-".join(title.lower().split())'


def check(shown: str) -> None:
    """Check that the tests of the project failed before the change, and not after it."""
    assert shown.index("run_tests returns F.") < shown.index("edit_file returns") < shown.index("run_tests returns ..")
    assert "FAIL" not in shown[shown.index("run_tests returns ..") :]
    assert FIXED in shown[shown.index("slugs.py is now:") :]
    assert "Price: 6 model calls" in shown


def test_the_agent_corrects_a_project(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    check(play(coding.main, monkeypatch, capfd))


@pytest.mark.skipif(
    not OFFICIAL.exists(), reason="`make test-applications` installs the official server, if npm is there"
)
def test_the_agent_works_with_the_official_server(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OFFICIAL_FILE_SERVER", shlex.join([shutil.which("node") or "node", str(OFFICIAL)]))
    shown = play(coding.main, monkeypatch, capfd, "--official")
    assert "list_allowed_directories" in shown
    check(shown)


@pytest.mark.long
def test_a_project_of_the_user_is_changed_in_its_place(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, content in coding.PROJECT.items():
        (tmp_path / name).write_text(content)
    assert "slugs.py is now" not in play(coding.main, monkeypatch, capfd, str(tmp_path))
    assert FIXED in (tmp_path / "slugs.py").read_text()


async def test_tests_that_do_not_end_are_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(coding, "SECONDS", 0)
    (tmp_path / "test_endless.py").write_text("while True: pass")
    assert "did not end" in await coding.test_runner(tmp_path).ainvoke({})


def test_the_file_server_stays_in_its_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.write_text("secret")
    (inside / "link").symlink_to(outside)
    folder = Folder(inside)
    for path in ("../outside", str(outside), "link"):
        with pytest.raises(ValueError, match="Access denied"):
            folder.read_text_file(path)
        with pytest.raises(ValueError, match="Access denied"):
            folder.write_file(path, "changed")
    assert outside.read_text() == "secret"


def test_the_file_server_changes_texts_that_are_there_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write_file("a.txt", "one two two")
    folder.edit_file("a.txt", [Edit(oldText="one", newText="1")])
    for old in ("two", "three"):
        with pytest.raises(ValueError, match="times in"):
            folder.edit_file("a.txt", [Edit(oldText=old, newText="")])
    assert folder.read_text_file("a.txt") == "1 two two"
    assert folder.list_directory(".") == "[FILE] a.txt"
