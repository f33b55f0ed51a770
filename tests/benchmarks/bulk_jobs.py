"""The jobs of `tests.benchmarks.bulk`, each in a process of its own: `bulk_jobs JOB ROWS URL OUT`.

A job prints its measurements as a JSON object.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from langchain_kimi import ChatKimi, bulk
from tests.benchmarks.bulk_server import PRICE, Counts

CONCURRENCY = 64
CROWD = 1_000
PRICES = {"prompt": 0.0, "completion": 2.0}


def model_of(url: str, **settings: Any) -> ChatKimi:
    """Return a model whose answers have at most ten tokens."""
    return ChatKimi(api_key="k", base_url=url, host="openrouter", max_tokens=10, max_connections=CROWD, **settings)


def rows_of(number: int) -> Iterator[str]:
    """Yield different rows."""
    return (f"question {n}" for n in range(number))


def run_bulk(rows: int, url: str, out: Path) -> dict[str, Any]:
    """Run `bulk.run`."""
    bulk.run(model_of(url), rows_of(rows), out=out, max_concurrency=CONCURRENCY)
    return {}


def run_abatch(rows: int, url: str, out: Path) -> dict[str, Any]:
    """Run bare `abatch`."""
    asyncio.run(model_of(url).abatch(list(rows_of(rows)), {"max_concurrency": CONCURRENCY}))
    return {}


def run_httpx(rows: int, url: str, out: Path) -> dict[str, Any]:
    """Post the rows with httpx, and read the JSON of the replies."""

    async def post_all() -> None:
        limits = httpx.Limits(max_connections=CONCURRENCY)
        async with httpx.AsyncClient(limits=limits, headers={"authorization": "Bearer k"}) as client:
            slots = asyncio.Semaphore(CONCURRENCY)

            async def post(row: str) -> None:
                async with slots:
                    body = {"model": "m", "messages": [{"role": "user", "content": row}], "max_tokens": 10}
                    (await client.post(f"{url}/chat/completions", json=body)).json()

            await asyncio.gather(*map(post, rows_of(rows)))

    asyncio.run(post_all())
    return {}


def run_in_memory(rows: int, url: str, out: Path) -> dict[str, Any]:
    """Run `bulk.run` with a transport that answers in this process."""
    content = Counts().answer(refuses=False).partition(b"\r\n\r\n")[2]
    headers = {"content-type": "application/json"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content, headers=headers))
    model = model_of(url, http_async_client=httpx.AsyncClient(transport=transport))
    bulk.run(model, rows_of(rows), out=out, max_concurrency=CONCURRENCY)
    return {}


def run_refused(rows: int, url: str, out: Path) -> dict[str, Any]:
    """Run `bulk.run` at a host that refuses a third."""
    summary = bulk.run(model_of(url), rows_of(rows), out=out, max_concurrency=CONCURRENCY)
    return {"answered": summary.answered, "requests": summary.requests}


def run_budget(rows: int, url: str, out: Path) -> dict[str, Any]:
    """Run `bulk.run` with money for half of the rows, and 1,000 calls at once."""
    limit = rows * PRICE * 0.3
    try:
        summary = bulk.run(model_of(url), rows_of(rows), out=out, max_concurrency=CROWD, max_cost=limit, prices=PRICES)
    except bulk.BulkStoppedError as error:
        summary = error.summary
    return {"limit": limit, "cost": summary.cost, "answered": summary.answered}


JOBS: dict[str, Callable[[int, str, Path], dict[str, Any]]] = {
    "bulk": run_bulk,
    "abatch": run_abatch,
    "httpx": run_httpx,
    "memory": run_in_memory,
    "refused": run_refused,
    "budget": run_budget,
}


def main(job: str, rows: str, url: str, out: str) -> None:
    """Run a job, and print its measurements."""
    cpu, wall = time.process_time(), time.monotonic()
    outcome = JOBS[job](int(rows), url, Path(out))
    outcome |= {"cpu": time.process_time() - cpu, "seconds": time.monotonic() - wall}
    outcome["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps(outcome))


if __name__ == "__main__":
    main(*sys.argv[1:])
