"""The notebooks of the examples run from the first cell to the last, with the emulator."""

import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = Path(__file__).parents[1] / "examples"
SHOWN = {
    "extraction": ("the emulator makes up all answers", "quantity=12", "0.000", "answered", "'product'"),
    "agent": ("the emulator makes up all answers", "get_weather", "sunny in Oslo", "sunny in Lima", "at Moonshot AI"),
}


def run(notebook: Path) -> None:
    """Run the code of a notebook."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), str(notebook), "exec"), names)  # noqa: S102 - a file of this project


@pytest.mark.parametrize("name", SHOWN)
def test_a_notebook_runs_without_a_key(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    run(NOTEBOOKS / f"{name}.ipynb")
    output = capsys.readouterr().out
    for shown in SHOWN[name]:
        assert shown in output


def test_each_notebook_is_run_and_has_no_output() -> None:
    notebooks = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in NOTEBOOKS.glob("*.ipynb")}
    assert notebooks.keys() == SHOWN.keys()
    cells = [cell for notebook in notebooks.values() for cell in notebook["cells"]]
    assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []
