"""Every test that SECURITY.md names exists."""

import ast
import re

from tests.structure.tree import ROOT

NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))


def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_tests_that_are_named_exist() -> None:
    assert len(NAMED) > 20
    assert [f"{path}::{name}" for path, name in NAMED if name not in functions_of(path)] == []


def test_each_row_names_a_test() -> None:
    lines = (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines()
    heads = ("| --- ", "| limit ", "| protection ")
    rows = [line for line in lines if line.startswith("| ") and not line.startswith(heads)]
    assert [row for row in rows if "::test_" not in row] == []
