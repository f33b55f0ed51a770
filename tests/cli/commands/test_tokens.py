from pathlib import Path

from tests.cli.conftest import Cli


def test_files_are_counted_offline(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Hello, world.")
    [count] = cli.json("tokens", str(tmp_path / "a.txt"))
    assert (count["file"], count["exact"], 5 < count["tokens"] < 40) == (str(tmp_path / "a.txt"), False, True)
    assert "estimate" in cli("tokens", str(tmp_path / "a.txt"))
    assert cli.emulator.requests == []
