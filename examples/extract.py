"""Kimi reads a few hundred short texts and fills in a form for each: many at once, failures kept, resumable.

    python examples/extract.py [orders.jsonl] [--retry-failed]

Each text becomes one line of the file as soon as it is answered, with its order or its error, its tokens and its cost.
Run it again after an interruption, and it goes on with the texts that have no line yet.

With OPENROUTER_API_KEY in the environment this speaks to OpenRouter and costs a few cents. Without it, it speaks to
the package's own emulator of OpenRouter on this machine, which spoils some answers on purpose.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from pydantic import BaseModel, Field

from langchain_kimi import ChatKimi

AT_ONCE = 8
NAMES, CITIES, THINGS = (
    ("Ada", "Bo", "Cai", "Dag", "Eve"),
    ("Oslo", "Rome", "Lima", "Kyiv"),
    ("lamps", "chairs", "mugs"),
)


class Order(BaseModel):
    """An order as a customer wrote it."""

    customer: str = Field(description="Who orders")
    city: str = Field(description="Where it is sent to")
    thing: str = Field(description="What is ordered")
    quantity: int = Field(description="How many", ge=1)


def texts() -> dict[str, str]:
    """Make the texts, by the ids under which their results are kept."""
    return {
        f"order-{n:03}": f'"{NAMES[n % 5]}" here. Please send {n + 2} "{THINGS[n % 3]}" to {CITIES[n % 4]}. No. {n:03}!'
        for n in range(200)
    }


def kept(path: Path) -> list[dict[str, Any]]:
    """Read the lines so far; one at the end that an interruption cut off counts as none, and is cut away."""
    text = path.read_bytes() if path.exists() else b""
    whole = text[: text.rfind(b"\n") + 1]
    if whole != text:
        os.truncate(path, len(whole))
    return [json.loads(line) for line in whole.splitlines()]


def result_of(key: str, answer: Any) -> dict[str, Any]:
    """Make the line of a text: an order, or the error in its place; what was paid is kept either way."""
    if isinstance(answer, BaseException):
        return {"id": key, "order": None, "error": f"{type(answer).__name__}: {answer}", "tokens": 0, "cost": 0.0}
    error, raw = answer["parsing_error"], answer["raw"]
    return {
        "id": key,
        "order": answer["parsed"].model_dump() if answer["parsed"] else None,
        "error": f"{type(error).__name__}: {error}" if error else None,
        "tokens": raw.usage_metadata["total_tokens"] if raw.usage_metadata else 0,
        "cost": raw.response_metadata.get("cost") or 0.0,
    }


async def extract(model: ChatKimi, todo: dict[str, str], rows: list[dict[str, Any]], file: TextIO) -> None:
    """Read the texts, a few at once, and write each result down when it comes."""
    reader = model.with_structured_output(Order, include_raw=True, repair=1)
    keys = list(todo)
    answers = reader.abatch_as_completed(
        [f"Fill in the order.\n\n{text}" for text in todo.values()],
        {"max_concurrency": AT_ONCE},
        return_exceptions=True,
    )
    async with model:
        async for position, answer in answers:
            rows.append(result_of(keys[position], answer))
            file.write(json.dumps(rows[-1]) + "\n")
            file.flush()
            print(f"\r{progress(rows)}", end="", flush=True)
    print()


def failures(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Give the error of each text whose last line is one."""
    return {key: error for key, error in {row["id"]: row["error"] for row in rows}.items() if error}


def progress(rows: list[dict[str, Any]]) -> str:
    """Say how far it is: texts, failures and money."""
    done, spent = len({row["id"] for row in rows}), sum(row["cost"] for row in rows)
    return f"{done} of {len(texts())} texts, {len(failures(rows))} of them failed, ${spent:.5f}"


@contextmanager
def kimi() -> Iterator[ChatKimi]:
    """Give a model that speaks to OpenRouter, or to the emulator when there is no key; says which."""
    if os.environ.get("OPENROUTER_API_KEY"):
        print("Speaking to OpenRouter, with the key from OPENROUTER_API_KEY.")
        yield ChatKimi()
        return
    from langchain_kimi.testing import Emulator, Reply, ToolCall, faults  # noqa: PLC0415 - only those without a key

    print("Speaking to the emulator, which spoils some answers on purpose: OPENROUTER_API_KEY is not set.")
    with Emulator() as openrouter:
        openrouter.script(*[Reply(text="I would rather not.")] * 12, *[faults.rate_limited(retry_after=0)] * 3)
        openrouter.script(*[Reply(tool_calls=[ToolCall("Order", {"customer": "Ada", "quantity": 0})])] * 6)
        yield ChatKimi(api_key="no-key-needed", base_url=openrouter.base_url)


def main() -> int:
    """Read what has not been read yet; gives the exit code."""
    parser = argparse.ArgumentParser(description="Fill in a form for each of many texts.")
    parser.add_argument("file", nargs="?", type=Path, help="where the results go (default: a new temporary file)")
    parser.add_argument("--retry-failed", action="store_true", help="read again what failed before")
    options = parser.parse_args()
    path = options.file or Path(tempfile.mkdtemp()) / "orders.jsonl"
    with kimi() as model:
        rows = kept(path)
        done = {row["id"] for row in rows} - (failures(rows).keys() if options.retry_failed else set())
        print(f"{len(done)} texts are in {path} already.")
        # Interrupted, LangChain drops the texts that it has not begun with, of which Python would tell one by one.
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        try:
            with path.open("a", encoding="utf-8") as file:
                todo = {key: text for key, text in texts().items() if key not in done}
                asyncio.run(extract(model, todo, rows, file))
        except KeyboardInterrupt:
            print(f"\nInterrupted after {progress(rows)}. Run it again to go on.")
            return 130
    for key, error in list(failures(rows).items())[:3]:
        print(f"  {key}: {error[:100]}...")
    return 0


if __name__ == "__main__":
    sys.exit(main())
