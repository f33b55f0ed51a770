"""Extract orders with Ray Data: several workers with one budget, one limit of calls and one output.

    pip install '.[ray]'
    python -m examples.cluster.ray_data [orders.jsonl]

The output is on the disk after each answer. After an interruption, the death of a worker or the death of this process,
no text is paid twice: the same command continues. With OPENROUTER_API_KEY in the environment this calls OpenRouter. On
a cluster of several machines, pass `host=ray.util.get_node_ip_address()` to `bulk.Shared`, and the key to the workers
with `ray.init(runtime_env={"env_vars": ...})`.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import ray
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from examples.cluster.service import service
from langchain_kimi import ChatKimi, bulk

WORKERS = int(os.environ.get("WORKERS", "2"))


class Order(BaseModel):
    """An order in the words of a customer."""

    city: str
    quantity: int


def build() -> Runnable[Any, Any]:
    """Return the chain. Each worker calls this once, with the key of its own environment."""
    prompt = ChatPromptTemplate.from_template("Fill in the order.\n\n{text}")
    return prompt | ChatKimi(max_tokens=200).with_structured_output(Order)


def main(path: Path) -> None:
    """Process the texts."""
    ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, object_store_memory=80_000_000)
    texts = ray.data.from_items([{"text": f"Send {n} lamps to Oslo."} for n in range(200)], override_num_blocks=8)
    with bulk.Shared(path, max_cost=1, max_concurrency=16) as shared:
        orders = texts.map_batches(
            bulk.AskBatches,
            fn_constructor_args=(build, shared.address()),
            batch_format="pyarrow",
            batch_size=25,
            compute=ray.data.ActorPoolStrategy(size=WORKERS),
        )
        answered = sum(row["result"]["ok"] for row in orders.iter_rows())
    print(f"{shared.summary()}\n{answered} orders are in {path}.")


if __name__ == "__main__":
    output = Path(sys.argv[1]) if sys.argv[1:] else Path(tempfile.mkdtemp()) / "orders.jsonl"
    with service():
        main(output)
