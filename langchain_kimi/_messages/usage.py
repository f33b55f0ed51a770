"""Usage of several calls, added up."""

from collections.abc import Sequence
from typing import Any

COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens", "cost")


def added_up(llm_outputs: Sequence[dict[str, Any] | None]) -> dict[str, Any]:
    """Add up the `llm_output`s of a batch: tokens and cost in `token_usage`, of the rest the first."""
    known = [output for output in llm_outputs if output]
    usages = [output["token_usage"] for output in known if output.get("token_usage")]
    combined = {key: value for output in reversed(known) for key, value in output.items() if key != "token_usage"}
    if usages:
        combined["token_usage"] = {
            key: sum(usage.get(key) or 0 for usage in usages) for key in COUNTS if any(key in usage for usage in usages)
        }
    return combined
