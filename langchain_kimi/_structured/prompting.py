"""Wrap a model: with the schema as an instruction in the prompt, or with a second request after an invalid answer."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, convert_to_messages
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable, RunnableConfig, RunnableSerializable
from pydantic import ConfigDict, InstanceOf

from langchain_kimi._reply.usage import with_sums
from langchain_kimi._schemas.output import OutputSchema
from langchain_kimi._structured.reading import ATTEMPTS, read_output
from langchain_kimi._structured.serialization import Dumped, DumpedWithSchema
from langchain_kimi.errors import KimiEmptyReplyError, KimiError, KimiStructuredOutputError


class InstructedModel(Dumped, RunnableSerializable[LanguageModelInput, AIMessage]):
    """A model with an instruction that is inserted after the system messages of its input.

    Attributes:
        model: The model, with its bound parameters.
        instruction: The text of the instruction.
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
        """Invoke the model asynchronously."""
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
        """Stream from the model asynchronously."""
        async for chunk in self.model.astream(self._instructed(input), config, **kwargs):
            yield chunk

    def _instructed(self, model_input: LanguageModelInput) -> list[BaseMessage]:
        messages = as_messages(model_input)
        first = next((n for n, message in enumerate(messages) if message.type != "system"), len(messages))
        return [*messages[:first], SystemMessage(self.instruction), *messages[first:]]


def as_messages(model_input: LanguageModelInput) -> list[BaseMessage]:
    """Return the input of a model as messages."""
    if isinstance(model_input, PromptValue):
        return model_input.to_messages()
    return [HumanMessage(model_input)] if isinstance(model_input, str) else convert_to_messages(model_input)


def instruction_for(schema: OutputSchema) -> str:
    """Return the instruction that describes a schema to a model whose host does not accept schemas."""
    described = schema.function.get("description")
    value = "object" if schema.is_object else "value"
    lines = [
        f"Answer with one JSON {value} and nothing else: no text around it, no code fence.",
        f"It is called {schema.name}" + (f": {described}" if described else "."),
        f"It must be valid under this JSON schema: {json.dumps(schema.definition, ensure_ascii=False)}",
    ]
    return "\n".join(lines)


_MAX_PLACES_SHOWN = 20
"""The maximum number of validation errors that the second request lists."""


class RepairingModel(DumpedWithSchema, RunnableSerializable[LanguageModelInput, AIMessage]):
    """A model that gets a second request if its answer contains no value of the schema.

    There is no second request after a refusal or a truncated answer. The second message is the answer. It has the sum
    of the tokens and costs of both, and `response_metadata["attempts"]` contains both messages as received.

    Attributes:
        model: The model, with the schema bound to it.
        target: The schema of the value.
        by_call: Whether a function call is requested; otherwise JSON in the text is.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    model: Runnable[LanguageModelInput, AIMessage]
    target: InstanceOf[OutputSchema]
    by_call: bool

    def invoke(self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:  # noqa: A002 - LangChain's name
        """Invoke the model once or twice; traces show each call."""
        ask: Any = self._ask
        return self._call_with_config(ask, input, config, **kwargs)

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Invoke the model once or twice, asynchronously; traces show each call."""
        ask: Any = self._aask
        return await self._acall_with_config(ask, input, config, **kwargs)

    def _ask(self, model_input: LanguageModelInput, config: RunnableConfig, **kwargs: Any) -> AIMessage:
        """Return the answer of the model, or the second one if the first is invalid."""
        try:
            first = self.model.invoke(model_input, config, **kwargs)
        except KimiEmptyReplyError as error:
            first = _without_answer(error)
        if (first_error := self._problem(first)) is None:
            return first
        try:
            return _both(first, self.model.invoke(self._second_input(model_input, first_error), config, **kwargs))
        except KimiError as error:
            raise _with_note(error, first_error) from first_error

    async def _aask(self, model_input: LanguageModelInput, config: RunnableConfig, **kwargs: Any) -> AIMessage:
        try:
            first = await self.model.ainvoke(model_input, config, **kwargs)
        except KimiEmptyReplyError as error:
            first = _without_answer(error)
        if (first_error := self._problem(first)) is None:
            return first
        try:
            return _both(
                first, await self.model.ainvoke(self._second_input(model_input, first_error), config, **kwargs)
            )
        except KimiError as error:
            raise _with_note(error, first_error) from first_error

    def _problem(self, message: AIMessage) -> KimiStructuredOutputError | None:
        try:
            read_output(message, self.target, by_call=self.by_call)
        except KimiStructuredOutputError as error:
            return error if error.is_retryable else None
        return None

    def _second_input(
        self, model_input: LanguageModelInput, first_error: KimiStructuredOutputError
    ) -> list[BaseMessage]:
        """Return the input with the invalid answer and the request for another one."""
        # The answer is sent as text, because hosts refuse an invalid call and a call without a result.
        shown = [AIMessage(first_error.text)] if first_error.text.strip() else []
        places = [
            f"- {'.'.join(map(str, error['loc'])) or 'the whole'}: {error['msg']}"
            for error in first_error.validation_errors[:_MAX_PLACES_SHOWN]
        ]
        task = f"Call {self.target.name} again" if self.by_call else "Answer again with JSON and nothing else"
        lines = [f"This answer cannot be used. {first_error.reason}", *places, f"{task}, with the whole value."]
        return [*as_messages(model_input), *shown, HumanMessage("\n".join(lines))]


def _without_answer(error: KimiEmptyReplyError) -> AIMessage:
    """Return the message of a reply with only reasoning or white space.

    Raises:
        KimiEmptyReplyError: The reply has no content at all.
    """
    partial = error.partial
    if isinstance(partial, AIMessage) and (partial.content or partial.additional_kwargs):
        return partial
    raise error


def _both(first: AIMessage, second: AIMessage) -> AIMessage:
    """Return the second message with the tokens and the cost of both, and both as `attempts`."""
    both = with_sums(first, second)
    return both.model_copy(update={"response_metadata": {**both.response_metadata, ATTEMPTS: [first, second]}})


def _with_note(error: KimiError, first_error: KimiStructuredOutputError) -> KimiError:
    """Add the reason for the second call to its error."""
    error.add_note(f"This was the second attempt. The first: {first_error}")
    return error
