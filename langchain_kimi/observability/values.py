"""Values that both kinds of traces report."""

from collections.abc import Mapping
from typing import Any

from langchain_kimi._costs.charges import plausible_tokens


def cached_share(usage: Mapping[str, Any]) -> float | None:
    """Return the share of input tokens that the host read from its cache, None without input."""
    tokens = plausible_tokens(usage.get("input_tokens"))
    cached = plausible_tokens((usage.get("input_token_details") or {}).get("cache_read"))
    return cached / tokens if tokens else None


def present(**values: Any) -> dict[str, Any]:
    """Return the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}
