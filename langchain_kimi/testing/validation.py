"""Refuses what OpenRouter and its hosts refuse."""

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing import answers
from langchain_kimi.testing.behavior import Behavior
from langchain_kimi.testing.catalog import Model, is_kimi
from langchain_kimi.testing.conversations import check_messages, check_modalities, check_reasoning_replayed
from langchain_kimi.testing.moonshot_schemas import check_moonshot_schemas
from langchain_kimi.testing.parameters import check_parameters, check_routing
from langchain_kimi.testing.refusals import Refusal, invalid, refused_upstream

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


def check_request(body: JSONObject) -> None:
    """Raise `Refusal` where the request is wrong whoever serves it."""
    check_parameters(body)
    check_messages(body["messages"])


def check_model(body: JSONObject, model: Model, behavior: Behavior) -> None:
    """Raise `Refusal` where the model's hosts refuse the request, or none of them can serve it."""
    check_modalities(body["messages"], model)
    check_routing(body, model)
    if not is_kimi(model):
        return
    if behavior.moonshot_schemas:
        check_moonshot_schemas(body.get("tools") or [])
    if not answers.thinks(body, model, behavior):
        return
    if behavior.requires_reasoning:
        check_reasoning_replayed(body["messages"])
    choice = body.get("tool_choice")
    if behavior.refuses_forced_tool_choice and choice not in (None, "none", "auto"):
        kind = choice if choice == "required" else "specified"
        raise refused_upstream(f"tool_choice '{kind}' is incompatible with thinking enabled")
