"""Tokens as LangChain asks for them: of texts, of messages and of tools, always offline."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import BaseMessage
from pydantic import Field

from langchain_kimi._messages.serving_host import billed_before, serving_host
from langchain_kimi._messages.to_wire import messages_to_wire
from langchain_kimi._messages.tools import Tool, tools_to_wire
from langchain_kimi.kimi.prepare import prepare
from langchain_kimi.openrouter.connection import BASE_URL
from langchain_kimi.openrouter.wire import JSONObject, WireBody

if TYPE_CHECKING:
    from langchain_kimi.kimi.counting import TokenCount, TokenCounter


class CountsTokens(BaseChatModel, defer_build=True):
    """The part of a chat model that counts tokens: by Kimi's vocabulary if it is on this machine, else by estimate.

    `custom_get_token_ids` takes the place of both for whatever is text.
    """

    model_name: str
    openrouter_api_base: str = BASE_URL
    provider: Any = None
    tokenizer_file: str | None = Field(default=None, exclude=True)

    @property
    def token_counter(self) -> "TokenCounter":
        """The counter of this model; all models of the same slug and file share it."""
        return self.counter_of(self.model_name)

    def get_token_ids(self, text: str) -> list[int]:
        """Give the ids of a text's tokens; without Kimi's vocabulary 0, 1, 2 and so on, as many as are estimated."""
        if self.custom_get_token_ids is not None:
            return self.custom_get_token_ids(text)
        return self.token_counter.token_ids(text)

    def get_num_tokens(self, text: str) -> int:
        """Count the tokens of a text by itself."""
        if self.custom_get_token_ids is not None:
            return len(self.custom_get_token_ids(text))
        return self.token_counter.count_text(text)

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """Count the tokens of a prompt, the tools and the chat template's own included; see `count_tokens`.

        The messages may be any part of a conversation, in any order, as `trim_messages` hands them over; what was
        billed for an earlier turn is therefore left out of account.
        """
        return self.count_body(self._counted_body(messages, tools), messages, is_whole=False).tokens

    def count_tokens(self, messages: Sequence[BaseMessage], tools: Sequence[Tool] | None = None) -> "TokenCount":
        """Count the tokens of the prompt that these messages and tools make, and say how sure that is.

        Hosts write prompts in different forms. The count is for the host that the model's provider preferences name,
        or else the one that gave the last answer in the conversation. What that answer's usage says of its prompt is
        the base of the count, unless it is more than an eighth off: then the conversation was shortened since.

        Args:
            messages: The conversation, as it would be sent.
            tools: Tools in any form that `bind_tools` takes.

        Raises:
            KimiRequestError: a message or a tool cannot be sent, or there is no vocabulary at `tokenizer_file`.
        """
        return self.count_body(self._counted_body(messages, tools), messages)

    def count_body(self, body: WireBody, messages: Sequence[BaseMessage], *, is_whole: bool = True) -> "TokenCount":
        """Count the tokens of the prompt in a body that is ready to be sent.

        Args:
            body: The body.
            messages: What it was made of.
            is_whole: Whether the conversation is taken for what it was at its last turn, so that the count can go on
                from what was billed then.
        """
        encode = self.custom_get_token_ids
        measure = None if encode is None else lambda text: len(encode(text))
        host = serving_host(cast("JSONObject", body).get("provider") or {}, self.openrouter_api_base, messages)
        return self.counter_of(body["model"]).count_messages(
            body["messages"],
            body.get("tools"),
            measure,
            host=host,
            billed=billed_before(messages, body["messages"], body["model"], host) if is_whole else None,
        )

    def _counted_body(self, messages: Sequence[BaseMessage], tools: Sequence[Tool] | None) -> WireBody:
        body = {"model": self.model_name, "messages": messages_to_wire(messages)}
        if tools:
            body["tools"] = tools_to_wire(tools, strict=None)
        if self.provider:
            body["provider"] = self.provider.wire()
        return prepare(cast("WireBody", body))

    def counter_of(self, slug: str) -> "TokenCounter":
        """Give what counts for a model that a call names."""
        from langchain_kimi.kimi.counting import shared_counter  # noqa: PLC0415 - a program that counts nothing needs none

        return shared_counter(slug, self.tokenizer_file)
