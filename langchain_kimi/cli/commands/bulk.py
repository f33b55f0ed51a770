"""Ask for every row of a file."""

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable

from langchain_kimi._constructor import DEFAULT_MODEL
from langchain_kimi.cli.codes import CHECK_FAILED, FAILED, INTERRUPTED, SUCCESS
from langchain_kimi.cli.facts import model_of, text_of
from langchain_kimi.cli.output import Output
from langchain_kimi.errors import KimiUsageError

_BRACES = "Write braces that name no column twice: {{ and }}."
HELP = "ask for every row of a file: durable, resumable, within a budget (this costs money)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("rows", type=Path, metavar="IN", help="the rows: a .jsonl, .csv or .parquet file")
    prompt = parser.add_mutually_exclusive_group(required=True)
    prompt.add_argument(
        "--prompt", metavar="TEMPLATE", help="the prompt, with columns in braces, such as 'Translate: {text}', or @FILE"
    )
    prompt.add_argument("--messages", metavar="COLUMN", help="the column with the messages or the text")
    parser.add_argument("--schema", type=Path, metavar="FILE", help="a JSON schema of the answers")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the results: a .jsonl, .parquet or .sqlite file; an existing one is continued",
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="the model's slug (default: %(default)s)")
    parser.add_argument(
        "--max-tokens", type=int, help="the maximum number of tokens of an answer; --max-cost reserves them"
    )
    parser.add_argument("--max-cost", type=float, help="the budget in US dollars (default: no limit)")
    parser.add_argument(
        "--concurrency", type=int, default=64, help="the maximum number of calls at a time (default: %(default)s)"
    )
    parser.add_argument(
        "--requests-per-minute", type=float, metavar="N", help="the maximum number of requests per minute"
    )
    parser.add_argument(
        "--tokens-per-minute", type=float, metavar="N", help="the maximum number of prompt tokens per minute"
    )
    parser.add_argument(
        "--lane",
        choices=("calls", "batch"),
        default="calls",
        help="`batch` uses the batch API: about half the price, within 24 hours (default: %(default)s)",
    )
    parser.add_argument("--key", metavar="COLUMN", help="the column that identifies a row (default: its request)")
    parser.add_argument("--retry-failed", action="store_true", help="send the failed rows of an earlier run again")


def run(options: argparse.Namespace, out: Output) -> int:
    """Print the sums. The exit code is 3 if rows have no answer, and 1 if the run stopped early."""
    from langchain_kimi import bulk  # noqa: PLC0415 - other commands do not need it

    if options.out.exists() and options.rows.exists() and options.out.samefile(options.rows):
        raise KimiUsageError("--out is the file of the rows.", advice="Choose another file.")
    stopped = ""
    try:
        summary = bulk.run(
            _runnable(options),
            Rows(options),
            out=options.out,
            key=options.key,
            max_cost=options.max_cost,
            max_concurrency=options.concurrency,
            requests_per_minute=options.requests_per_minute,
            tokens_per_minute=options.tokens_per_minute,
            lane=options.lane,
            retry_failed=options.retry_failed,
            progress=not options.json,
        )
    except bulk.BulkStoppedError as error:
        summary, stopped = error.summary, str(error)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Start the same command again to continue.\n")
        return INTERRUPTED
    out.json(summary.to_dict())
    out.line(str(summary))
    if stopped:
        sys.stderr.write(f"{' '.join(stopped.split())}\n")
        return FAILED
    return CHECK_FAILED if summary.failed else SUCCESS


def _runnable(options: argparse.Namespace) -> Runnable[Any, Any]:
    settings = {} if options.max_tokens is None else {"max_tokens": options.max_tokens}
    model = model_of(options, max_connections=max(options.concurrency, 1), **settings)
    answering = model if options.schema is None else model.with_structured_output(_schema(options.schema))
    return _prompt(options) | answering


def _prompt(options: argparse.Namespace) -> ChatPromptTemplate:
    if options.messages is not None:
        return ChatPromptTemplate([MessagesPlaceholder(options.messages)])
    template: str = options.prompt
    if template.startswith("@"):
        template = text_of(Path(template[1:]))
    try:
        prompt = ChatPromptTemplate.from_messages([("user", template)])
    except ValueError as error:
        raise KimiUsageError(f"The prompt is not a template: {error}.", advice=_BRACES) from error
    if "" in prompt.input_variables:
        raise KimiUsageError("The prompt has braces without the name of a column.", advice=_BRACES)
    return prompt


def _schema(path: Path) -> dict[str, Any]:
    text = text_of(path)
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise KimiUsageError(f"{path.name} is not JSON: {error}.") from error
    if not isinstance(schema, dict):
        raise KimiUsageError(f"{path.name} is not a JSON schema: it must be an object.")
    return {"title": path.stem, "description": "The answer.", **schema}


class Rows:
    """The rows of a file, whose number is counted once for the expected total and the time left.

    Raises:
        KimiUsageError: The file has no rows, or the first row lacks a column of the prompt.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        from langchain_kimi.bulk.sources import number_of_rows, rows_of_file  # noqa: PLC0415 - as above

        rows = rows_of_file(options.rows)
        first = next(rows, None)
        _check_columns(options, first)
        self._rows = (_with_messages(row, options.messages) for row in chain([first], rows))
        self._number = number_of_rows(options.rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def __length_hint__(self) -> int:
        return NotImplemented if self._number is None else self._number


def _check_columns(options: argparse.Namespace, first: Any) -> None:
    if first is None:
        raise KimiUsageError(f"{options.rows.name} has no rows.")
    if not isinstance(first, dict):
        raise KimiUsageError(
            f"The first row of {options.rows.name} is not an object.",
            advice='Each line must be a JSON object with the columns as keys, such as {"text": "Hello."}.',
        )
    columns = list(first)
    missing = [name for name in _prompt(options).input_variables if name not in columns]
    if options.key is not None and options.key not in columns:
        missing.append(options.key)
    if missing:
        raise KimiUsageError(
            f"{options.rows.name} has no column {', '.join(missing)}.",
            advice=f"The columns of its first row are {', '.join(map(str, columns))}.",
        )


def _with_messages(row: Any, column: str | None) -> Any:
    """Return a row whose messages are a list, also if they are JSON, as in CSV files, or a text."""
    if column is None or not isinstance(row, dict) or not isinstance(text := row.get(column), str):
        return row
    try:
        messages = json.loads(text)
    except (ValueError, RecursionError):
        messages = text
    return {**row, column: messages if isinstance(messages, list) else [("user", text)]}
