"""Parse the arguments, run a command, and turn its errors into one line and an exit code."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from langchain_kimi._openrouter.host import OPENROUTER
from langchain_kimi.cli import commands
from langchain_kimi.cli.codes import FAILED, INTERRUPTED, OFFLINE, WRONG
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
    except KimiUsageError as error:
        return _report(error, WRONG)
    except (KimiConnectionError, KimiTimeoutError) as error:
        return _report(error, OFFLINE)
    except (KimiError, ImportError, OSError, ValueError) as error:
        return _report(error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _report(error: Exception, code: int) -> int:
    sys.stderr.write(f"{' '.join(str(error).split())}\n")
    # The text of wrong arguments names the argument.
    if isinstance(error, KimiError) and code != WRONG:
        sys.stderr.write(f"Cause and remedy: {error.help}\n")
    return code


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
