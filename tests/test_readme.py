"""What the README shows runs as it stands, and its table of parameters is complete."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from langchain_kimi.testing import Emulator
from tests.conftest import KEY

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("code", CODE, ids=range(len(CODE)))
def test_each_piece_of_code_runs(
    code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Emulator() as openrouter:
        monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
        monkeypatch.setenv("OPENROUTER_API_BASE", openrouter.base_url)
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})  # noqa: S102 - the README's own code
        assert openrouter.requests or "Emulator" in code
    assert capsys.readouterr().out.strip() or "except" in code


def test_the_table_of_parameters_is_up_to_date() -> None:
    script = ROOT / "scripts" / "readme_parameters.py"
    assert subprocess.run([sys.executable, str(script), "--check"], check=False).returncode == 0


def test_there_is_code_to_run() -> None:
    assert len(CODE) > 6
