"""Extract an order from each of 200 short texts, several at a time; record failures, and continue after a stop.

    python examples/extract.py [orders.jsonl] [--retry-failed]

Each answered text adds a line to the file: the order or the error, the tokens and the cost of all its calls. After an
interruption, the same command continues with the remaining texts.

With OPENROUTER_API_KEY in the environment this calls OpenRouter and costs a few cents. Without the key it calls the
package's emulator of OpenRouter on this machine, which returns some bad answers on purpose.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel, Field

from langchain_kimi import ChatKimi, bulk

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


def texts() -> Iterator[dict[str, str]]:
    """Yield the texts with their ids."""
    for n in range(200):
        text = f'"{NAMES[n % 5]}" here. Please send {n + 2} "{THINGS[n % 3]}" to {CITIES[n % 4]}. No. {n:03}!'
        yield {"id": f"order-{n:03}", "text": text}


@contextmanager
def kimi() -> Iterator[ChatKimi]:
    """Yield a model that calls OpenRouter, or the emulator if there is no key."""
    if os.environ.get("OPENROUTER_API_KEY"):
        print("Calling OpenRouter, with the key from OPENROUTER_API_KEY.")
        yield ChatKimi(max_tokens=500)
        return
    from langchain_kimi.testing import Emulator, Reply, ToolCall, faults  # noqa: PLC0415 - needed only without a key

    print("Calling the emulator, with some bad answers, because OPENROUTER_API_KEY is not set.")
    with Emulator() as openrouter:
        openrouter.script(*[Reply(text="I would rather not.")] * 12, *[faults.rate_limited(retry_after=0)] * 3)
        openrouter.script(*[Reply(tool_calls=[ToolCall("Order", {"customer": "Ada", "quantity": 0})])] * 6)
        yield ChatKimi(api_key="no-key-needed", base_url=openrouter.base_url, max_tokens=500)


def main() -> int:
    """Process the remaining texts and return the exit code."""
    parser = argparse.ArgumentParser(description="Extract an order from each of many texts.")
    parser.add_argument("file", nargs="?", type=Path, help="the file for the results (default: a new temporary file)")
    parser.add_argument("--retry-failed", action="store_true", help="process the texts that failed before again")
    options = parser.parse_args()
    path = options.file or Path(tempfile.mkdtemp()) / "orders.jsonl"
    prompt = ChatPromptTemplate.from_template("Fill in the order.\n\n{text}")
    with kimi() as model:
        chain = prompt | model.with_structured_output(Order, repair=1)
        try:
            summary = bulk.run(chain, texts(), out=path, key="id", max_cost=1, retry_failed=options.retry_failed)
        except KeyboardInterrupt:
            print(f"Interrupted. Run the command again to continue with {path}.")
            return 130
    print(f"{summary}\nThe results are in {path}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
