"""Recorded requests as LangChain messages."""

from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, convert_to_messages

from tests.recordings.exchanges import Exchange

PASSED_ON = ("tools", "tool_choice", "response_format")
"""The keys of a request that its response's reading may depend on."""


def messages_from(recorded: list[dict[str, Any]]) -> list[BaseMessage]:
    """Return the recorded messages, with the assistant's turns as ChatKimi would have returned them."""
    return convert_to_messages([_as_held(message) for message in recorded])


def messages_of(exchange: Exchange) -> list[BaseMessage]:
    """Return the recorded messages, or a greeting if none were recorded."""
    recorded = exchange.request.get("messages")
    return messages_from(recorded) if recorded else [HumanMessage("Hello")]


def settings_of(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    settings = {key: request[key] for key in PASSED_ON if request.get(key)}
    choice = settings.get("tool_choice")
    offered = [tool["function"]["name"] for tool in settings.get("tools", ()) if "function" in tool]
    if isinstance(choice, dict) and choice["function"]["name"] not in offered:
        # Such a choice is refused before anything is sent; its recorded reply can still be read.
        del settings["tool_choice"]
    return settings


def model_of(exchange: Exchange) -> str:
    model: str = exchange.request.get("model") or exchange.meta["model"] or "moonshotai/kimi-k2"
    return model


def _as_held(message: dict[str, Any]) -> dict[str, Any]:
    message_dict = {"content": None, **message}
    if message_dict["role"] == "assistant" and message_dict["content"] is None:
        message_dict["content"] = ""
    if "reasoning" in message_dict:
        message_dict["reasoning_content"] = message_dict.pop("reasoning")
    elif "reasoning_content" in message_dict:
        message_dict["reasoning_key"] = "reasoning_content"
    return message_dict
