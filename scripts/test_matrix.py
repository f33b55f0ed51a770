"""Run the tests with the oldest, the locked and the newest langchain-core, on each installed Python from 3.11 on.

    python scripts/test_matrix.py [--python 3.12] [--core oldest] [--jobs 2] [-- arguments for pytest]

Each pair has its own environment, `.venv-<python>-<core>`, which later runs use again, and its own log,
`build/matrix/<python>-<core>.log`, with the reason for each skip. The script needs only the standard library, uses uv
if it is installed, and prints one line for each pair at the end.
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
# One process per processor. `-rsx` writes the reasons for skips and expected failures to the log.
PYTEST = ("-m", "pytest", "-q", "-n", "auto", "--maxprocesses", "8", "--dist", "worksteal", "-rsx", "-m", "not long")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
CORES = ("oldest", "locked", "newest")


@dataclass(frozen=True)
class Environment:
    """A virtual environment: the Python, the choice of langchain-core, and the path of uv, or None for pip."""

    python: str
    core: str
    uv: str | None

    @property
    def folder(self) -> Path:
        """The directory of the environment."""
        return ROOT / f".venv-{self.python}-{self.core}"

    @property
    def log(self) -> Path:
        """The file with the output of all commands."""
        return LOGS / f"{self.python}-{self.core}.log"

    @property
    def interpreter(self) -> str:
        """The path of its Python."""
        return str(self.folder / "bin" / "python")

    def make(self, base: str) -> None:
        """Create the environment with the interpreter `base` if it does not exist; it contains only pip."""
        if not Path(self.interpreter).exists():
            self.run([base, "-m", "venv", str(self.folder)])
            # The pip that a Python includes may be too old for dependency groups.
            if not self.uv:
                self.run([self.interpreter, "-m", "pip", "install", "--quiet", "--upgrade", "pip"])

    def install(self, *arguments: str) -> None:
        """Install packages with uv or pip, which accept the same arguments."""
        pip = [self.uv, "pip", "install", "--python", self.interpreter] if self.uv else self._pip("install")
        self.run([*pip, "--quiet", *arguments])

    def check(self) -> None:
        """Log incompatible packages. They are not a failure: the tests decide."""
        check = [self.uv, "pip", "check", "--python", self.interpreter] if self.uv else self._pip("check")
        self.run(check, may_fail=True)

    def run(self, command: Sequence[str], *, may_fail: bool = False) -> bool:
        """Run a command in the project's directory, log its output, and return whether it succeeded.

        Raises:
            CalledProcessError: The command failed and `may_fail` is False.
        """
        with self.log.open("a", encoding="utf-8") as log:
            done = subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=not may_fail)
        return done.returncode == 0

    def _pip(self, command: str) -> list[str]:
        return [self.interpreter, "-m", "pip", "--disable-pip-version-check", command]


def find_python(version: str) -> str | None:
    """Return the path of an interpreter of a version, or None.

    A name on the path may be a launcher without that version, so each candidate is run.
    """
    program = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
    for name in (f"python{version}", "python3", sys.executable):
        if interpreter := shutil.which(name):
            answer = subprocess.run([interpreter, "-c", program], capture_output=True, text=True, check=False)
            if answer.returncode == 0 and answer.stdout.strip() == version:
                return interpreter
    return None


def oldest_core() -> str:
    """Return the version of the oldest langchain-core that `pyproject.toml` allows."""
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return next(match[1] for line in dependencies if (match := re.match(r"langchain-core>=([\d.]+)", line)))


def install_core(environment: Environment) -> None:
    """Install the project, its test dependencies and the chosen langchain-core."""
    if environment.core == "oldest":
        # Not from the lock, whose langchain requires a newer core: the resolver finds one that does not. The type
        # checkers are included, because they check the code of users in the tests.
        environment.install("--group", "dev", "-e", ".", f"langchain-core=={oldest_core()}")
        return
    environment.install("--no-deps", "-r", "requirements-dev.txt")
    environment.install("--no-deps", "--no-build-isolation", "-e", ".")
    if environment.core == "newest":
        # Without dependencies, because it may require a version that the index does not have yet.
        environment.install("--no-deps", "--upgrade", "langchain-core")
        environment.check()


def test(environment: Environment, base: str, arguments: Sequence[str]) -> str:
    """Create the environment, run the tests, and return the result in a few words, with the number of tests."""
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
    """Yield the environment of each pair, and the interpreter that creates it, or None without such a Python."""
    uv = shutil.which("uv")
    for python in pythons:
        base = find_python(python)
        for core in cores:
            yield Environment(python, core, uv), base


def outcome(pair: tuple[Environment, str | None], arguments: Sequence[str]) -> str:
    """Run one pair, print its result in one line, and return the line."""
    environment, base = pair
    test_result = test(environment, base, arguments) if base else "skipped: this Python or its venv is missing"
    line = f"Python {environment.python}, {environment.core} core: {test_result}"
    print(line, flush=True)
    return line


def main() -> int:
    """Run the chosen pairs; return 1 if one failed or none ran."""
    parser = argparse.ArgumentParser(description="Run the tests on several versions of Python and langchain-core.")
    parser.add_argument("--python", action="append", choices=PYTHONS, help="only this version; repeatable")
    parser.add_argument("--core", action="append", choices=CORES, help="only this version; repeatable")
    parser.add_argument("--jobs", type=int, default=1, help="the number of pairs to run at the same time (default: 1)")
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
