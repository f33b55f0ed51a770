"""A log of calls as JSON lines, without the text of prompts and replies."""

import json
import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from langchain_kimi._costs.charges import CallCost, plausible_tokens
from langchain_kimi._costs.reconciling import GenerationSource
from langchain_kimi._costs.records import CallObserver, CallRecord
from langchain_kimi._costs.tracking import Lookups


class AuditLog(CallObserver):
    """Appends one line of JSON for each call to a file: `config={"callbacks": [AuditLog("calls.jsonl")]}`.

    Each line has the time, the run, the model, the host, the generation id, tokens, the cost in US dollars (null if it
    is unknown), the state (`answered`, `cached`, `failed`, `cancelled`, `abandoned`), the class of the error, and the
    number of attempts. It never contains the text of a prompt, a reply or an error. Several processes may write to the
    same file. With `reconcile`, a line of the state `reconciled` follows when an unknown cost was looked up.

    Args:
        path: The file.
        reconcile: Whether to look up unknown costs; see `KimiCostCallback`.
    """

    def __init__(self, path: str | os.PathLike[str], *, reconcile: bool | GenerationSource = False) -> None:
        super().__init__()
        self.path = Path(path).absolute()
        self._lookups = Lookups(reconcile)

    def observe(self, record: CallRecord) -> None:
        """Write the line of a call, and look up its cost if it is unknown."""
        self._write(line_of(record))
        reconciler, generation_id = self._lookups.reconciler, record.cost.generation_id
        if reconciler is not None and generation_id and not record.cost.is_known:
            reconciler.look_up(generation_id, partial(self._correct, record))

    def wait_for_costs(self, seconds: float | None = None) -> bool:
        """Block until all lookups have ended; see `KimiCostCallback.wait_for_costs`."""
        return self._lookups.wait(seconds)

    def _correct(self, record: CallRecord, record_cost: CallCost) -> None:
        self._write({**line_of(record), **fields_of(record_cost, record.requested_model), "state": "reconciled"})

    def _write(self, line: dict[str, Any]) -> None:
        # A single write in append mode, so that lines of several processes do not mix.
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, json.dumps(line).encode() + b"\n")
        finally:
            os.close(file)


def line_of(record: CallRecord) -> dict[str, Any]:
    """Return the line of a call as JSON types."""
    return {
        "time": datetime.fromtimestamp(record.time, UTC).isoformat(timespec="milliseconds"),
        "run_id": str(record.run_id),
        "parent_run_id": str(record.parent_run_id) if record.parent_run_id else None,
        **fields_of(record.cost, record.requested_model),
        "state": record.state,
        "error": record.error,
        "attempts": record.attempts,
        "finish_reasons": list(record.finish_reasons),
        "seconds": round(record.duration, 3),
        "first_chunk": None if record.first_chunk is None else round(record.first_chunk, 3),
    }


def fields_of(cost: CallCost, requested_model: str | None) -> dict[str, Any]:
    """Return the part of a line that comes from the reply or from the record of the call."""
    usage: Any = cost.usage or {}
    details, outputs = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    return {
        "model": cost.model or requested_model,
        "host": cost.provider,
        "generation_id": cost.generation_id,
        "input_tokens": plausible_tokens(usage.get("input_tokens")),
        "cached_tokens": plausible_tokens(details.get("cache_read")),
        "output_tokens": plausible_tokens(usage.get("output_tokens")),
        "reasoning_tokens": plausible_tokens(outputs.get("reasoning")),
        "cost": float(cost.cost) if cost.cost is not None and cost.is_known else None,
        "upstream_cost": float(cost.upstream_cost),
    }
