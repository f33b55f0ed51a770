"""Classes for the workers of Ray Data and Daft: `AskBatches` and `AskRows`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypedDict, cast

from langchain_core.runnables import Runnable

from langchain_kimi.bulk.frames import Address
from langchain_kimi.bulk.results import BulkResult, line_of
from langchain_kimi.bulk.tables import arrow_schema, pyarrow, row_of
from langchain_kimi.bulk.worker import Worker


class ResultRow(TypedDict):
    """The result of a row, for the engines. `value` and `error` are JSON; `text` is the text of a message.

    The names are those of `BulkResult`, and `kind` is that of the value.
    """

    key: str
    index: int
    ok: bool
    kind: str | None
    value: str | None
    text: str | None
    error: str | None
    error_kind: str | None
    model: str | None
    provider: str | None
    input_tokens: int
    output_tokens: int
    cost: float
    unknown_costs: int
    seconds: float


class AskBatches:
    """Sends the rows of Ray Data's batches to the model.

    ```python
    dataset.map_batches(
        bulk.AskBatches, fn_constructor_args=(build, shared.address()), batch_format="pyarrow", concurrency=8
    )
    ```

    The new column `result` is a struct with the fields of `ResultRow`.

    Args:
        build: See `Worker`.
        address: See `Worker`.
        column: See `Worker`.
    """

    def __init__(self, build: Callable[[], Runnable[Any, Any]], address: Address, column: str | None = None) -> None:
        self._worker = Worker(build, address, column=column)

    async def __call__(self, batch: Any) -> AsyncIterator[Any]:
        """Yield a batch, a table of pyarrow, with the results.

        Raises:
            Exception: See `Worker.ask`.
        """
        tasks = [asyncio.create_task(self._worker.ask(row)) for row in batch.to_pylist()]
        try:
            results = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        arrow = pyarrow("pyarrow")
        yield batch.append_column("result", arrow.array(map(_row, results), arrow.struct(arrow_schema())))


class AskRows:
    """Sends Daft's rows to the model, many at a time.

    ```python
    answer = daft.cls(bulk.AskRows, max_concurrency=64)(build, shared.address())
    frame = frame.with_column("result", answer(frame["text"]))
    ```

    The column `result` is a struct with the fields of `ResultRow`.

    Args:
        build: See `Worker`.
        address: See `Worker`.
    """

    def __init__(self, build: Callable[[], Runnable[Any, Any]], address: Address) -> None:
        self._worker = Worker(build, address)

    async def __call__(self, row: Any) -> ResultRow:
        """Return the result of an input of the runnable: a text, or a dict of columns.

        Raises:
            Exception: See `Worker.ask`.
        """
        return _row(await self._worker.ask(row))


def _row(result: BulkResult) -> ResultRow:
    return cast("ResultRow", row_of(line_of(result)))
