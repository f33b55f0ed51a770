"""Runs through the batch API of the emulator, without real waits."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.host import OPENROUTER
from langchain_kimi._openrouter.http.calls import Clock
from langchain_kimi.bulk import BulkResult
from langchain_kimi.bulk.batch_run import BatchRun
from langchain_kimi.testing import Emulator
from tests.batch.driving import KEY

SETTINGS: dict[str, Any] = {"api_key": KEY, "max_retries": 0, "max_tokens": 50}


async def no_sleep(_seconds: float) -> None:
    await asyncio.sleep(0)


CLOCK = Clock(async_sleep=no_sleep)


async def results(runnable: Any, rows: Any, out: Path, **options: Any) -> list[BulkResult]:
    own: Any = {"lane": "batch", **options}
    run = BatchRun(runnable, out, own, CLOCK)
    return sorted([one async for one in run.results(rows)], key=lambda one: one.index)


def submissions(openrouter: Emulator) -> list[Any]:
    return [one.body for one in openrouter.requests if one.method == "POST" and one.path.endswith("/batches")]


def journal(out: Path) -> list[dict[str, Any]]:
    lines = out.with_name(f"{out.name}.batches.jsonl").read_bytes().splitlines()
    return [json.loads(line) for line in lines]


def small(openrouter: Emulator, rows: int = 2, **settings: Any) -> ChatKimi:
    host = replace(OPENROUTER, batch_rows=rows)
    return ChatKimi(base_url=openrouter.base_url, host=host, **{**SETTINGS, **settings})
