"""Continue a reply that the token limit cut off: the request ends with the beginning of the reply.

Providers differ. Moonshot's own models continue a trailing assistant message without repeating it, and so do
open-source servers with the option to continue the final message. Others treat it as a complete turn and start over,
with the same or with different words, and OpenRouter forwards the message to both kinds. Only a beginning that is
repeated verbatim can be distinguished from a continuation.
"""

from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from langchain_kimi._reply.usage import with_sums
from langchain_kimi.errors import KimiUsageError

_JOINED_KEYS = ("reasoning_content", "reasoning_details", "annotations", "images")
"""Keys of `additional_kwargs` whose values in both replies are joined."""


def with_beginning(message: AIMessage, conversation: list[BaseMessage]) -> list[BaseMessage]:
    """Return the conversation with the truncated reply as its last message.

    Raises:
        KimiUsageError: The reply cannot be continued: its finish reason is not `length`, or it calls tools, or it has
            no text.
    """
    finish = message.response_metadata.get("finish_reason")
    if finish != "length":
        raise KimiUsageError(f"The reply is not truncated: its finish reason is {finish!r}, not 'length'.")
    if message.tool_calls or message.invalid_tool_calls:
        raise KimiUsageError(
            "The reply calls tools, and a truncated tool call cannot be continued.",
            advice="Ask again with a larger max_tokens.",
        )
    if not message.text.strip():
        raise KimiUsageError(
            "The reply has no text to continue.",
            advice="Ask again with a larger max_tokens, or with less reasoning (reasoning={'effort': 'low'}).",
        )
    if conversation and conversation[-1] == message:
        return conversation
    return [*conversation, message]


def joined(first: AIMessage, rest: AIMessage) -> AIMessage:
    """Return one message of a truncated reply and its continuation, with the tokens and the cost of both."""
    beginning = str(first.text)
    whole = with_sums(first, rest)
    if _starts_over(beginning, str(rest.text)):
        return whole
    kwargs = {**first.additional_kwargs, **rest.additional_kwargs}
    for key in _JOINED_KEYS:
        earlier: Any = first.additional_kwargs.get(key)
        later: Any = rest.additional_kwargs.get(key)
        if earlier and not later:
            kwargs[key] = earlier
        # Hosts may send any JSON value in these fields.
        elif {type(earlier), type(later)} in ({str}, {list}):
            kwargs[key] = earlier + later
    return whole.model_copy(update={"content": beginning + str(rest.text), "additional_kwargs": kwargs})


def _starts_over(beginning: str, rest: str) -> bool:
    # Providers strip white space at both ends.
    return rest.lstrip().startswith(beginning.strip())
