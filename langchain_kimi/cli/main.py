"""Parse the arguments, run a command, and turn its errors into one line and an exit code."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from pydantic import ValidationError

from langchain_kimi._openrouter.host import OPENROUTER
from langchain_kimi.cli import commands
from langchain_kimi.cli.codes import FAILED, INTERRUPTED, NO_READER, OFFLINE, WRONG
from langchain_kimi.cli.output import Output
from langchain_kimi.errors import KimiConnectionError, KimiError, KimiTimeoutError, KimiUsageError

BASE_URL_VARIABLE = "OPENROUTER_API_BASE"
EPILOG = """exit codes:
  0  success
  1  the command failed; the reason is on stderr
  2  wrong arguments
  3  a check failed (doctor, verify), or rows have no answer (bulk)
  4  no network
  130  interrupted
  141  the program that reads stdout ended, such as head

The API key is read from OPENROUTER_API_KEY."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code (see `codes`).

    Args:
        arguments: The command and its options; None uses the arguments of the process.
    """
    reader = parser()
    options = reader.parse_args(arguments)
    if options.command is None:
        reader.print_help(sys.stderr)
        return WRONG
    out = Output(as_json=options.json)
    try:
        code: int = options.run(options, out)
        out.flush()
    except BrokenPipeError:
        return _without_reader()
    except (KimiError, ImportError, OSError, ValueError) as error:
        return _report(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _without_reader() -> int:
    """Return the code of a command whose output nobody reads.

    Python would write the rest of its buffer at its end, and report that this failed
    (https://docs.python.org/3/library/signal.html#note-on-sigpipe).
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return NO_READER


def _report(error: Exception) -> int:
    """Write the reason of a failure, and return its exit code."""
    sys.stderr.write(f"{' '.join(_reason(error).split())}\n")
    if isinstance(error, KimiUsageError | ValidationError):
        # The text of wrong arguments names the argument.
        return WRONG
    if isinstance(error, KimiError):
        sys.stderr.write(f"Cause and remedy: {error.help}\n")
    return OFFLINE if isinstance(error, KimiConnectionError | KimiTimeoutError) else FAILED


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        # Without the values, which may be secret.
        reasons = error.errors(include_url=False, include_input=False)
        return " ".join(
            " ".join([*(f"{name}:" for name in one["loc"][:1]), one["msg"].removeprefix("Value error, ")])
            for one in reasons
        )
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'The output'}: {error.strerror}."
    return str(error)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    root = argparse.ArgumentParser(
        prog="langchain-kimi",
        description="Kimi over OpenRouter: models, hosts, keys and costs.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    topics = root.add_subparsers(dest="command")
    common = _common()
    for name in sorted(module.name for module in iter_modules(commands.__path__)):
        command: Any = import_module(f"{commands.__name__}.{name}")
        added = topics.add_parser(name, help=command.HELP, description=command.HELP, parents=[common])
        command.arguments(added)
        added.set_defaults(run=command.run)
    return root


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON")
    common.add_argument(
        "--base-url",
        default=os.environ.get(BASE_URL_VARIABLE) or OPENROUTER.base_url,
        help="the URL of the API (default: %(default)s)",
    )
    return common
