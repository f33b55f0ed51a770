"""Record the cassettes again: from OpenRouter if OPENROUTER_API_KEY is set (this costs money), else from the emulator.

Each cassette names its source. The recorded tests are in `tests/standard/test_cassettes.py`.
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
    """Record the cassettes, replay them, and return the higher exit code of the two runs."""
    environment = dict(os.environ)
    key = environment.pop("OPENROUTER_API_KEY", "")
    recording = {**environment, "KIMI_RECORD": "live" if key else "emulator", **({"KIMI_LIVE_KEY": key} if key else {})}
    print(f"Recording from {'OpenRouter' if key else 'the emulator'} into {CASSETTES.relative_to(ROOT)}.")
    shutil.rmtree(CASSETTES, ignore_errors=True)
    pytest = [sys.executable, "-m", "pytest", "-q", "--benchmark-disable", *TESTS]
    # Benchmarks are disabled while recording, and pytest-benchmark would warn about that.
    quiet = ["-W", "ignore::pytest_benchmark.logger.PytestBenchmarkWarning"]
    recorded = subprocess.run([*pytest, *quiet, "--force-enable-socket"], cwd=ROOT, env=recording, check=False)
    replayed = subprocess.run(pytest, cwd=ROOT, env=environment, check=False)
    return max(recorded.returncode, replayed.returncode)


if __name__ == "__main__":
    sys.exit(main())
