"""Extract an order from each of 200 short texts: several at once, with failures recorded, resumable.

    python examples/extract.py [orders.jsonl] [--retry-failed]

Each answered text adds a line to the file: the order or the error, the tokens and the cost of all its calls. After an
interruption, the same command continues with the remaining texts.

With OPENROUTER_API_KEY in the environment this calls OpenRouter and costs a few cents. Without the key it calls the
package's emulator of OpenRouter on this machine, which returns some bad answers on purpose.
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

from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel, Field

from langchain_kimi import ChatKimi
from langchain_kimi.callbacks import KimiCostCallback

AT_ONCE = 8
NAMES, CITIES, THINGS = (
    ("Ada", "Bo", "Cai", "Dag", "Eve"),
    ("Oslo", "Rome", "Lima", "Kyiv"),
    ("lamps", "chairs", "mugs"),
)


class Order(BaseModel):
    """An order in the words of a customer."""

    customer: str = Field(description="The name of the customer")
    city: str = Field(description="The city of delivery")
    thing: str = Field(description="The ordered goods")
    quantity: int = Field(description="The number of goods", ge=1)


def texts() -> dict[str, str]:
    """Return the texts by id."""
    return {
        f"order-{n:03}": f'"{NAMES[n % 5]}" here. Please send {n + 2} "{THINGS[n % 3]}" to {CITIES[n % 4]}. No. {n:03}!'
        for n in range(200)
    }


def saved_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of the file. An incomplete last line, left by an interruption, is removed from the file."""
    text = path.read_bytes() if path.exists() else b""
    complete = text[: text.rfind(b"\n") + 1]
    if complete != text:
        os.truncate(path, len(complete))
    return [json.loads(line) for line in complete.splitlines()]


def row_of(key: str, answer: Any, costs: KimiCostCallback) -> dict[str, Any]:
    """Return the row of a text: its order or error, and the tokens and costs of all its calls, failed ones included."""
    error = answer if isinstance(answer, BaseException) else answer["parsing_error"]
    order = None if error is not None else answer["parsed"]
    total = costs.total
    return {
        "id": key,
        "order": order.model_dump() if order else None,
        "error": f"{type(error).__name__}: {error}" if error else None,
        "tokens": total.total_tokens,
        "cost": total.cost + total.upstream_cost,
        # Calls that did not report their cost, for example because they were cut off.
        "unknown_costs": total.unknown,
    }


async def extract(model: ChatKimi, todo: dict[str, str], rows: list[dict[str, Any]], file: TextIO) -> None:
    """Process the texts, several at once, and write each row when its answer arrives."""
    reader = model.with_structured_output(Order, include_raw=True, repair=1)
    keys = list(todo)
    costs = [KimiCostCallback() for _ in keys]
    configs = [RunnableConfig(callbacks=[own], max_concurrency=AT_ONCE) for own in costs]
    prompts = [f"Fill in the order.\n\n{text}" for text in todo.values()]
    async with model:
        async for position, answer in reader.abatch_as_completed(prompts, configs, return_exceptions=True):
            rows.append(row_of(keys[position], answer, costs[position]))
            file.write(json.dumps(rows[-1]) + "\n")
            file.flush()
            print(f"\r{progress(rows)}", end="", flush=True)
    print()


def failures(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Return the errors of the texts whose last row has one, by id."""
    return {key: error for key, error in {row["id"]: row["error"] for row in rows}.items() if error}


def progress(rows: list[dict[str, Any]]) -> str:
    """Return the number of processed texts, the number of failures, and the cost."""
    done, spent = len({row["id"] for row in rows}), sum(row["cost"] for row in rows)
    return f"{done} of {len(texts())} texts, {len(failures(rows))} of them failed, ${spent:.5f}"


@contextmanager
def kimi() -> Iterator[ChatKimi]:
    """Yield a model that calls OpenRouter, or the emulator if there is no key."""
    if os.environ.get("OPENROUTER_API_KEY"):
        print("Calling OpenRouter, with the key from OPENROUTER_API_KEY.")
        yield ChatKimi()
        return
    from langchain_kimi.testing import Emulator, Reply, ToolCall, faults  # noqa: PLC0415 - needed only without a key

    print("Calling the emulator, with some bad answers, because OPENROUTER_API_KEY is not set.")
    with Emulator() as openrouter:
        openrouter.script(*[Reply(text="I would rather not.")] * 12, *[faults.rate_limited(retry_after=0)] * 3)
        openrouter.script(*[Reply(tool_calls=[ToolCall("Order", {"customer": "Ada", "quantity": 0})])] * 6)
        yield ChatKimi(api_key="no-key-needed", base_url=openrouter.base_url)


def main() -> int:
    """Process the remaining texts and return the exit code."""
    parser = argparse.ArgumentParser(description="Extract an order from each of many texts.")
    parser.add_argument("file", nargs="?", type=Path, help="the file for the results (default: a new temporary file)")
    parser.add_argument("--retry-failed", action="store_true", help="process the texts that failed before again")
    options = parser.parse_args()
    path = options.file or Path(tempfile.mkdtemp()) / "orders.jsonl"
    with kimi() as model:
        rows = saved_rows(path)
        done = {row["id"] for row in rows} - (failures(rows).keys() if options.retry_failed else set())
        print(f"{len(done)} texts are already in {path}.")
        # When interrupted, LangChain drops the coroutines of the waiting texts, and Python would warn about each one.
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        try:
            with path.open("a", encoding="utf-8") as file:
                todo = {key: text for key, text in texts().items() if key not in done}
                asyncio.run(extract(model, todo, rows, file))
        except KeyboardInterrupt:
            print(f"\nInterrupted after {progress(rows)}. Run the command again to continue.")
            return 130
    for key, error in list(failures(rows).items())[:3]:
        print(f"  {key}: {error[:100]}...")
    return 0


if __name__ == "__main__":
    sys.exit(main())
