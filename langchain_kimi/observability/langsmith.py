"""Costs on LangSmith's runs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from langchain_core.tracers.langchain import LangChainTracer
from langchain_core.tracers.schemas import Run

from langchain_kimi._costs.charges import CallCost, cost_of_error
from langchain_kimi.errors import KimiError
from langchain_kimi.observability.values import cached_share, present


class LangSmithCosts(LangChainTracer):
    """LangSmith's tracer, with the costs of calls in the fields from which LangSmith sums up costs.

    Pass it in place of LangChain's own tracer, which is then not added, even if `LANGSMITH_TRACING` is set. The usage
    of a run gets `total_cost`, `input_cost` and `output_cost` in US dollars, and its metadata `kimi_host`,
    `kimi_generation_id`, `kimi_cached_share`, `kimi_attempts` and `kimi_finish_reason`.

    Args:
        **kwargs: The arguments of `LangChainTracer`, such as `project_name` and `client`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._attempts: dict[UUID, int] = {}
        self._failures: dict[UUID, CallCost] = {}

    def on_retry(self, *args: Any, run_id: UUID, **kwargs: Any) -> Any:
        """Count a failed attempt."""
        self._attempts[run_id] = self._attempts.get(run_id, 1) + 1
        return super().on_retry(*args, run_id=run_id, **kwargs)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> Any:
        """Note the cost of a call that failed."""
        self._failures[run_id] = cost_of_error(error, kwargs.get("response"))
        if isinstance(error, KimiError) and error.attempts:
            self._attempts[run_id] = len(error.attempts) + 1
        return super().on_llm_error(error, run_id=run_id, **kwargs)

    def _update_run_single(self, run: Run) -> None:  # type: ignore[override]  # LangChain calls it on the tracer
        if run.run_type == "llm":
            attempts = self._attempts.pop(run.id, 1)
            add_costs(run, self._failures.pop(run.id, None), attempts)
        super()._update_run_single(run)


def add_costs(run: Run, failure: CallCost | None, attempts: int) -> None:
    """Add costs to a run of LangSmith.

    Args:
        run: The run, which has ended.
        failure: The cost of the call if it failed.
        attempts: The number of attempts.
    """
    reply = _reply_metadata(run)
    if not reply and failure is None:
        return
    extra = run.extra if run.extra is not None else {}
    run.extra = extra
    metadata = extra.setdefault("metadata", {})
    usage = dict(metadata.get("usage_metadata") or {})
    reported = failure or CallCost()
    metadata.update(
        present(
            kimi_host=reply.get("provider") or reported.provider,
            kimi_generation_id=reply.get("id") or reported.generation_id,
            kimi_cached_share=cached_share(usage or reported.usage or {}),
            kimi_attempts=attempts,
            kimi_finish_reason=reply.get("finish_reason"),
        )
    )
    costs = costs_of_reply(reply)
    if not costs and reported.cost:
        costs = {"total_cost": float(reported.cost + reported.upstream_cost)}
    if costs:
        metadata["usage_metadata"] = {**(usage or reported.usage or {}), **costs}


def costs_of_reply(reply: Mapping[str, Any]) -> dict[str, float]:
    """Return LangSmith's cost fields for the metadata of a reply; empty if a charge is unknown.

    Input and output share the cost as the host bills it.

    Args:
        reply: The `response_metadata` of a message.
    """
    details = reply.get("cost_details") or {}
    total = reply.get("cost")
    upstream = details.get("upstream_inference_cost") if reply.get("is_byok") else 0
    if total is None or upstream is None:
        return {}
    total += upstream
    parts = [details.get(f"upstream_inference_{kind}_cost") or 0 for kind in ("prompt", "completions")]
    if sum(parts) <= 0:
        return {"total_cost": total}
    input_cost = total * parts[0] / sum(parts)
    return {"input_cost": input_cost, "output_cost": total - input_cost, "total_cost": total}


def _reply_metadata(run: Run) -> dict[str, Any]:
    generations = (run.outputs or {}).get("generations") or [[]]
    message = generations[0][0].get("message") if generations[0] else None
    metadata: dict[str, Any] = ((message or {}).get("kwargs") or {}).get("response_metadata") or {}
    return metadata
