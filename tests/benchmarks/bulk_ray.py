"""Measure bulk runs with two workers of Ray Data: `python -m tests.benchmarks.bulk_ray [--quick] [--json FILE]`."""

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
from tests.benchmarks.bulk import QUICK, Line, counts, report, server
from tests.benchmarks.bulk_jobs import CONCURRENCY, CROWD, PRICES, model_of
from tests.benchmarks.bulk_server import PRICE

WORKERS = 2
PER_MINUTE = 6_000


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


def lines(rows: int, directory: Path) -> Iterator[Line]:
    """Yield the lines of the table."""
    with server() as url:
        started = time.monotonic()
        summary = ask(rows, url, directory / "rates.jsonl", max_concurrency=CONCURRENCY)
        rate = rows / (time.monotonic() - started)
        figures = {"answered": summary.answered, "requests": counts(url)["requests"], "rows_per_second": rate}
        yield Line(
            f"Ray, {WORKERS} workers, {rows:,} rows",
            f"{summary.answered:,} answered, {figures['requests']:,} requests, {rate:,.0f} rows/s with the start of "
            "the workers",
            figures,
        )
    with server("third") as url:
        third = rows // 10
        summary = ask(third, url, directory / "third.jsonl", max_concurrency=CONCURRENCY)
        share = counts(url)["requests"] / (third * 1.5)
        yield Line(
            f"Ray, each third request is refused, {third:,} rows",
            f"{summary.answered:,} answered, {share:.3f} of the unavoidable minimum of requests",
            {"answered": summary.answered, "beside_least": share},
        )
    with server("0.05") as url:
        limit = rows * PRICE * 0.3
        summary = ask(rows, url, directory / "b.jsonl", max_concurrency=CROWD, max_cost=limit, prices=PRICES)
        charged = counts(url)["cost"]
        over = max(0.0, charged - limit)
        yield Line(
            f"Ray, max_cost ${limit:.4f}, 1,000 at once, {rows:,} rows",
            f"${charged:.6f} charged, overshoot ${over:.6f}, {summary.answered:,} answered",
            {"limit": limit, "charged": charged, "overshoot": over, "answered": summary.answered},
        )
    yield limited(directory)


def limited(directory: Path) -> Line:
    """Return the line of a limit of requests a minute."""
    with server() as url:
        summary = ask(PER_MINUTE // 20, url, directory / "minute.jsonl", requests_per_minute=PER_MINUTE)
        busiest = counts(url)["busiest"]
        most = 2 * PER_MINUTE // 60
        return Line(
            f"Ray, {PER_MINUTE:,} requests a minute for both workers",
            f"{summary.requests:,} requests, {busiest} in the busiest second; {most} are allowed, with the "
            "allowance of the first second",
            {"requests": summary.requests, "busiest": busiest, "most": most},
        )


def main() -> None:
    """Print the lines of the table."""
    parser = argparse.ArgumentParser(description="Measure bulk runs on Ray.")
    parser.add_argument("--scale", type=float, default=1.0, help="a factor of the number of rows")
    parser.add_argument("--quick", action="store_const", dest="scale", const=QUICK, help="the same as --scale 0.02")
    parser.add_argument("--json", type=Path, help="a file for the lines as JSON")
    options = parser.parse_args()
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, object_store_memory=80_000_000)
    with tempfile.TemporaryDirectory() as directory:
        report(lines(int(10_000 * options.scale), Path(directory)), options.json)


if __name__ == "__main__":
    main()
