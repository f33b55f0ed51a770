"""Each example runs, with the emulator if there is no key."""

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi.testing import Emulator, Reply, faults
from tests.conftest import KEY

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


SHOWN = {
    "quickstart": (
        "Plain: ",
        "Streamed: ",
        "Kimi calls get_weather",
        "sunny in Oslo",
        "Trip(city='Lisbon', days=4)",
        "$0.0",
    ),
    "extract": ("200 of 200 texts",),
    "hosts": ("hosts serve moonshotai/kimi-k2-0905", "careless", "leaks markup, which the repairs", "ignore=['"),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_without_a_key(path: Path) -> None:
    run = subprocess.run([sys.executable, "-W", "error", str(path)], capture_output=True, text=True, check=True)
    assert "emulator" in run.stdout.splitlines()[0]
    assert not run.stderr
    for shown in SHOWN[path.stem]:
        assert shown in run.stdout


@pytest.mark.timeout(600)
def test_the_quickstart_uses_the_key_from_the_environment() -> None:
    path = next(path for path in EXAMPLES if path.stem == "quickstart")
    with Emulator(api_key=KEY) as openrouter:
        environment = {**os.environ, "OPENROUTER_API_KEY": KEY, "OPENROUTER_API_BASE": openrouter.base_url}
        run = subprocess.run([sys.executable, str(path)], env=environment, capture_output=True, text=True, check=True)
        assert len(openrouter.requests) == 5
    assert run.stdout.startswith("Calling OpenRouter")
    assert KEY not in run.stdout + run.stderr


def test_the_cost_of_a_failed_text_is_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    example = runpy.run_path(str(next(path for path in EXAMPLES if path.stem == "extract")))
    path = tmp_path / "orders.jsonl"
    with Emulator(api_key=KEY) as openrouter:
        monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
        monkeypatch.setenv("OPENROUTER_API_BASE", openrouter.base_url)
        monkeypatch.setattr(sys, "argv", ["extract.py", str(path)])
        openrouter.fail_next(faults.empty_answer(), times=8)
        assert example["main"]() == 0
    failed = [row for row in lines(path) if row["error"] and "Empty" in row["error"]]
    assert len(failed) == 8
    assert all(row["cost"] > 0 and row["tokens"] > 0 for row in failed)
    assert all(row["order"] is not None for row in lines(path) if not row["error"])


def test_an_extraction_continues_after_the_last_complete_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = runpy.run_path(str(next(path for path in EXAMPLES if path.stem == "extract")))
    path = tmp_path / "orders.jsonl"
    row = {"order": None, "error": None, "tokens": 1, "cost": 0.1}
    rows = [{"id": key, **row} for key in [*example["texts"]()][:190]]
    rows[3]["error"] = "ValueError: no order"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows) + '{"id": "order-190", "or')
    with Emulator(api_key=KEY) as openrouter:
        monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
        monkeypatch.setenv("OPENROUTER_API_BASE", openrouter.base_url)
        for options, due in (((), [f"order-{n}" for n in range(190, 200)]), (("--retry-failed",), ["order-003"])):
            before = lines(path)
            openrouter.clear()
            monkeypatch.setattr(sys, "argv", ["extract.py", str(path), *options])
            assert example["main"]() == 0
            assert lines(path)[: len(before)] == before
            assert sorted(row["id"] for row in lines(path)[len(before) :]) == sorted(first_requests(openrouter)) == due
    assert "200 of 200 texts, 0 of them failed" in capsys.readouterr().out


def extraction(openrouter: Emulator, path: Path, *options: str) -> subprocess.Popen[str]:
    """Start the extraction with this emulator."""
    environment = {**os.environ, "OPENROUTER_API_KEY": KEY, "OPENROUTER_API_BASE": openrouter.base_url}
    script = next(path for path in EXAMPLES if path.stem == "extract")
    command = [sys.executable, "-W", "error", str(script), str(path), *options]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lines(path: Path) -> list[dict[str, Any]]:
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def first_requests(openrouter: Emulator) -> list[str]:
    """Return the ids of the texts that were requested, without repair requests."""
    firsts = [body["messages"][0]["content"] for body in openrouter.bodies if len(body["messages"]) == 1]
    return [f"order-{text[-4:-1]}" for text in firsts]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let child processes be interrupted, because background jobs of a shell ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_an_interrupted_extraction_continues(interruptible: None, tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    with Emulator(api_key=KEY) as openrouter:
        openrouter.behave(pause=0.05)
        openrouter.script(*[Reply(text="I would rather not.")] * 12)
        run = extraction(openrouter, path)
        while len(lines(path)) < 40:
            assert run.poll() is None
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        out, error = run.communicate()
        assert (run.returncode, error) == (130, "")
        assert "Interrupted after" in out
        before = lines(path)
        failed = {row["id"] for row in before if row["error"]}
        with path.open("a") as file:
            file.write('{"id": "order-0')

        openrouter.clear()
        openrouter.behave(pause=0.0)
        run = extraction(openrouter, path)
        assert run.communicate()[1] == ""
        after = lines(path)
        assert after[: len(before)] == before
        assert sorted(row["id"] for row in after) == sorted({row["id"] for row in after})
        assert len(after) == 200
        assert sorted(first_requests(openrouter)) == sorted(row["id"] for row in after[len(before) :])
        assert len(failed) >= 4
        assert all((row["order"] is None) == (row["error"] is not None) for row in after)
        assert all(row["tokens"] > 0 and row["cost"] > 0 for row in after)

        openrouter.clear()
        run = extraction(openrouter, path, "--retry-failed")
        assert run.communicate()[1] == ""
        assert set(first_requests(openrouter)) == failed
        assert {row["id"]: row["error"] for row in lines(path)} == {row["id"]: None for row in after}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_killed_extraction_loses_and_repeats_nothing(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    with Emulator(api_key=KEY) as openrouter:
        openrouter.behave(pause=0.05)
        openrouter.script(*[Reply(text="I would rather not.")] * 12)
        for goal in (30, 90):
            run = extraction(openrouter, path)
            while len(lines(path)) < goal:
                assert run.poll() is None
                time.sleep(0.01)
            run.kill()
            run.communicate()
            assert run.returncode == -signal.SIGKILL
        before = lines(path)

        openrouter.clear()
        openrouter.behave(pause=0.0)
        run = extraction(openrouter, path)
        assert run.communicate()[1] == ""
        after = lines(path)
        assert path.read_bytes().endswith(b"\n")
        assert after[: len(before)] == before
        assert len({row["id"] for row in after}) == len(after) == 200
        assert sorted(first_requests(openrouter)) == sorted(row["id"] for row in after[len(before) :])
        assert any(row["error"] for row in after)
