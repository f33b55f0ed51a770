"""Refuses what OpenRouter and its hosts refuse."""

from langchain_kimi.openrouter.wire import JSONObject
from langchain_kimi.testing.behaviour import Behaviour
from langchain_kimi.testing.refusals import Refusal, invalid

_ROLES = ("system", "developer", "user", "assistant", "tool")


def usable_body(body: object) -> JSONObject:
    """Return the body if it is an object with messages, which each have a role; raises `Refusal` otherwise."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        raise Refusal(400, 'Input required: specify "prompt" or "messages"')
    if not body["messages"]:
        raise invalid("Input must have at least 1 token.")
    for position, message in enumerate(body["messages"]):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise invalid(f"messages.{position}.role: expected one of {', '.join(_ROLES)}")
    return body


def validate(body: JSONObject, behaviour: Behaviour) -> None:
    """Raise `Refusal` where the real service would refuse."""
