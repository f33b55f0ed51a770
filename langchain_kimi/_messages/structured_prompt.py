"""A model that is told in words what its answer has to look like."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, convert_to_messages
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable, RunnableConfig, RunnableSerializable
from pydantic import ConfigDict

from langchain_kimi._messages.structured_dump import Dumped
from langchain_kimi._messages.structured_schema import OutputSchema


class InstructedModel(Dumped, RunnableSerializable[LanguageModelInput, AIMessage]):
    """A model with an instruction of ours after the system messages of whatever it is given.

    Attributes:
        model: The model, with what is bound to it.
        instruction: The words.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    model: Runnable[LanguageModelInput, AIMessage]
    instruction: str

    def invoke(self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:  # noqa: A002 - LangChain's name
        """Invoke the model."""
        return self.model.invoke(self._instructed(input), config, **kwargs)

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Invoke the model, awaiting its answer."""
        return await self.model.ainvoke(self._instructed(input), config, **kwargs)

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessage]:
        """Stream from the model."""
        yield from self.model.stream(self._instructed(input), config, **kwargs)

    async def astream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessage]:
        """Stream from the model, awaiting each part."""
        async for chunk in self.model.astream(self._instructed(input), config, **kwargs):
            yield chunk

    def _instructed(self, given: LanguageModelInput) -> list[BaseMessage]:
        messages = as_messages(given)
        first = next((n for n, message in enumerate(messages) if message.type != "system"), len(messages))
        return [*messages[:first], SystemMessage(self.instruction), *messages[first:]]


def as_messages(given: LanguageModelInput) -> list[BaseMessage]:
    """Give what a model takes as messages."""
    if isinstance(given, PromptValue):
        return given.to_messages()
    return [HumanMessage(given)] if isinstance(given, str) else convert_to_messages(given)


def instruction_for(schema: OutputSchema) -> str:
    """Put a schema into words for a model whose host does not take it."""
    described = schema.function.get("description")
    value = "object" if schema.is_object else "value"
    lines = [
        f"Answer with one JSON {value} and nothing else: no words around it, no code fence.",
        f"It is called {schema.name}" + (f": {described}" if described else "."),
        f"It has to be valid under this JSON schema: {json.dumps(schema.definition, ensure_ascii=False)}",
    ]
    return "\n".join(lines)
