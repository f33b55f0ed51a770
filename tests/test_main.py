import os
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from langchain_kimi import __main__
from langchain_kimi._tokens.vocabulary import FILE_NAME, find_vocabulary
from langchain_kimi.cli.main import main
from tests.interpreters import Interpreter
from tests.tokens.hub import Hub, serving
from tests.tokens.vocabulary import Made, make

ROOT = Path(__file__).parents[1]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path / "served", ["Hello", " world"])


@pytest.fixture
def hub(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that the environment names, and an empty cache."""
    with serving(made.path.read_bytes()) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        yield served


def test_the_vocabulary_is_downloaded_and_found(
    hub: Hub, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert find_vocabulary(sha256=made.sha256) is None
    assert main(["tokenizer", "fetch", "--sha256", made.sha256]) == 0
    file = Path(capsys.readouterr().out.removesuffix("\n"))
    assert file.is_relative_to(tmp_path / "hf" / "hub")
    assert file.read_bytes() == hub.content
    loaded = find_vocabulary(sha256=made.sha256)
    assert loaded is not None
    assert loaded.encode("Hello world") == [256, 257]


def test_a_directory_can_be_named(hub: Hub, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokenizer", "fetch", "--directory", str(tmp_path / "mine"), "--sha256", made.sha256]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'mine' / FILE_NAME}\n"
    assert find_vocabulary(tmp_path / "mine", sha256=made.sha256) is not None


def test_an_error_is_written_to_stderr(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    hub.status = 403
    assert main(["tokenizer", "fetch"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert "Downloading Kimi's vocabulary failed" in output.err
    assert "Traceback" not in output.err


def test_an_incomplete_command_lists_its_actions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tokenizer"])
    assert ended.value.code == 2
    assert "fetch" in capsys.readouterr().err


def test_help(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["langchain_kimi", "tokenizer", "fetch", "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(Path(__main__.__file__)), run_name="__main__")
    assert ended.value.code == 0
    assert "--directory" in capsys.readouterr().out


def test_a_wrong_file_fails_the_process(hub: Hub, tmp_path: Path, interpreter: Interpreter) -> None:
    # It is served whole, and is not Kimi's.
    program = "import runpy; runpy.run_module('langchain_kimi', run_name='__main__', alter_sys=True)"
    done = interpreter.run(program, "tokenizer", "fetch", environment={**os.environ, "HOME": str(tmp_path)})
    assert (done.returncode, done.stdout) == (1, "")
    assert "is not Kimi's vocabulary: its checksum is not b6c497a7469b…." in done.stderr
    assert "Traceback" not in done.stderr
    assert hub.downloads == 2
