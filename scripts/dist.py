"""Build the wheel and the source archive, and check them in the form that users get: `make dist`.

The wheel is installed into an empty environment, once without extras and once with each of them, and imported there.
The packages come from the package index. uv is used if it is installed. The list of the locked dependencies (CycloneDX)
is written to `build/sbom.cdx.json`.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
SBOM = ROOT / "build" / "sbom.cdx.json"
MAX_WHEEL = 1_000_000
"""The most bytes of the wheel."""
MAX_SECONDS = 5.0
"""The most seconds of processor time for an import, which is several times what it takes."""
# The module that needs each extra, where one does.
USES = {"middleware": "langchain_kimi.middleware"}
_IMPORT = "import time; import {module}; print(round(time.process_time(), 2))"


def run(*command: str | Path) -> str:
    """Run a command and return its output.

    Raises:
        CalledProcessError: The command failed. Its output was printed.
    """
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr)
    done.check_returncode()
    return done.stdout.strip()


def build() -> tuple[Path, Path]:
    """Build both files and return the wheel and the source archive."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", DIST)
    [wheel], [archive] = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, archive)
    return wheel, archive


def problems_of_wheel(wheel: Path) -> Iterator[str]:
    """Yield the problems of the contents of the wheel."""
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
    strangers = [name for name in names if not name.startswith(("langchain_kimi/", "langchain_kimi_openrouter-"))]
    tests = [name for name in names if "/test_" in name or name.startswith("tests/") or "__pycache__" in name]
    if strangers or tests:
        yield f"The wheel contains {', '.join(strangers + tests)}."
    yield from (f"The wheel has no {name}." for name in ("langchain_kimi/py.typed",) if name not in names)
    if not any(name.endswith("licenses/LICENSE") for name in names):
        yield "The wheel has no license."
    if wheel.stat().st_size > MAX_WHEEL:
        yield f"The wheel has {wheel.stat().st_size:,} bytes, more than {MAX_WHEEL:,}."


def problems_of_archive(archive: Path) -> Iterator[str]:
    """Yield the files that are missing in the source archive, which can be tested after it was unpacked."""
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    wanted = ("Makefile", "tests/conftest.py", "docs/index.md", "mkdocs.yml", "LICENSE", "requirements-dev.txt")
    yield from (f"The source archive has no {name}." for name in wanted if name not in names)


def extras() -> list[str]:
    """Return the names of the extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["optional-dependencies"])


def import_time(wheel: Path, extra: str) -> float:
    """Install the wheel into an empty environment, and return the processor seconds of an import there.

    Args:
        wheel: The wheel.
        extra: The extra, or an empty string.
    """
    requirement = f"{wheel}[{extra}]" if extra else str(wheel)
    with tempfile.TemporaryDirectory() as directory:
        environment = Path(directory) / "venv"
        uv = shutil.which("uv")
        run(sys.executable, "-m", "venv", *(["--without-pip"] if uv else []), environment)
        interpreter = environment / "bin" / "python"
        pip: list[str | Path] = [uv, "pip"] if uv else [interpreter, "-m", "pip"]
        target: list[str | Path] = ["--python", interpreter] if uv else []
        run(*pip, "install", *target, "--quiet", requirement)
        run(*pip, "check", *target)
        run(environment / "bin" / "langchain-kimi", "--help")
        # The last import is measured: by then everything is compiled.
        modules = ("langchain_kimi.testing", USES.get(extra, "langchain_kimi.bulk"), "langchain_kimi")
        return [float(run(interpreter, "-I", "-c", _IMPORT.format(module=module))) for module in modules][-1]


def main() -> int:
    """Build and check everything and return the exit code."""
    wheel, archive = build()
    problems = [*problems_of_wheel(wheel), *problems_of_archive(archive)]
    for path in (wheel, archive):
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    for extra in ["", *extras()]:
        seconds = import_time(wheel, extra)
        print(f"{extra or 'without extras'}: installed, imported in {seconds} s of processor time")
        if seconds > MAX_SECONDS:
            problems.append(f"The import takes {seconds} s with {extra or 'no extras'}.")
    SBOM.parent.mkdir(exist_ok=True)
    run(Path(sys.executable).parent / "cyclonedx-py", "requirements", "requirements.txt", "-o", SBOM)
    print(f"{SBOM.relative_to(ROOT)}: {SBOM.stat().st_size:,} bytes")
    for problem in problems:
        print(problem)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
