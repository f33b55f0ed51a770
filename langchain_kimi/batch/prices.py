"""The cost of the rows of a batch.

OpenRouter reports the cost of a batch as a whole: its chat completions have a usage without `cost` in the package
`openrouter` 1.3.84 (`components/batchobject.py`, `BodyUsage1`).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from langchain_kimi._kimi.profiles import prices
from langchain_kimi._openrouter.wire import JSONObject

_SMALLEST = Decimal("1e-12")
_MILLION = 1_000_000
REPORTED, SHARE, LISTED = "reported", "share of the batch", "list prices"
"""The origin of a row's cost, `response_metadata["batch"]["cost_source"]`."""


def with_costs(batch: Mapping[str, Any], rows: Sequence[JSONObject], slug: str) -> list[JSONObject]:
    """Return the result rows of OpenRouter with the cost of each.

    A cost that a row reports stays. The rest of the batch's cost is divided among the other rows by the list prices of
    their tokens, or by their tokens; the sum of all rows is the cost of the batch. Without a cost of the batch, rows
    have the list prices of the model's `:batch` variant, or no cost if these are unknown.

    Args:
        batch: The object of the batch.
        rows: Its result rows.
        slug: The model with its variant `:batch`.
    """
    usages = [_usage_of(row) for row in rows]
    reported_costs = [None if usage is None else usage.get("cost") for usage in usages]
    open_rows = [n for n, usage in enumerate(usages) if usage is not None and not _is_number(reported_costs[n])]
    weights = {n: _list_cost(usages[n] or {}, slug) for n in open_rows}
    shares = [weights[n] or _tokens(usages[n] or {}) for n in open_rows]
    batch_usage = batch.get("usage")
    batch_usage = batch_usage if isinstance(batch_usage, dict) else {}
    total = batch_usage.get("cost")
    source, costs = SHARE, [weights[n] for n in open_rows]
    if _is_number(total):
        left = Decimal(str(total)) - sum(
            (Decimal(str(cost)) for cost in reported_costs if _is_number(cost)), Decimal(0)
        )
        costs = [*_divided(max(left, Decimal(0)), shares)]
    else:
        source = LISTED
    new = dict(zip(open_rows, costs, strict=True))
    upstream = dict(zip(open_rows, _upstream_costs(batch_usage, shares), strict=True))
    return [
        _with_cost(row, new.get(n, reported_costs[n]), REPORTED if n not in new else source, upstream.get(n, {}))
        for n, row in enumerate(rows)
    ]


def _upstream_costs(batch_usage: Mapping[str, Any], weights: Sequence[Decimal]) -> list[JSONObject]:
    """Return the fields of rows for the cost that the host charges to the caller's own key."""
    # Without a reported cost, rows have list prices, which stand for all charges.
    if not (batch_usage.get("is_byok") and _is_number(batch_usage.get("cost"))):
        return [{} for _ in weights]
    details = batch_usage.get("cost_details")
    total = details.get("upstream_inference_cost") if isinstance(details, dict) else None
    if not _is_number(total):
        return [{"is_byok": True} for _ in weights]
    costs = _divided(max(Decimal(str(total)), Decimal(0)), weights)
    return [{"is_byok": True, "cost_details": {"upstream_inference_cost": float(cost)}} for cost in costs]


def _usage_of(row: JSONObject) -> JSONObject | None:
    response = row.get("response")
    body = response.get("body") if isinstance(response, dict) else None
    usage = body.get("usage") if isinstance(body, dict) else None
    return usage if isinstance(usage, dict) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _tokens(usage: JSONObject) -> Decimal:
    return Decimal(str(_count(usage, "prompt_tokens") + _count(usage, "completion_tokens")))


def _count(usage: JSONObject, name: str) -> int | float:
    value = usage.get(name)
    return max(value, 0) if isinstance(value, int | float) else 0


def _list_cost(usage: JSONObject, slug: str) -> Decimal | None:
    """Return the list price of a row's tokens, None without prices."""
    listed = prices(slug)
    if listed is None:
        return None
    cost = _count(usage, "prompt_tokens") * listed.prompt + _count(usage, "completion_tokens") * listed.completion
    return Decimal(f"{cost / _MILLION:.15f}").quantize(_SMALLEST).normalize()


def _divided(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Return shares of an amount in proportion to weights. Their sum is the amount."""
    total_weight = sum(weights, Decimal(0))
    shares = [
        (total * weight / total_weight if total_weight else total / len(weights)).quantize(_SMALLEST).normalize()
        for weight in weights
    ]
    if shares:
        shares[-1] += total - sum(shares, Decimal(0))
    return shares


def _with_cost(row: JSONObject, cost: Any, source: str, upstream: JSONObject) -> JSONObject:
    if cost is None:
        return row
    response = row["response"]
    body = response["body"]
    usage = {**body["usage"], "cost": float(cost), **upstream}
    return {**row, "response": {**response, "body": {**body, "usage": usage, "batch": {"cost_source": source}}}}
