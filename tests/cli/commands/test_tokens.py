from pathlib import Path

import pytest

from tests.cli.conftest import Cli


def test_files_are_counted_offline(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Hello, world.")
    [count] = cli.json("tokens", str(tmp_path / "a.txt"))
    assert (count["file"], count["exact"], 5 < count["tokens"] < 40) == (str(tmp_path / "a.txt"), False, True)
    assert "estimate" in cli("tokens", str(tmp_path / "a.txt"))
    assert cli.emulator.requests == []


@pytest.mark.parametrize("command", ["tokens", "cost"])
def test_a_file_that_cannot_be_read_is_named(cli: Cli, tmp_path: Path, command: str) -> None:
    (tmp_path / "latin.txt").write_bytes("Gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n.".encode("latin-1"))
    cli(command, str(tmp_path / "latin.txt"), code=2)
    assert cli.err == f"{tmp_path / 'latin.txt'} is not UTF-8. Convert it to UTF-8.\n"
    cli(command, str(tmp_path), code=2)
    assert cli.err == f"{tmp_path} cannot be read: Is a directory.\n"
