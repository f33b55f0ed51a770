"""The public names are typed as users need them: the files in `tests/typing` pass strict mypy and basedpyright."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
USAGES = sorted((ROOT / "tests" / "typing").glob("*.py"))


@pytest.fixture
def user_project(tmp_path: Path) -> Path:
    """A user's project: their files, without settings of this project such as mypy's pydantic plugin."""
    for usage in USAGES:
        (tmp_path / usage.name).write_text(usage.read_text())
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\n")
    settings = {"typeCheckingMode": "strict", "pythonVersion": f"3.{sys.version_info.minor}"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    return tmp_path


# Without a cache mypy checks all of langchain-core and pydantic, which takes up to half a minute. `make type` checks
# the same files with pydantic's plugin, and the test below without it.
@pytest.mark.long
@pytest.mark.timeout(600)
def test_mypy_accepts_the_usage(user_project: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--cache-dir",
        str(ROOT / ".mypy_cache" / "usage"),
        *(usage.name for usage in USAGES),
    ]
    run = subprocess.run(command, cwd=user_project, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


# The checker's start takes most of the seconds, and the test above is as slow.
@pytest.mark.long
@pytest.mark.timeout(600)
def test_basedpyright_accepts_the_usage(user_project: Path) -> None:
    command = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable, *(usage.name for usage in USAGES)]
    run = subprocess.run(command, cwd=user_project, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def keywords_of(path: Path) -> set[str]:
    """Return the keyword arguments of all calls of ChatKimi in a file."""
    nodes = ast.walk(ast.parse(path.read_text()))
    calls = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "ChatKimi"]
    return {str(keyword.arg) for call in calls for keyword in call.keywords}


def test_every_argument_of_chat_open_router_is_checked() -> None:
    fields = pytest.importorskip("langchain_openrouter").ChatOpenRouter.model_fields
    names = {*fields, *(field.alias for field in fields.values() if field.alias)} - {"client"}
    assert names == keywords_of(ROOT / "tests" / "typing" / "chat_open_router.py")
