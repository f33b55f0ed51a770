"""Programs in processes of their own, which start as copies of one process: most of a program's time is its imports."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.structure.tree import ROOT

WITHOUT_LANGSMITH = ("-W", "ignore:'asyncio.iscoroutinefunction' is deprecated:DeprecationWarning")
"""The option that hides a warning about langsmith on Python 3.14."""
STRICT = ("-W", "error", *WITHOUT_LANGSMITH)
"""The options that make all other warnings errors."""
COPIES = """
import gc, importlib, json, os, sys, warnings

for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
assert "langchain_kimi" not in sys.modules
gc.freeze()
for line in sys.stdin:
    job = json.loads(line)
    if (child := os.fork()) == 0:
        break
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
for number, name in enumerate((os.devnull, job["out"], job["err"])):
    os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), number)
os.environ.clear()
os.environ.update(job["environment"])
os.chdir(job["cwd"])
sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
sys.argv[1:] = job["arguments"]
if job["strict"]:
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "'asyncio.iscoroutinefunction' is deprecated", DeprecationWarning)
    # At its end, an interpreter collects what it imported too. This takes ten times as long as most programs.
    gc.unfreeze()
program = compile(job["program"], "<program>", "exec")
# Its variables live until the interpreter ends, as those of a main module do, and are collected then.
variables = {"__name__": "__main__"}
exec(program, variables)
"""
IMPORTED = (
    "asyncio",
    "httpx",
    "langchain_core.callbacks",
    "langchain_core.language_models.chat_models",
    "langchain_core.output_parsers",
    "langchain_core.prompts",
    "langchain_core.runnables",
    "langchain_core.tools",
    "langchain_core.tracers",
    "langchain_core.utils.function_calling",
    "orjson",
    "pydantic",
)
"""The modules that the copied process imports: no module of this package, and none that a program may lack."""


class Running:
    """A program that runs."""

    def __init__(self, pid: int, wait: Callable[[], int]) -> None:
        self.pid, self._wait = pid, wait
        self.code: int | None = None
        """The exit code, negative after a signal. None: it is not known that the program has ended."""

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the program has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Wait for the end, and return the exit code."""
        if self.code is None:
            self.code = self._wait()
        return self.code


class Interpreter:
    """Runs programs as `python -c` does, each in a copy of one process, or in a new one where there is no fork."""

    def __init__(self, folder: Path, copied: "subprocess.Popen[str] | None") -> None:
        self._copied = copied
        self._out, self._err = folder / "out", folder / "err"

    @contextmanager
    def running(
        self,
        program: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        strict: bool = False,
    ) -> Iterator[Running]:
        """Start a program, and kill it at the end of the block if it still runs. Only one runs at a time."""
        environment = dict(os.environ if environment is None else environment)
        if not self._copied:
            with self._out.open("w") as out, self._err.open("w") as err:
                command = _command(program, *arguments, strict=strict)
                with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=err) as process:
                    yield Running(process.pid, process.wait)
            return
        self._out.write_text("")
        self._err.write_text("")
        job = {"program": program, "arguments": arguments, "environment": environment, "strict": strict}
        job |= {"cwd": str(ROOT), "out": str(self._out), "err": str(self._err)}
        assert self._copied.stdin
        self._copied.stdin.write(json.dumps(job) + "\n")
        self._copied.stdin.flush()
        copy = Running(self._number(), self._number)
        try:
            yield copy
        finally:
            if copy.code is None:
                copy.send(signal.SIGKILL)
                copy.wait()

    def _number(self) -> int:
        assert self._copied
        assert self._copied.stdout
        return int(self._copied.stdout.readline())

    def run(
        self,
        program: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        strict: bool = False,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program and return what it printed and its exit code.

        If `strict`, warnings are errors, and everything is collected at the end, as in an interpreter of its own.
        """
        with self.running(program, *arguments, environment=environment, strict=strict) as running:
            code = running.wait()
        return subprocess.CompletedProcess(_command(program, *arguments, strict=strict), code, *self.texts())

    def texts(self) -> tuple[str, str]:
        """Return the output and the error output of the last program."""
        return self._out.read_text(), self._err.read_text()

    def printed(self, program: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run a program that succeeds, and return what it printed."""
        ended = self.run(program, *arguments, environment=environment)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


def _command(program: str, *arguments: str, strict: bool) -> list[str]:
    return [sys.executable, *(STRICT if strict else ()), "-c", program, *arguments]


@contextmanager
def interpreter_in(folder: Path) -> Iterator[Interpreter]:
    """Yield an interpreter that writes its output into a folder."""
    if not hasattr(os, "fork"):
        yield Interpreter(folder, None)
        return
    command = [sys.executable, "-c", COPIES, json.dumps(IMPORTED)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as copied:
        yield Interpreter(folder, copied)
        assert copied.stdin
        copied.stdin.close()
