"""Each example runs: without a key it speaks to the emulator and says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from langchain_kimi.testing import Emulator
from tests.conftest import KEY

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_without_a_key(path: Path) -> None:
    run = subprocess.run([sys.executable, "-W", "error", str(path)], capture_output=True, text=True, check=True)
    assert "emulator" in run.stdout.splitlines()[0]
    assert not run.stderr


def test_the_tour_shows_everything() -> None:
    path = next(path for path in EXAMPLES if path.stem == "quickstart")
    out = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True).stdout
    for shown in (
        "Plain: ",
        "Streamed: ",
        "Kimi calls get_weather",
        "sunny in Oslo",
        "Trip(city='Lisbon', days=4)",
        "$0.0",
    ):
        assert shown in out


def test_the_tour_takes_the_key_where_there_is_one() -> None:
    path = next(path for path in EXAMPLES if path.stem == "quickstart")
    with Emulator(api_key=KEY) as openrouter:
        environment = {**os.environ, "OPENROUTER_API_KEY": KEY, "OPENROUTER_API_BASE": openrouter.base_url}
        run = subprocess.run([sys.executable, str(path)], env=environment, capture_output=True, text=True, check=True)
        assert len(openrouter.requests) == 5
    assert run.stdout.startswith("Speaking to OpenRouter")
    assert KEY not in run.stdout + run.stderr
