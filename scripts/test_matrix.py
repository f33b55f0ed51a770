"""Run the tests on the oldest, the locked and the newest langchain-core, with each Python from 3.11 on there is.

    python scripts/test_matrix.py [--python 3.12] [--core oldest] [-- arguments for pytest]

Every pair has an environment of its own, `.venv-<python>-<core>`, which is kept for the next run. Needs the standard
library only, uses uv where it is installed, and ends with one line for each pair.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
CORES = ("oldest", "locked", "newest")


@dataclass(frozen=True)
class Environment:
    """One virtual environment: a Python, a choice of langchain-core, and what installs into it."""

    python: str
    core: str
    uv: str | None

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return ROOT / f".venv-{self.python}-{self.core}"

    @property
    def interpreter(self) -> str:
        """Its own Python."""
        return str(self.folder / "bin" / "python")

    def make(self, base: str) -> None:
        """Make it, empty but for pip, with the interpreter `base`; one that is there already stays."""
        if not Path(self.interpreter).exists():
            run([base, "-m", "venv", str(self.folder)])
            # The pip that comes with a Python may be too old to read dependency groups.
            if not self.uv:
                run([self.interpreter, "-m", "pip", "install", "--quiet", "--upgrade", "pip"])

    def install(self, *arguments: str) -> None:
        """Install with uv or pip, which take the same arguments here."""
        pip = [self.uv, "pip", "install", "--python", self.interpreter] if self.uv else self._pip("install")
        run([*pip, "--quiet", *arguments])

    def check(self) -> None:
        """Say which packages do not suit each other. That is news, not a failure: the tests decide."""
        check = [self.uv, "pip", "check", "--python", self.interpreter] if self.uv else self._pip("check")
        subprocess.run(check, cwd=ROOT, check=False)

    def _pip(self, command: str) -> list[str]:
        return [self.interpreter, "-m", "pip", "--disable-pip-version-check", command]


def run(command: Sequence[str]) -> None:
    """Run a command in the project's folder; raises `CalledProcessError` when it fails."""
    subprocess.run(command, cwd=ROOT, check=True)


def find_python(version: str) -> str | None:
    """The interpreter of a version on the path, None if there is none that runs.

    A launcher on the path may know of no such version: each is asked, not only looked up.
    """
    question = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
    for name in (f"python{version}", "python3", sys.executable):
        if found := shutil.which(name):
            answer = subprocess.run([found, "-c", question], capture_output=True, text=True, check=False)
            if answer.returncode == 0 and answer.stdout.strip() == version:
                return found
    return None


def oldest_core() -> str:
    """The oldest langchain-core that `pyproject.toml` allows."""
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return next(found[1] for line in dependencies if (found := re.match(r"langchain-core>=([\d.]+)", line)))


def install_core(environment: Environment) -> None:
    """Install the project, its test dependencies and the langchain-core that was chosen."""
    if environment.core == "oldest":
        # Not from the lock: its langchain asks for a newer core, and one that does not must be found.
        environment.install("--group", "test", "--group", "build", "-e", ".", f"langchain-core=={oldest_core()}")
        return
    environment.install("--no-deps", "-r", "requirements-dev.txt")
    environment.install("--no-deps", "--no-build-isolation", "-e", ".")
    if environment.core == "newest":
        # Without its dependencies: it may ask for one that the index does not have yet.
        environment.install("--no-deps", "--upgrade", "langchain-core")
        environment.check()


def test(environment: Environment, arguments: Sequence[str]) -> str:
    """Install and run the tests; the outcome in a few words."""
    version = "import importlib.metadata as m; print(m.version('langchain-core'))"
    try:
        install_core(environment)
        core = subprocess.run([environment.interpreter, "-c", version], capture_output=True, text=True, check=True)
    except subprocess.CalledProcessError as error:
        return f"FAILED to install ({error.returncode})"
    tests = subprocess.run([environment.interpreter, "-m", "pytest", "-q", *arguments], cwd=ROOT, check=False)
    return f"{'passed' if tests.returncode == 0 else 'FAILED'} with langchain-core {core.stdout.strip()}"


def outcomes(pythons: Sequence[str], cores: Sequence[str], arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each pair's name and outcome, in turn."""
    uv = shutil.which("uv")
    for python in pythons:
        if (base := find_python(python)) is None:
            yield f"Python {python}", "skipped: not installed, or without its venv module"
            continue
        for core in cores:
            print(f"\n== Python {python}, {core} langchain-core", flush=True)
            environment = Environment(python, core, uv)
            environment.make(base)
            yield f"Python {python}, {core}", test(environment, arguments)


def main() -> int:
    """Run what was asked for; 1 when anything failed, or when nothing ran."""
    parser = argparse.ArgumentParser(description="Run the tests on several Pythons and versions of langchain-core.")
    parser.add_argument("--python", action="append", choices=PYTHONS, help="this one only; may be given again")
    parser.add_argument("--core", action="append", choices=CORES, help="this one only; may be given again")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, after --")
    chosen = parser.parse_args()
    results = list(outcomes(chosen.python or PYTHONS, chosen.core or CORES, chosen.pytest))
    print("\n" + "\n".join(f"{name}: {outcome}" for name, outcome in results))
    return int(any("FAILED" in outcome for _, outcome in results) or not any("passed" in found for _, found in results))


if __name__ == "__main__":
    sys.exit(main())
