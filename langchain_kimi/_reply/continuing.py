"""An answer that the token limit cut off is carried on: the model is given its beginning as the last message.

How far hosts go along is not known for each of them. Moonshot's own models carry on from a last message of the
assistant without repeating it, and so do open servers that are told to continue the final message. Others read it as
an ended turn and begin anew, with the same words or with different ones, and OpenRouter hands the message on to either
kind. Only a beginning that comes again word for word can be told from a continuation.
"""

from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage

from langchain_kimi._reply.usage import with_sums
from langchain_kimi.errors import KimiUsageError


class ContinuesReplies(BaseChatModel, defer_build=True):
    """A chat model that can be told to carry on where the token limit cut its answer off."""

    def continue_reply(self, message: AIMessage, messages: LanguageModelInput, **kwargs: Any) -> AIMessage:
        """Ask for the rest of an answer, and give one message that holds all of it.

        The rest is only as good as the host's way with a last message of the assistant: where the host carries on, the
        texts are joined with nothing between; where it begins anew with the same words, these come once; where it
        begins anew with different words, the text reads like two answers, which cannot be told from a continuation.
        Pin a host that carries on (`provider={"only": [...]}`) if that matters. JSON that a `response_format` asks
        for, and text that is all thought, cannot be carried on.

        Args:
            message: The answer, whole or the sum of its chunks. It stopped for `length`.
            messages: What it answers, with or without the answer itself at its end.
            **kwargs: Arguments of the call: `config`, `stop`, and the parameters and tools that were bound; these are
                not known here. A larger `max_tokens` holds for the rest alone.

        Returns:
            The message with the text and the reasoning of both, the tool calls of the rest, and the tokens and the
            cost of both; all other facts are those of the rest. If it stopped for `length` again, it can be carried
            on again.

        Raises:
            KimiUsageError: the answer did not stop for `length`, calls tools, or holds no text; nothing was sent.
            KimiError: the call failed.
        """
        conversation = _with_beginning(message, self._convert_input(messages).to_messages())
        return _joined(message, self.invoke(conversation, **kwargs))

    async def acontinue_reply(self, message: AIMessage, messages: LanguageModelInput, **kwargs: Any) -> AIMessage:
        """Ask for the rest of an answer, awaiting it; see `continue_reply`."""
        conversation = _with_beginning(message, self._convert_input(messages).to_messages())
        return _joined(message, await self.ainvoke(conversation, **kwargs))


def _with_beginning(message: AIMessage, conversation: list[BaseMessage]) -> list[BaseMessage]:
    finish = message.response_metadata.get("finish_reason")
    if finish != "length":
        raise KimiUsageError(f"The answer did not stop for length but for {finish!r}: there is no rest of it.")
    if message.tool_calls or message.invalid_tool_calls:
        raise KimiUsageError(
            "The answer calls tools, and a call that was cut off cannot be carried on.",
            advice="Ask again with a larger max_tokens.",
        )
    if not message.text.strip():
        raise KimiUsageError(
            "The answer holds no text that could be carried on.",
            advice="Ask again with a larger max_tokens, or with less thinking (reasoning={'effort': 'low'}).",
        )
    if conversation and conversation[-1] == message:
        return conversation
    return [*conversation, message]


def _joined(first: AIMessage, rest: AIMessage) -> AIMessage:
    said = str(first.text)
    whole = with_sums(first, rest)
    if _begins_anew(said, str(rest.text)):
        return whole
    kwargs = {**first.additional_kwargs, **rest.additional_kwargs}
    for key in ("reasoning_content", "reasoning_details"):
        parts = [one.additional_kwargs[key] for one in (first, rest) if one.additional_kwargs.get(key)]
        if parts:
            kwargs[key] = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    return whole.model_copy(update={"content": said + str(rest.text), "additional_kwargs": kwargs})


def _begins_anew(said: str, rest: str) -> bool:
    # White space at both ends is what hosts strip.
    return rest.lstrip().startswith(said.strip())
