"""Record the cassettes anew: from OpenRouter when OPENROUTER_API_KEY is set (this costs money), else the emulator.

Each cassette says where it was recorded. The recorded tests are those of `tests/standard/test_cassettes.py`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CASSETTES = ROOT / "cassettes" / "standard"
TESTS = ("tests/standard/test_cassettes.py",)


def main() -> int:
    """Record, then replay what was recorded; gives the exit code of the worse of the two."""
    environment = dict(os.environ)
    key = environment.pop("OPENROUTER_API_KEY", "")
    recording = {**environment, "KIMI_RECORD": "live" if key else "emulator", **({"KIMI_LIVE_KEY": key} if key else {})}
    print(f"Recording from {'OpenRouter' if key else 'the emulator'} into {CASSETTES.relative_to(ROOT)}.")
    shutil.rmtree(CASSETTES, ignore_errors=True)
    pytest = [sys.executable, "-m", "pytest", "-q", "--benchmark-disable", *TESTS]
    # What is recorded is not timed, which pytest-benchmark would warn of.
    quiet = ["-W", "ignore::pytest_benchmark.logger.PytestBenchmarkWarning"]
    recorded = subprocess.run([*pytest, *quiet, "--force-enable-socket"], cwd=ROOT, env=recording, check=False)
    replayed = subprocess.run(pytest, cwd=ROOT, env=environment, check=False)
    return max(recorded.returncode, replayed.returncode)


if __name__ == "__main__":
    sys.exit(main())
