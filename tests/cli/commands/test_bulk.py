"""`langchain-kimi bulk`: a file in, a file out, also after a kill."""

import csv
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from langchain_kimi.testing import Reply, ToolCall, faults
from tests.cli.conftest import Cli
from tests.conftest import KEY
from tests.interpreters import Interpreter
from tests.rows import each_row
from tests.waiting import blocking_until

MESSAGES = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hello."}]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    elif path.suffix == ".parquet":
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), path)
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_each_row_of_a_file_is_asked(suffix: str, cli: Cli, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / f"in{suffix}", [{"text": f"letter {n}"} for n in range(3)])
    out = tmp_path / "out.jsonl"

    table = cli("bulk", str(rows), "--prompt", "Read: {text}", "--out", str(out), "--concurrency", "2")

    assert [line.split() for line in table.splitlines()][:2] == [["rows", "3"], ["answered", "3"]]
    assert sorted(body["messages"][0]["content"] for body in cli.emulator.bodies) == [
        f"Read: letter {n}" for n in range(3)
    ]
    assert len(lines(out)) == 3

    again = cli.json("bulk", str(rows), "--prompt", "Read: {text}", "--out", str(out))
    assert (again["stored"], again["answered"], again["total"]) == (3, 0, 3)
    assert len(cli.emulator.bodies) == 3


@pytest.mark.parametrize(
    ("value", "suffix"),
    [(MESSAGES, ".jsonl"), (json.dumps(MESSAGES), ".csv"), (MESSAGES, ".parquet")],
    ids=["list", "JSON in a CSV file", "Parquet"],
)
def test_a_column_has_the_messages(value: Any, suffix: str, cli: Cli, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / f"in{suffix}", [{"id": "1", "chat": value}])
    out = tmp_path / "out.jsonl"

    cli("bulk", str(rows), "--messages", "chat", "--key", "id", "--out", str(out), "--max-tokens", "7")

    assert cli.emulator.bodies[0]["messages"] == MESSAGES
    assert cli.emulator.bodies[0]["max_tokens"] == 7
    assert lines(out)[0]["key"] == "1"


def test_a_text_is_one_message_and_a_row_without_messages_an_error_row(cli: Cli, tmp_path: Path) -> None:
    # JSON that is nested too deep is a text, like any other that is not a list.
    nested = "[" * 100_000
    rows = write_rows(tmp_path / "in.jsonl", [{"chat": "Hello."}, {"chat": nested}, {"other": 1}, {"chat": 5}])
    with (tmp_path / "in.jsonl").open("a") as file:
        file.write('"no object"\n')
    out = tmp_path / "out.jsonl"

    summary = cli.json("bulk", str(rows), "--messages", "chat", "--out", str(out), code=3)

    assert (summary["answered"], summary["failed"], summary["errors"]) == (2, 3, {"KimiUsageError": 3})
    assert {message["content"] for body in cli.emulator.bodies for message in body["messages"]} == {"Hello.", nested}


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_a_null_is_empty_text_as_in_csv_files(suffix: str, cli: Cli, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / f"in{suffix}", [{"a": "x", "b": None}, {"a": "x", "b": "y"}, {"a": None, "b": None}])

    summary = cli.json("bulk", str(rows), "--prompt", "{a}, {b}", "--out", str(tmp_path / "out.jsonl"), code=3)

    assert (summary["answered"], summary["failed"]) == (2, 1)
    assert sorted(body["messages"][0]["content"] for body in cli.emulator.bodies) == ["x, ", "x, y"]


def test_a_schema_makes_objects_in_a_parquet_file(cli: Cli, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "in.jsonl", [{"text": "to Oslo"}])
    schema, out, prompt = tmp_path / "order.json", tmp_path / "out.parquet", tmp_path / "prompt.txt"
    schema.write_text(json.dumps({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}))
    prompt.write_text("Where? {text}")
    cli.emulator.script(Reply(tool_calls=[ToolCall("order", {"city": "Oslo"})]))

    cli("bulk", str(rows), "--prompt", f"@{prompt}", "--schema", str(schema), "--out", str(out))

    [row] = pyarrow.parquet.read_table(out).to_pylist()
    assert json.loads(row["value"]) == {"city": "Oslo"}


def test_the_batch_lane_is_an_option(cli: Cli, tmp_path: Path) -> None:
    cli.emulator.behave(batch_states=())
    rows = write_rows(tmp_path / "in.csv", [{"text": f"letter {n}"} for n in range(3)])
    command = ["bulk", str(rows), "--prompt", "Read: {text}", "--out", str(tmp_path / "out.parquet"), "--lane", "batch"]

    summary = cli.json(*command, "--max-tokens", "50", "--max-cost", "1")

    assert (summary["answered"], summary["failed"]) == (3, 0)
    assert [one.path.rpartition("/")[2] for one in cli.emulator.requests if one.method == "POST"] == ["batches"]
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet")["ok"].to_pylist() == [True] * 3
    assert cli.json(*command, "--max-tokens", "50")["stored"] == 3

    cli(*command[:-2], "--requests-per-minute", "0", code=2)
    assert "requests_per_minute must be a number above 0" in cli.err


def test_failed_rows_give_exit_code_3_and_are_sent_again_on_request(cli: Cli, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "in.jsonl", [{"text": "a"}, {"text": "b"}])
    command = ["bulk", str(rows), "--prompt", "{text}", "--out", str(tmp_path / "out.jsonl"), "--concurrency", "1"]
    cli.emulator.script(faults.provider_refused("bad schema"))

    assert "KimiInvalidRequestError" in cli(*command, code=3)
    assert cli.json(*command)["stored"] == 2
    retried = cli.json(*command, "--retry-failed")
    assert (retried["answered"], retried["stored"]) == (1, 1)


def test_a_spent_budget_ends_with_1_and_the_sums(cli: Cli, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "in.jsonl", [{"text": f"letter {n}"} for n in range(30)])
    command = ["bulk", str(rows), "--prompt", "{text}", "--out", str(tmp_path / "out.jsonl"), "--max-tokens", "50"]

    table = cli(*command, "--max-cost", "0.001", code=1)

    assert "Budget exceeded" in table
    assert cli.err.startswith("The run stopped after ")
    assert cli.err.count("\n") == 1
    summary = cli.json(*command, "--max-cost", "1")
    assert (summary["rows"], len(cli.emulator.bodies)) == (30, 30)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


ROWS = '{"text": "a"}\n'


@each_row(
    "content, options, reason",
    [
        (None, ["--prompt", "{text}"], "No such file"),
        ("", ["--prompt", "{text}"], "in.jsonl has no rows"),
        ("{not JSON\n", ["--prompt", "{text}"], "Line 1 of in.jsonl is not JSON"),
        (ROWS, ["--prompt", "{txt}"], "in.jsonl has no column txt. The columns of its first row are text."),
        (ROWS, ["--messages", "chat"], "in.jsonl has no column chat"),
        ('"a"\n', ["--prompt", "{text}"], "The first row of in.jsonl is not an object."),
        (ROWS, ["--prompt", "{} {text}"], "The prompt has braces without the name of a column."),
        (ROWS, ["--prompt", "{text}", "--key", "id"], "in.jsonl has no column id"),
        (ROWS, ["--prompt", "{text"], "The prompt is not a template"),
        (ROWS, ["--prompt", "@missing.txt"], "No such file"),
        (
            ROWS,
            ["--prompt", "{text}", "--schema", "missing.json"],
            "missing.json cannot be read: No such file or directory.\n",
        ),
        (ROWS, ["--prompt", "{text}", "--out", "/dev/zero"], "/dev/zero is not a file"),
        (ROWS, ["--prompt", "{text}", "--out", "own.parquet"], "own.parquet is not the output of a bulk run"),
        (ROWS, ["--prompt", "{text}", "--out", "own.sqlite"], "own.sqlite is not the output of a bulk run"),
        (ROWS, ["--prompt", "{text}", "--schema", "in.jsonl", "--out", "in.jsonl"], "--out is the file of the rows"),
        (ROWS, ["--prompt", "{text}", "--schema", "list.json"], "list.json is not a JSON schema"),
        (ROWS, ["--prompt", "{text}", "--schema", "broken.json"], "broken.json is not JSON"),
        (ROWS, ["--prompt", "{text}", "--concurrency", "0"], "max_concurrency must be a number above 0, got 0"),
        (ROWS, ["--prompt", "{text}", "--max-cost", "-1"], "max_cost must be a number of at least 0"),
        (ROWS, ["--prompt", "{text}", "--out", "list.json"], "list.json is not the output of a bulk run"),
        (ROWS, ["--prompt", "{text}", "--out", "list.json/x"], "cannot be written"),
    ],
)
def test_a_bad_input_is_one_sentence(
    content: str | None, options: list[str], reason: str, cli: Cli, here: None
) -> None:
    for name in ("own.parquet", "own.sqlite"):
        Path(name).write_text("mine")
    Path("list.json").write_text("[1]")
    Path("broken.json").write_text("{")
    Path("in.jsonl").unlink(missing_ok=True)
    if content is not None:
        Path("in.jsonl").write_text(content)

    assert cli("bulk", "in.jsonl", "--out", "out.jsonl", *options, code=2) == ""

    assert reason in cli.err
    assert cli.err.count("\n") == 1
    assert cli.emulator.requests == []
    assert [Path(name).read_text() for name in ("own.parquet", "own.sqlite")] == ["mine", "mine"]


@pytest.mark.usefixtures("here")
def test_files_of_windows_programs_are_read(cli: Cli) -> None:
    mark = "\N{ZERO WIDTH NO-BREAK SPACE}"
    Path("in.csv").write_bytes(f'{mark}text,n\r\n"a, b",1\r\nc\r\n'.encode())
    Path("prompt.txt").write_bytes(f"{mark}Read: {{text}}{{n}}".encode())
    Path("schema.json").write_bytes(f'{mark}{{"type": "object", "properties": {{"a": {{"type": "string"}}}}}}'.encode())
    files = ("--prompt", "@prompt.txt", "--schema", "schema.json", "--out", "out.jsonl")
    assert cli.json("bulk", "in.csv", *files)["answered"] == 2
    assert sorted(body["messages"][-1]["content"] for body in cli.emulator.bodies) == ["Read: a, b1", "Read: c"]


def test_another_prompt_is_refused_with_the_difference(cli: Cli, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "in.jsonl", [{"text": "a"}])
    cli("bulk", str(rows), "--prompt", "Read {text}", "--out", str(tmp_path / "out.jsonl"))

    cli("bulk", str(rows), "--prompt", "Count {text}", "--out", str(tmp_path / "out.jsonl"), code=2)

    assert "out.jsonl has the results of another run" in cli.err
    assert 'template: "Read {text}" there, "Count {text}" now' in cli.err
    assert len(cli.emulator.bodies) == 1


def test_an_interrupted_run_says_how_it_continues(cli: Cli, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "in.jsonl", [{"text": "a"}])
    cli.emulator.script(faults.silence(), times=None)

    has_ended = threading.Event()

    def interrupt() -> None:
        while not cli.emulator.bodies:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)
        # asyncio handles a signal that arrives directly before the loop waits only when the loop wakes up.
        while not has_ended.wait(5):
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    cli("bulk", str(rows), "--prompt", "{text}", "--out", str(tmp_path / "out.jsonl"), code=130)
    has_ended.set()
    thread.join()

    assert cli.err == "Interrupted. Start the same command again to continue.\n"


@pytest.mark.uncovered
def test_a_killed_command_continues(interpreter: Interpreter, cli: Cli, tmp_path: Path) -> None:
    openrouter = cli.emulator
    rows = write_rows(tmp_path / "in.csv", [{"text": f"letter {n}"} for n in range(40)])
    out = tmp_path / "out.jsonl"
    command = ["bulk", str(rows), "--prompt", "{text}", "--out", str(out), "--concurrency", "4"]
    openrouter.behave(pause=0.01)
    program = "import runpy; runpy.run_module('langchain_kimi', run_name='__main__', alter_sys=True)"
    environment = {**os.environ, "OPENROUTER_API_KEY": KEY}
    with interpreter.running(program, *command, "--base-url", openrouter.base_url, environment=environment) as process:
        blocking_until(lambda: out.exists() and len(lines(out)) >= 10)
        process.send(signal.SIGKILL)

    openrouter.behave(pause=0.0)
    assert (cli.json(*command)["rows"], cli.err) == (40, "")
    assert len({line["key"] for line in lines(out)}) == len(lines(out)) == 40
    assert 40 <= len(openrouter.bodies) <= 40 + 2 * 4
