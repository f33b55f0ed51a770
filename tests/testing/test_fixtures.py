import os
from pathlib import Path

from tests.interpreters import WITHOUT_LANGSMITH, Interpreter

CONFTEST = 'pytest_plugins = ["langchain_kimi.testing.fixtures"]\n'
TEST = """
import httpx

def test_one(openrouter):
    assert httpx.get(openrouter.base_url + "/models").status_code == 200
    assert len(openrouter.requests) == 1

def test_another(openrouter):
    assert openrouter.requests == []
"""


def test_the_fixture_is_loaded_as_a_plugin(interpreter: Interpreter, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TEST)
    options = ["-q", "-W", "error", *WITHOUT_LANGSMITH, "-p", "no:cacheprovider", str(tmp_path)]
    # Plugins that the test does not need are slow to import.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    program = "import pytest, sys; sys.exit(pytest.main(sys.argv[1:]))"
    done = interpreter.run(program, *options, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
