"""Rejects the requests that OpenRouter and its providers reject."""

from langchain_kimi._kimi.families import family
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing import answers
from langchain_kimi.testing.behavior import Behavior
from langchain_kimi.testing.catalog import PROVIDERS, Model, is_kimi
from langchain_kimi.testing.conversations import (
    check_later_tools,
    check_messages,
    check_modalities,
    check_reasoning_replayed,
)
from langchain_kimi.testing.moonshot_schemas import check_moonshot_schemas
from langchain_kimi.testing.parameters import check_parameters, check_routing
from langchain_kimi.testing.rejections import RejectedRequestError, invalid, rejected_upstream

_ROLES = ("system", "developer", "user", "assistant", "tool")


def usable_body(body: object) -> JSONObject:
    """Return the body if it is an object with messages that each have a role.

    Raises:
        RejectedRequestError: The body is anything else.
    """
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        raise RejectedRequestError(400, 'Input required: specify "prompt" or "messages"')
    if not body["messages"]:
        raise invalid("Input must have at least 1 token.")
    for position, message in enumerate(body["messages"]):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise invalid(f"messages.{position}.role: expected one of {', '.join(_ROLES)}")
    return body


def check_request(body: JSONObject) -> None:
    """Check a request for errors that do not depend on the model.

    Raises:
        RejectedRequestError: The request is invalid.
    """
    check_parameters(body)
    check_messages(body["messages"])


def check_model(body: JSONObject, model: Model, behavior: Behavior) -> None:
    """Check that the model's providers accept the request.

    Raises:
        RejectedRequestError: They reject it, or none of them can serve it.
    """
    check_modalities(body["messages"], model)
    kimi = family(model.slug)
    is_k3 = kimi is not None and kimi.template == "k3"
    check_later_tools(body["messages"], is_taken=is_k3 and behavior.later_tools)
    check_routing(body, model, tuple(host.tag for host in behavior.hosts) or tuple(PROVIDERS))
    if not is_kimi(model):
        return
    if behavior.moonshot_schemas:
        check_moonshot_schemas(body.get("tools") or [])
    if not answers.thinks(body, model, behavior):
        return
    if behavior.requires_reasoning:
        check_reasoning_replayed(body["messages"])
    choice = body.get("tool_choice")
    # K3 reasons and accepts `required`, but no named tool (UKGovernmentBEIS/inspect_ai issue 5152).
    accepts_required = kimi is not None and kimi.requires_calls_while_thinking
    accepted = (None, "none", "auto", "required") if accepts_required else (None, "none", "auto")
    if behavior.refuses_forced_tool_choice and choice not in accepted:
        kind = choice if choice == "required" else "specified"
        raise rejected_upstream(f"tool_choice '{kind}' is incompatible with thinking enabled")
