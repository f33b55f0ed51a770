"""The most that a request can cost."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from langchain_kimi._kimi.profiles import profile
from langchain_kimi._tokens.model import Counting, count, prices_of, room_for_reply

_MARGIN = 1.2
"""Estimates of prompts of a known form are at most 15 % off."""
_MILLION = 1_000_000


def prompt_tokens(wire: Any) -> int:
    """Return an upper bound of the tokens of a request's prompt."""
    return int(count(wire, (), Counting(""), is_whole=False).tokens * _MARGIN) + 1


def worst_case(body: bytes, prices: Mapping[str, float] | None) -> tuple[Decimal, int]:
    """Return the most that a request can cost in US dollars, and an upper bound of its prompt's tokens.

    The reply has at most `max_tokens` tokens, or as many as the model can write. The price is the highest of the
    models that the request names, at the dearest of the hosts that its preferences allow.

    Args:
        body: The request's body.
        prices: The user's prices; None takes the list prices.

    Raises:
        KimiUsageError: There are no prices of a model.
    """
    wire = json.loads(body)
    tokens = prompt_tokens(wire)
    slugs = [wire["model"], *(wire.get("models") or ())]
    price = prices_of(slugs, prices, wire.get("provider"))
    limit = wire.get("max_tokens") or wire.get("max_completion_tokens")
    reply = limit or max(room_for_reply(profile(slug), tokens) or 0 for slug in slugs)
    replies = reply * (wire.get("n") or 1)
    return Decimal(str((tokens * price.highest_prompt + replies * price.highest_completion) / _MILLION)), tokens
