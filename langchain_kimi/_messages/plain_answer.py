"""The usual plain reply: one choice that says something, from a request without tools.

There is nothing in it to mend or to add up, and taking it through both was measured to cost as much as reading it.
"""

from typing import Any, cast

from langchain_kimi.kimi.mend import Mending
from langchain_kimi.openrouter.wire import JSONObject, WireBody, WireReply

_SAID = frozenset({"role", "content"})
_SUMMED = frozenset({"usage", "logprobs"})
"""What of a choice is added up in a way of its own."""


def plain_answer(reply: WireReply, body: WireBody, mending: Mending | None) -> WireReply | None:
    """Give the reply as mending and adding up would give it, or None where they have something to do.

    Args:
        reply: A whole reply, or a part of one.
        body: The request.
        mending: What is to be done to the reply, and to be told with it.
    """
    if body.get("tools") or (mending is not None and (mending.empty_answers or mending.changed_choice)):
        return None
    choices = reply.get("choices") or ()
    choice = cast("JSONObject", choices[0]) if len(choices) == 1 else {}
    if choice.get("finish_reason") != "stop" or not _only_says(choice.get("message")):
        return None
    if not isinstance(reply.get("usage"), dict) or any(choice.get(key) is not None for key in _SUMMED):
        return None
    return cast("WireReply", {**reply, "choices": [{"finish_reason": None, **choice}]})


def _only_says(message: Any) -> bool:
    """Say whether a message holds a text and nothing else."""
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, str) or not content:
        return False
    return all(value is None for key, value in message.items() if key not in _SAID)
