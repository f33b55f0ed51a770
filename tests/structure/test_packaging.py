"""The packaging rules with made-up files, and the contents of the archives that users install."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.structure import packaging
from tests.structure.tree import ROOT

PYPROJECT = """
[project]
dependencies = [
    # Above.
    "httpx>=0.28",
    "pydantic>=2",  # beside
    "tiktoken>=0.9",
]
"""


def test_the_newest_version() -> None:
    assert packaging.newest_version("# Changelog\n\n## [0.2.0] - unreleased\n\n## [0.1.0] - 2025") == "0.2.0"
    assert packaging.newest_version("# Changelog\n\n## 1.0.0rc1\n") == "1.0.0rc1"
    assert packaging.newest_version("# Changelog\n") is None


def test_a_dependency_without_a_reason() -> None:
    assert packaging.unexplained(PYPROJECT) == ["tiktoken>=0.9"]


def test_pins() -> None:
    lock = "# comment\nnumpy==2.4 ; python_version < '3.12'\nnumpy==2.5 ; python_version >= '3.12'\nPyYAML==6.0.3\n"
    assert packaging.pins(lock) == {"numpy": {"2.4", "2.5"}, "pyyaml": {"6.0.3"}}


def test_requirements_of_groups_within_groups() -> None:
    settings = {
        "project": {"dependencies": ["httpx>=0.28"]},
        "dependency-groups": {"test": ["pytest>=9"], "dev": [{"include-group": "test"}, "ruff"]},
    }
    assert [str(requirement) for requirement in packaging.requirements(settings, None)] == ["httpx>=0.28"]
    assert [str(requirement) for requirement in packaging.requirements(settings, "dev")] == ["pytest>=9", "ruff"]


@pytest.mark.parametrize(
    ("wanted", "met"),
    [
        ("numpy", True),
        ("numpy>=2.4", True),
        ("numpy>=2.5", False),
        ("Py.YAML<7", False),
        ("PyYAML<7", True),
        ("no", False),
    ],
)
def test_unmet(wanted: str, *, met: bool) -> None:
    pins = {"numpy": {"2.4", "2.5"}, "pyyaml": {"6.0.3"}}
    assert packaging.unmet(iter([Requirement(wanted)]), pins) == ([] if met else [wanted])


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """The names of the files in the wheel and in the source archive."""
    folder: Path = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel, tarfile.open(next(folder.glob("*.tar.gz"))) as source:
        return set(wheel.namelist()), {name.split("/", maxsplit=1)[1] for name in source.getnames()}


@pytest.mark.waits
def test_the_wheel_contains_only_the_package(archives: tuple[set[str], set[str]]) -> None:
    wheel, _ = archives
    package = {path.relative_to(ROOT).as_posix() for path in (ROOT / "langchain_kimi").rglob("*.py")}
    assert package | {"langchain_kimi/py.typed"} <= wheel
    assert {name.split("/")[0].partition("-")[0] for name in wheel} == {
        "langchain_kimi",
        "langchain_kimi_openrouter",
    }


@pytest.mark.waits
def test_the_source_archive_can_be_tested(archives: tuple[set[str], set[str]]) -> None:
    _, source = archives
    assert {"Makefile", "CHANGELOG.md", "requirements-dev.txt", "scripts/setup.sh", "tests/test_structure.py"} <= source
    assert not [name for name in source if name.startswith((".venv", "dist")) or "__pycache__" in name]
