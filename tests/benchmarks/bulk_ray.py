"""Measure bulk runs with two workers of Ray Data: `python -m tests.benchmarks.bulk_ray [--scale 0.1]`."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ray

from langchain_kimi import ChatKimi, bulk
from tests.benchmarks.bulk import counts, server
from tests.benchmarks.bulk_jobs import CONCURRENCY, CROWD, PRICES, model_of
from tests.benchmarks.bulk_server import PRICE

WORKERS = 2


def ask(rows: int, url: str, out: Path, **options: Any) -> bulk.BulkSummary:
    """Ask for rows with two workers, and return the sums, also of a run that stopped."""

    def build() -> ChatKimi:
        return model_of(url)

    questions = ray.data.from_items([{"text": f"question {n}"} for n in range(rows)], override_num_blocks=8)
    shared = bulk.Shared(out, **options)
    try:
        with shared:
            questions.map_batches(
                bulk.AskBatches,
                fn_constructor_args=(build, shared.address(), "text"),
                batch_format="pyarrow",
                batch_size=CROWD,
                compute=ray.data.ActorPoolStrategy(size=WORKERS),
            ).materialize()
    except bulk.BulkStoppedError as error:
        sys.stderr.write(f"{error}\n")
    return shared.summary()


def lines(rows: int, directory: Path) -> Iterator[str]:
    """Yield the lines of the table."""
    with server() as url:
        started = time.monotonic()
        summary = ask(rows, url, directory / "rates.jsonl", max_concurrency=CONCURRENCY)
        seconds = time.monotonic() - started
        yield (
            f"| Ray, 2 workers, {rows:,} rows | {summary.answered:,} answered, {counts(url)['requests']:,} requests, "
            f"{rows / seconds:,.0f} rows/s with the start of the workers |"
        )
    with server("third") as url:
        summary = ask(rows // 10, url, directory / "third.jsonl", max_concurrency=CONCURRENCY)
        least = rows // 10 * 1.5
        yield (
            f"| Ray, each third request is refused, {rows // 10:,} rows | {summary.answered:,} answered, "
            f"{counts(url)['requests'] / least:.3f} of the unavoidable minimum of requests |"
        )
    with server("0.05") as url:
        limit = rows * PRICE * 0.3
        summary = ask(rows, url, directory / "b.jsonl", max_concurrency=CROWD, max_cost=limit, prices=PRICES)
        charged = counts(url)["cost"]
        yield (
            f"| Ray, max_cost ${limit:.4f}, 1,000 at once, {rows:,} rows | ${charged:.6f} charged, "
            f"overshoot ${max(0.0, charged - limit):.6f}, {summary.answered:,} answered |"
        )


def main() -> None:
    """Print the lines of the table."""
    parser = argparse.ArgumentParser(description="Measure bulk runs on Ray.")
    parser.add_argument("--scale", type=float, default=1.0, help="a factor of the number of rows")
    options = parser.parse_args()
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, object_store_memory=80_000_000)
    with tempfile.TemporaryDirectory() as directory:
        for line in lines(int(10_000 * options.scale), Path(directory)):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
