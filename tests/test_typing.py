"""The public names are typed as users need them: a usage file passes mypy and pyright, both strict."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.uncovered

ROOT = Path(__file__).parents[1]
USAGE = ROOT / "tests" / "typing" / "usage.py"


@pytest.fixture
def user_project(tmp_path: Path) -> Path:
    """A user's own project: their file, and no settings of ours such as mypy's pydantic plugin."""
    (tmp_path / "usage.py").write_text(USAGE.read_text())
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\n")
    settings = {"typeCheckingMode": "strict", "pythonVersion": f"3.{sys.version_info.minor}"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    return tmp_path


# Without a cache mypy checks all of langchain-core and pydantic, which takes up to half a minute. `make type` checks
# the same file with pydantic's plugin, and the test below without it.
@pytest.mark.long
@pytest.mark.timeout(600)
def test_mypy_is_content(user_project: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(ROOT / ".mypy_cache" / "usage"), "usage.py"]
    run = subprocess.run(command, cwd=user_project, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.timeout(600)
def test_pyright_is_content(user_project: Path) -> None:
    command = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable, "usage.py"]
    run = subprocess.run(command, cwd=user_project, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
