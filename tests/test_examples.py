"""Each example runs, with the emulator if there is no key."""

import json
import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi.testing import Emulator, Reply
from tests.conftest import KEY
from tests.interpreters import Interpreter
from tests.waiting import blocking_until

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
RUN = """
import runpy, signal, sys

# Processes that a shell started in the background ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""

SHOWN = {
    "quickstart": (
        "1. A plain answer to: Say hello",
        "2. A streamed answer to: Count from",
        "Kimi calls get_weather",
        "Kimi answers: The tool says: It is 21 degrees and sunny in Oslo.",
        "Trip(city='Lisbon', days=4)",
        "tokens out, $0.0",
    ),
    "extract": ("answered             200", "refused              3", "The results are in"),
    "hosts": ("hosts serve moonshotai/kimi-k2-0905", "careless", "leaks markup, which the repairs", "ignore=['"),
}
AT_FULL_SIZE = ("extract", "hosts")
"""Examples that take several seconds."""


@pytest.mark.waits
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.stem, marks=[pytest.mark.long] * (path.stem in AT_FULL_SIZE)) for path in EXAMPLES],
)
def test_an_example_runs_without_a_key(interpreter: Interpreter, path: Path) -> None:
    run = interpreter.run(RUN, str(path), strict=True)
    assert run.returncode == 0
    assert "emulator" in run.stdout.splitlines()[0]
    assert not run.stderr
    for shown in SHOWN[path.stem]:
        assert shown in run.stdout


@pytest.mark.waits
@pytest.mark.timeout(600)
def test_the_quickstart_uses_the_key_from_the_environment(interpreter: Interpreter) -> None:
    path = next(path for path in EXAMPLES if path.stem == "quickstart")
    with Emulator(api_key=KEY) as openrouter:
        environment = {**os.environ, "OPENROUTER_API_KEY": KEY, "OPENROUTER_API_BASE": openrouter.base_url}
        run = interpreter.run(RUN, str(path), environment=environment)
        assert len(openrouter.requests) == 5
    assert run.returncode == 0
    assert run.stdout.startswith("Calling OpenRouter")
    assert KEY not in run.stdout + run.stderr


def run_here(monkeypatch: pytest.MonkeyPatch, openrouter: Emulator, path: Path, *options: str) -> None:
    """Run the extraction in this process."""
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    monkeypatch.setenv("OPENROUTER_API_BASE", openrouter.base_url)
    monkeypatch.setattr(sys, "argv", ["extract.py", str(path), *options])
    script = next(path for path in EXAMPLES if path.stem == "extract")
    assert runpy.run_path(str(script))["main"]() == 0


def lines(path: Path) -> list[dict[str, Any]]:
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def requested(openrouter: Emulator) -> list[str]:
    """Return the ids of the texts that were requested, without repair requests."""
    firsts = [body["messages"][0]["content"] for body in openrouter.bodies if len(body["messages"]) == 1]
    return sorted(f"order-{text[-4:-1]}" for text in firsts)


def is_of_the_first_ten(body: Any) -> bool:
    return str(body["messages"][0]["content"])[-4:-2] == "00"


@pytest.mark.long
def test_an_extraction_keeps_failures_with_their_costs_and_continues(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "orders.jsonl"
    with Emulator(api_key=KEY) as openrouter:
        openrouter.script(Reply(text="I would rather not."), times=None)
        run_here(monkeypatch, openrouter, path)
        failed = lines(path)
        assert len(failed) == 200
        assert {row["error"]["kind"] for row in failed} == {"KimiStructuredOutputError"}
        assert all(row["cost"] > 0 and row["output_tokens"] > 0 for row in failed)

        openrouter.clear()
        run_here(monkeypatch, openrouter, path, "--retry-failed")
        assert requested(openrouter) == sorted(row["key"] for row in failed)
        assert all(row["ok"] and row["value"]["city"] for row in lines(path)[200:])

        openrouter.clear()
        run_here(monkeypatch, openrouter, path, "--retry-failed")
        assert openrouter.bodies == []


@pytest.mark.waits
@pytest.mark.timeout(600)
def test_an_interrupted_extraction_continues_and_keeps_the_costs_of_failures(
    interpreter: Interpreter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "orders.jsonl"
    with Emulator(api_key=KEY) as openrouter:
        openrouter.behave(pause=0.05)
        openrouter.script(Reply(text="I would rather not."), times=None, when=is_of_the_first_ten)
        environment = {**os.environ, "OPENROUTER_API_KEY": KEY, "OPENROUTER_API_BASE": openrouter.base_url}
        script = next(path for path in EXAMPLES if path.stem == "extract")
        with interpreter.running(RUN, str(script), str(path), environment=environment, strict=True) as run:
            blocking_until(lambda: len(lines(path)) >= 20)
            run.send(signal.SIGINT)
            code = run.wait()
        out, error = interpreter.texts()
        assert (code, error) == (130, "")
        assert "Interrupted" in out
        before = lines(path)

        openrouter.clear()
        openrouter.behave(pause=0.0)
        openrouter.script(Reply(text="I would rather not."), times=None, when=is_of_the_first_ten)
        run_here(monkeypatch, openrouter, path)
        after = lines(path)
        assert after[: len(before)] == before
        assert len({row["key"] for row in after}) == len(after) == 200
        failed = [row for row in after if not row["ok"]]
        keys = [f"order-{n:03}" for n in range(10)]
        assert sorted(row["key"] for row in failed) == keys
        assert all(row["cost"] > 0 and row["output_tokens"] > 0 for row in failed)
        # A text whose answer has no call is sent again, with one message too.
        sent = [key for key in requested(openrouter) if key not in keys]
        assert sent == sorted(row["key"] for row in after[len(before) :] if row["ok"])
