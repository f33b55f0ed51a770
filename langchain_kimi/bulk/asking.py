"""Ask for one row, and make its result."""

import time
from dataclasses import replace
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import merge_configs

from langchain_kimi._costs.ledger import UNKNOWN
from langchain_kimi._openrouter.http.gates import current_gate
from langchain_kimi.bulk.admission import NotSentError
from langchain_kimi.bulk.results import RAW_AND_PARSED, BulkError, BulkResult, line_of
from langchain_kimi.bulk.rows import Row, RowCosts, RunGate
from langchain_kimi.bulk.target import digest_of
from langchain_kimi.errors import (
    KimiAuthenticationError,
    KimiBudgetExceededError,
    KimiError,
    KimiModerationError,
    KimiNotFoundError,
    KimiPaymentRequiredError,
    KimiPermissionError,
)

_HOPELESS = (
    KimiAuthenticationError,
    KimiPaymentRequiredError,
    KimiPermissionError,
    KimiNotFoundError,
    KimiBudgetExceededError,
    NotSentError,
)
"""Errors that every further row would end with too."""


def is_hopeless(error: BaseException | None) -> bool:
    """Return whether every further row would end with the same error."""
    return isinstance(error, _HOPELESS) and not isinstance(error, KimiModerationError)


async def ask(
    runnable: Runnable[Any, Any], row: Row, gate: RunGate, config: RunnableConfig | None = None
) -> tuple[BulkResult, Exception | None]:
    """Ask a runnable for a row, and return the result with the exception that it describes.

    Args:
        runnable: The runnable.
        row: The row.
        gate: The gate of all calls.
        config: The user's configuration.
    """
    costs = RowCosts(gate.settle)
    current_gate.set(gate)
    started = time.monotonic()
    error: Exception | None = None
    value: Any = None
    try:
        value = await runnable.ainvoke(row.input, merge_configs(config, RunnableConfig(callbacks=[costs])))
    except Exception as problem:  # noqa: BLE001 - every failure of a row is kept as its error
        error = problem
    if isinstance(value, dict) and value.keys() == RAW_AND_PARSED and value["parsing_error"] is not None:
        error, value = value["parsing_error"], None
    total = costs.sums.total
    result = BulkResult(
        key=row.key,
        index=row.index,
        value=value,
        error=None if error is None else BulkError.of(error),
        input=row.value,
        model=_last(costs.sums.models),
        provider=_last(costs.sums.providers),
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        cost=float(total.charged + total.charged_upstream),
        unknown_costs=total.unknown,
        seconds=round(time.monotonic() - started, 6),
    )
    return with_earlier(result, row.earlier), error


def unrenderable(value: Any, index: int, problem: Exception) -> BulkResult:
    """Return the result of a row of which no prompt can be made."""
    reason = problem.reason if isinstance(problem, KimiError) else f"{type(problem).__name__}: {problem}"
    error = BulkError("KimiUsageError", f"The row cannot be rendered: {reason}")
    return BulkResult(digest_of({"row": repr(value)}).hex(), index, error=error, input=value)


def storable(result: BulkResult) -> tuple[BulkResult, bytes, Exception | None]:
    """Return a result, its line in the output, and the exception because of which the line has no value, if any.

    A runnable may return anything, for example a dict whose keys are tuples. Then the row fails, and its costs count.
    """
    try:
        return result, line_of(result), None
    except Exception as problem:  # noqa: BLE001 - whatever the value raises
        error = BulkError("KimiUsageError", f"The value cannot be stored: {type(problem).__name__}: {problem}")
        failed = replace(result, value=None, error=error)
        return failed, line_of(failed), problem


def with_earlier(result: BulkResult, earlier: BulkResult | None) -> BulkResult:
    """Return a result with the tokens and costs of an earlier round, if there was one."""
    if earlier is None:
        return result
    return replace(
        result,
        input_tokens=result.input_tokens + earlier.input_tokens,
        output_tokens=result.output_tokens + earlier.output_tokens,
        cost=result.cost + earlier.cost,
        unknown_costs=result.unknown_costs + earlier.unknown_costs,
    )


def _last(names: dict[str, Any]) -> str | None:
    """Return the last name that is not `unknown`, or None. They are in the order of their first calls."""
    return next((name for name in reversed(names) if name != UNKNOWN), None)
