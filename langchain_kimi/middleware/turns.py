"""The turns of an agent, and the messages that middleware adds to them."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage

_MARK = "nudge"


def nudge(text: str) -> HumanMessage:
    """Return a user message of the middleware. It is marked in `response_metadata`, which is not sent to the model."""
    return HumanMessage(text, response_metadata={"kimi": {_MARK: True}})


def is_nudge(message: BaseMessage) -> bool:
    """Return whether `nudge` made a message."""
    report = message.response_metadata.get("kimi")
    return isinstance(report, dict) and report.get(_MARK) is True


def since_input(messages: Sequence[Any]) -> Sequence[Any]:
    """Return the messages after the user's last one. Nudges are not messages of the user."""
    for position in range(len(messages) - 1, -1, -1):
        if isinstance(messages[position], HumanMessage) and not is_nudge(messages[position]):
            return messages[position + 1 :]
    return messages
