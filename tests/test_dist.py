"""A wheel or an archive with the wrong contents is reported."""

import io
import tarfile
import zipfile
from pathlib import Path

from scripts import dist

GOOD = (
    "langchain_kimi/__init__.py",
    "langchain_kimi/py.typed",
    "langchain_kimi_openrouter-1.dist-info/licenses/LICENSE",
)


def wheel(directory: Path, *names: str, content: bytes = b"") -> Path:
    path = directory / "package.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return path


def test_a_complete_wheel_has_no_problems(tmp_path: Path) -> None:
    assert list(dist.problems_of_wheel(wheel(tmp_path, *GOOD))) == []


def test_tests_and_missing_files_in_a_wheel_are_reported(tmp_path: Path) -> None:
    problems = list(dist.problems_of_wheel(wheel(tmp_path, "tests/test_a.py", "langchain_kimi/__init__.py")))
    assert len(problems) == 3
    assert "tests/test_a.py" in problems[0]


def test_a_large_wheel_is_reported(tmp_path: Path) -> None:
    [problem] = dist.problems_of_wheel(wheel(tmp_path, *GOOD, content=bytes(dist.MAX_WHEEL)))
    assert "bytes, more than" in problem


def test_missing_files_in_an_archive_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "package.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("package-1/Makefile"), io.BytesIO())
    problems = list(dist.problems_of_archive(path))
    assert "The source archive has no tests/conftest.py." in problems
    assert not any("Makefile" in problem for problem in problems)


def test_the_extras_are_those_of_the_project() -> None:
    assert {"validation", "middleware"} <= set(dist.extras())
    assert set(dist.USES) <= set(dist.extras())
