"""The code in the README runs as printed, and its generated tables are up to date."""

import re
from pathlib import Path

import pytest

from langchain_kimi.testing import Emulator
from scripts.readme_tables import with_tables
from tests.conftest import KEY

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("code", CODE, ids=range(len(CODE)))
def test_code_in_the_readme_runs(
    code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with Emulator() as openrouter:
        monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
        monkeypatch.setenv("OPENROUTER_API_BASE", openrouter.base_url)
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})  # noqa: S102 - the README's own code
        assert openrouter.requests or "Emulator" in code
    assert capsys.readouterr().out.strip() or "except" in code


def test_the_readme_has_code_to_run() -> None:
    assert len(CODE) > 6


def test_the_tables_are_up_to_date() -> None:
    assert with_tables(README) == README, "run scripts/readme_tables.py"


def test_missing_markers_are_an_error() -> None:
    with pytest.raises(LookupError, match="parameters"):
        with_tables("# A README")
