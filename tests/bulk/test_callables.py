"""The callables for Ray Data and Daft."""

import asyncio
import json
from typing import Any

import pyarrow as pa
import pytest

from langchain_kimi import ChatKimi, KimiAuthenticationError
from langchain_kimi.bulk import AskBatches, AskRows, BulkStoppedError, ResultRow, Shared
from langchain_kimi.bulk.tables import COLUMNS
from langchain_kimi.testing import Emulator, Reply, faults


async def test_a_batch_gets_a_column_of_results(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(Reply(text="fine"), faults.provider_refused("bad schema"))
    with Shared(max_concurrency=1) as shared:
        asking = AskBatches(lambda: model, shared.address(), "text")
        [batch] = [one async for one in asking(pa.Table.from_pylist([{"text": "a", "n": 1}, {"text": "b", "n": 2}]))]
        await asking._worker.close()

    rows: list[dict[str, Any]] = batch.to_pylist()
    assert [(row["text"], row["n"], row["result"]["ok"]) for row in rows] == [("a", 1, True), ("b", 2, False)]
    assert json.loads(rows[0]["result"]["value"])["content"] == rows[0]["result"]["text"] == "fine"
    assert rows[1]["result"]["error_kind"] == "KimiInvalidRequestError"


async def test_an_error_of_a_batch_ends_its_other_rows(model: ChatKimi) -> None:
    before = asyncio.all_tasks()
    shared = Shared(max_concurrency=2)
    # A server of its own: a request that was sent before its row ended may arrive later.
    with Emulator() as openrouter:
        openrouter.script(faults.unauthorized())
        openrouter.script(faults.silence(), times=None)
        own = model.model_copy(update={"openrouter_api_base": openrouter.base_url})
        asking = AskBatches(lambda: own, shared.address(), "text")
        with pytest.raises(KimiAuthenticationError):
            await anext(asking(pa.Table.from_pylist([{"text": text} for text in "abcd"])))
    await asking._worker.close()
    with pytest.raises(BulkStoppedError):
        shared.close()
    while asyncio.all_tasks() != before:  # noqa: ASYNC110 - cancelled tasks need some steps to end
        await asyncio.sleep(0)


async def test_a_row_gets_its_result(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(Reply(text="fine"))
    with Shared() as shared:
        asking = AskRows(lambda: model, shared.address())
        row = await asking("a")
        await asking._worker.close()

    assert (row["ok"], row["text"], row["error"]) == (True, "fine", None)
    assert ResultRow.__annotations__.keys() == row.keys() == COLUMNS.keys()
