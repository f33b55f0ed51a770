"""Programs in processes of their own, which start as copies of one process: most of a program's time is its imports."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
program = compile(job["program"], "<program>", "exec")
exec(program, {"__name__": "__main__"})
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
"""What the copied process imports: nothing of this package, nothing that a program may have to do without."""


class Interpreter:
    """Runs programs as `python -c` does, each in a copy of one process, or in a new one where there is no fork."""

    def __init__(self, folder: Path, copied: "subprocess.Popen[str] | None") -> None:
        self._folder, self._copied = folder, copied

    def run(
        self,
        program: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        strict: bool = False,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program and return what it printed and its exit code; warnings are errors if `strict`."""
        environment = dict(os.environ if environment is None else environment)
        command = [sys.executable, *(STRICT if strict else ()), "-c", program, *arguments]
        if not self._copied:
            return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert self._copied.stdin
        assert self._copied.stdout
        out, err = self._folder / "out", self._folder / "err"
        out.write_text("")
        err.write_text("")
        job = {"program": program, "arguments": arguments, "environment": environment, "strict": strict}
        job |= {"cwd": str(ROOT), "out": str(out), "err": str(err)}
        self._copied.stdin.write(json.dumps(job) + "\n")
        self._copied.stdin.flush()
        code = int(self._copied.stdout.readline())
        return subprocess.CompletedProcess(command, code, out.read_text(), err.read_text())

    def printed(self, program: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run a program that succeeds, and return what it printed."""
        ended = self.run(program, *arguments, environment=environment)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


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
