import io
import os
import sys
from typing import Any

import pytest

from langchain_kimi.cli import main as module
from langchain_kimi.cli.main import main
from langchain_kimi.testing import faults
from tests.cli.conftest import Cli

COMMANDS = {
    "bulk",
    "chat",
    "cost",
    "costs",
    "doctor",
    "explain",
    "generation",
    "hosts",
    "key",
    "models",
    "refresh",
    "tokenizer",
    "tokens",
    "verify",
}


def test_each_module_of_commands_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    output = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(f"    {name}" in output for name in COMMANDS)
    assert "exit codes:" in output


def test_a_wrong_argument_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["hosts"])
    assert ended.value.code == 2
    assert "MODEL" in capsys.readouterr().err.upper()


def test_no_command_prints_the_help_and_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "    doctor " in capsys.readouterr().err


def test_a_wrong_slug_ends_with_2(cli: Cli) -> None:
    assert cli("hosts", "kimi", code=2) == ""
    assert "author/name" in cli.err


def test_an_unknown_model_ends_with_1_and_names_the_nearest(cli: Cli) -> None:
    assert cli("hosts", "moonshotai/kimi-k26", code=1) == ""
    text, explanation = cli.err.splitlines()
    assert "Did you mean moonshotai/kimi-k2.6" in text
    assert explanation == "Cause and remedy: python -m langchain_kimi explain KimiNotFoundError"


def test_no_network_is_one_sentence_and_ends_with_4(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--base-url", "http://127.0.0.1:9/api/v1"]) == 4
    error = capsys.readouterr().err
    assert "No connection to 127.0.0.1" in error
    assert error.count("\n") == 2
    assert error.endswith("langchain_kimi explain KimiConnectionError\n")
    assert "Traceback" not in error


def test_a_missing_file_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokens", "missing.txt"]) == 2
    assert "missing.txt" in capsys.readouterr().err


def test_a_missing_key_and_wrong_settings_are_one_sentence_and_end_with_2(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("chat", "", code=2)
    assert cli.err == "model: String should have at least 1 character\n"
    monkeypatch.delenv("OPENROUTER_API_KEY")
    cli("chat", code=2)
    assert cli.err == "There is no key for OpenRouter: pass api_key=... or set OPENROUTER_API_KEY.\n"


def test_output_that_nobody_reads_ends_with_141_and_writes_nothing_else(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(["explain"]) == 141
    assert capfd.readouterr() == ("", "")


def test_output_to_a_full_disk_ends_with_1(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    assert main(["explain"]) == 1
    assert capsys.readouterr().err == "The output: No space left on device.\n"


def test_a_closed_stdout_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["explain"]) == 0


def test_an_interrupt_ends_with_130(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupting(io.StringIO):
        def readline(self, *_: object) -> Any:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Interrupting())
    cli("chat", code=130)


def test_the_key_is_never_printed(cli: Cli) -> None:
    cli.emulator.fail_next(faults.unauthorized())
    cli("key", code=0)
    assert "planted-key" not in cli.err
    assert module.EPILOG.count("\n") > 5
