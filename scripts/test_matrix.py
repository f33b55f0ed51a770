"""Run the tests on the oldest, the locked and the newest langchain-core, with each Python from 3.11 on there is.

    python scripts/test_matrix.py [--python 3.12] [--core oldest] [--jobs 2] [-- arguments for pytest]

Every pair has an environment of its own, `.venv-<python>-<core>`, which is kept for the next run, and a log of its own,
`build/matrix/<python>-<core>.log`, with the reason for each skip. Needs the standard library only, uses uv where it is
installed, and ends with one line for each pair.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOGS = ROOT / "build" / "matrix"
# A process for each processor; the reasons of skips and expected failures stand in the log.
PYTEST = ("-m", "pytest", "-q", "-n", "auto", "--maxprocesses", "8", "--dist", "worksteal", "-rsx", "-m", "not long")
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
    def log(self) -> Path:
        """Where what it printed is kept."""
        return LOGS / f"{self.python}-{self.core}.log"

    @property
    def interpreter(self) -> str:
        """Its own Python."""
        return str(self.folder / "bin" / "python")

    def make(self, base: str) -> None:
        """Make it, empty but for pip, with the interpreter `base`; one that is there already stays."""
        if not Path(self.interpreter).exists():
            self.run([base, "-m", "venv", str(self.folder)])
            # The pip that comes with a Python may be too old to read dependency groups.
            if not self.uv:
                self.run([self.interpreter, "-m", "pip", "install", "--quiet", "--upgrade", "pip"])

    def install(self, *arguments: str) -> None:
        """Install with uv or pip, which take the same arguments here."""
        pip = [self.uv, "pip", "install", "--python", self.interpreter] if self.uv else self._pip("install")
        self.run([*pip, "--quiet", *arguments])

    def check(self) -> None:
        """Say which packages do not suit each other. That is news, not a failure: the tests decide."""
        check = [self.uv, "pip", "check", "--python", self.interpreter] if self.uv else self._pip("check")
        self.run(check, may_fail=True)

    def run(self, command: Sequence[str], *, may_fail: bool = False) -> bool:
        """Run a command in the project's folder, into the log; whether it was content.

        Raises:
            CalledProcessError: It failed, and may not.
        """
        with self.log.open("a", encoding="utf-8") as log:
            done = subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=not may_fail)
        return done.returncode == 0

    def _pip(self, command: str) -> list[str]:
        return [self.interpreter, "-m", "pip", "--disable-pip-version-check", command]


def find_python(version: str) -> str | None:
    """The interpreter of a version on the path, None if there is none that runs.

    A launcher on the path may know of no such version: each is asked, not only looked up.
    """
    question = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
    for name in (f"python{version}", "python3", sys.executable):
        if interpreter := shutil.which(name):
            answer = subprocess.run([interpreter, "-c", question], capture_output=True, text=True, check=False)
            if answer.returncode == 0 and answer.stdout.strip() == version:
                return interpreter
    return None


def oldest_core() -> str:
    """The oldest langchain-core that `pyproject.toml` allows."""
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return next(match[1] for line in dependencies if (match := re.match(r"langchain-core>=([\d.]+)", line)))


def install_core(environment: Environment) -> None:
    """Install the project, its test dependencies and the langchain-core that was chosen."""
    if environment.core == "oldest":
        # Not from the lock: its langchain asks for a newer core, and one that does not must be found. The checkers of
        # types belong to it, since they are shown a user's code.
        environment.install("--group", "dev", "-e", ".", f"langchain-core=={oldest_core()}")
        return
    environment.install("--no-deps", "-r", "requirements-dev.txt")
    environment.install("--no-deps", "--no-build-isolation", "-e", ".")
    if environment.core == "newest":
        # Without its dependencies: it may ask for one that the index does not have yet.
        environment.install("--no-deps", "--upgrade", "langchain-core")
        environment.check()


def test(environment: Environment, base: str, arguments: Sequence[str]) -> str:
    """Make the environment and run the tests; the outcome in a few words, with the count of the tests."""
    version = "import importlib.metadata as m; print(m.version('langchain-core'))"
    environment.log.write_text("", encoding="utf-8")
    try:
        environment.make(base)
        install_core(environment)
        core = subprocess.run([environment.interpreter, "-c", version], capture_output=True, text=True, check=True)
    except subprocess.CalledProcessError as error:
        return f"FAILED to install ({error.returncode}), see {environment.log.relative_to(ROOT)}"
    passed = environment.run([environment.interpreter, *PYTEST, *arguments], may_fail=True)
    count = environment.log.read_text(encoding="utf-8").rstrip().rpartition("\n")[2].strip("= ")
    return f"{'passed' if passed else 'FAILED'} with langchain-core {core.stdout.strip()}: {count}"


def pairs(pythons: Sequence[str], cores: Sequence[str]) -> Iterator[tuple[Environment, str | None]]:
    """Each pair's environment, with the interpreter to make it with; None if there is no such Python."""
    uv = shutil.which("uv")
    for python in pythons:
        base = find_python(python)
        for core in cores:
            yield Environment(python, core, uv), base


def outcome(pair: tuple[Environment, str | None], arguments: Sequence[str]) -> str:
    """What came of one pair, in one line that is printed as soon as it is known."""
    environment, base = pair
    test_result = test(environment, base, arguments) if base else "skipped: no such Python, or without its venv module"
    line = f"Python {environment.python}, {environment.core} core: {test_result}"
    print(line, flush=True)
    return line


def main() -> int:
    """Run what was asked for; 1 when anything failed, or when nothing ran."""
    parser = argparse.ArgumentParser(description="Run the tests on several Pythons and versions of langchain-core.")
    parser.add_argument("--python", action="append", choices=PYTHONS, help="this one only; may be given again")
    parser.add_argument("--core", action="append", choices=CORES, help="this one only; may be given again")
    parser.add_argument("--jobs", type=int, default=1, help="how many pairs to run side by side (default: 1)")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, after --")
    chosen = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    wanted = pairs(chosen.python or PYTHONS, chosen.core or CORES)
    with ThreadPoolExecutor(chosen.jobs) as workers:
        lines = list(workers.map(partial(outcome, arguments=chosen.pytest), wanted))
    print("\n" + "\n".join(lines))
    return int(any("FAILED" in line for line in lines) or not any(": passed" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main())
