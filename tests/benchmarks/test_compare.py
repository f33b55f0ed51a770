import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.compare import main, package_of, quartiles
from tests.benchmarks.measuring import ROOT

TITLE = "text delta, stream, µs"
needs_history = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="There is no Git history to compare with.")


@pytest.mark.long
@needs_history
def test_the_package_of_a_commit_is_compared_with_the_working_tree(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figures.json"
    main(["HEAD", "--rounds", "1", "--deltas", "20", "--only", TITLE, "--json", str(out)])
    assert f"| {TITLE} |" in capfd.readouterr().out
    [row] = json.loads(out.read_text(encoding="utf-8"))["rows"]
    assert set(row["medians"]) == {"base", "now"}
    assert row["ratios"]["base"] > 0


@needs_history
def test_the_checkout_of_a_commit_contains_only_the_package() -> None:
    with package_of("HEAD") as directory:
        assert [path.name for path in directory.iterdir()] == ["langchain_kimi"]


@needs_history
def test_an_unknown_commit_is_an_error() -> None:
    with pytest.raises(subprocess.CalledProcessError), package_of("no-such-commit"):
        pytest.fail("There is no such commit.")


@pytest.mark.long
def test_a_side_that_ends_is_an_error() -> None:
    script = (
        "from tests.benchmarks.compare import ROOT, Side; side = Side(ROOT, 'http://127.0.0.1:9', 20); side.package(); "
        "side.seconds('no such call')"
    )
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "The process of one side ended" in result.stderr


def test_quartiles_of_one_value_are_the_value() -> None:
    assert quartiles([2.0]) == (2.0, 2.0)
    assert quartiles([1.0, 2.0, 3.0]) == (1.5, 2.5)
