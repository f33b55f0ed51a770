import os
import signal
import sys
from pathlib import Path

import pytest

from tests.interpreters import Interpreter


def test_a_program_prints_and_ends_as_in_its_own_interpreter(interpreter: Interpreter) -> None:
    program = "import sys; print(__name__, sys.argv[1:]); print('bad', file=sys.stderr); sys.exit(3)"
    ended = interpreter.run(program, "a", "b")
    assert (ended.stdout, ended.stderr, ended.returncode) == ("__main__ ['a', 'b']\n", "bad\n", 3)


def test_programs_leave_nothing_to_the_next_one(interpreter: Interpreter) -> None:
    assert (
        interpreter.printed("import langchain_kimi, os, sys; os.environ['A'] = 'b'; sys.modules['json5'] = None") == ""
    )
    assert interpreter.printed("import os, sys; print('langchain_kimi' in sys.modules, 'A' in os.environ)") == (
        "False False\n"
    )
    assert interpreter.printed("import json5; print('imported')") == "imported\n"


def test_an_exception_is_reported_and_atexit_runs(interpreter: Interpreter) -> None:
    ended = interpreter.run("import atexit; atexit.register(print, 'the end'); raise ValueError('wrong')")
    assert (ended.stdout, ended.returncode) == ("the end\n", 1)
    assert ended.stderr.endswith("ValueError: wrong\n")


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1)])
def test_warnings_are_errors_on_request(interpreter: Interpreter, code: int, *, strict: bool) -> None:
    assert interpreter.run("import warnings; warnings.warn('old')", strict=strict).returncode == code


def test_the_environment_is_that_of_the_program(interpreter: Interpreter, tmp_path: Path) -> None:
    (tmp_path / "only_there.py").write_text("print('imported')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "HOME": "/nowhere"}
    printed = interpreter.printed("import os, only_there; print(os.environ['HOME'])", environment=environment)
    assert printed == "imported\n/nowhere\n"
    assert interpreter.printed("import sys; print(sys.executable)") == f"{sys.executable}\n"


def test_a_running_program_gets_a_signal(interpreter: Interpreter) -> None:
    with interpreter.running("import time; time.sleep(1000)") as running:
        running.send(signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL
        running.send(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL


def test_a_program_that_still_runs_is_killed(interpreter: Interpreter) -> None:
    with interpreter.running("import time; time.sleep(1000)") as running:
        assert running.code is None
    assert running.wait() == -signal.SIGKILL
    assert interpreter.printed("print('the next one')") == "the next one\n"
