"""A model that is told in words what its answer has to look like."""

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
from langchain_kimi.errors import KimiError, KimiStructuredOutputError


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


_PLACES_TOLD = 20


class RepairingModel(DumpedWithSchema, RunnableSerializable[LanguageModelInput, AIMessage]):
    """A model that is asked again, once, when its answer holds no value of the schema.

    After a refusal, and when the token limit cut the answer off, it is not asked again. The second message is the
    answer; its tokens and its cost are those of both, and `response_metadata["attempts"]` holds both as they came.

    Attributes:
        model: The model, with the schema bound to it.
        target: What the value has to look like.
        by_call: Whether the model was asked to call a function, or else to write JSON.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    model: Runnable[LanguageModelInput, AIMessage]
    target: InstanceOf[OutputSchema]
    by_call: bool

    def invoke(self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:  # noqa: A002 - LangChain's name
        """Invoke the model, once or twice; both show in traces."""
        ask: Any = self._ask
        return self._call_with_config(ask, input, config, **kwargs)

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Invoke the model, once or twice, awaiting its answers; both show in traces."""
        ask: Any = self._aask
        return await self._acall_with_config(ask, input, config, **kwargs)

    def _ask(self, given: LanguageModelInput, config: RunnableConfig, **kwargs: Any) -> AIMessage:
        first = self.model.invoke(given, config, **kwargs)
        if (problem := self._problem(first)) is None:
            return first
        try:
            return _both(first, self.model.invoke(self._again(given, problem), config, **kwargs))
        except KimiError as error:
            raise _noted(error, problem) from problem

    async def _aask(self, given: LanguageModelInput, config: RunnableConfig, **kwargs: Any) -> AIMessage:
        first = await self.model.ainvoke(given, config, **kwargs)
        if (problem := self._problem(first)) is None:
            return first
        try:
            return _both(first, await self.model.ainvoke(self._again(given, problem), config, **kwargs))
        except KimiError as error:
            raise _noted(error, problem) from problem

    def _problem(self, message: AIMessage) -> KimiStructuredOutputError | None:
        try:
            read_output(message, self.target, by_call=self.by_call)
        except KimiStructuredOutputError as error:
            return error if error.is_retryable else None
        return None

    def _again(self, given: LanguageModelInput, problem: KimiStructuredOutputError) -> list[BaseMessage]:
        # The answer is shown as text: a broken call cannot be sent back as one, and one without a result neither.
        shown = [AIMessage(problem.text)] if problem.text.strip() else []
        places = [
            f"- {'.'.join(map(str, error['loc'])) or 'the whole'}: {error['msg']}"
            for error in problem.validation_errors[:_PLACES_TOLD]
        ]
        what = f"Call {self.target.name} again" if self.by_call else "Answer again with JSON and nothing else"
        asked = "\n".join([f"That cannot be used. {problem.reason}", *places, f"{what}, with the whole value."])
        return [*as_messages(given), *shown, HumanMessage(asked)]


def _both(first: AIMessage, second: AIMessage) -> AIMessage:
    """Make the message that stands for both attempts."""
    both = with_sums(first, second)
    return both.model_copy(update={"response_metadata": {**both.response_metadata, ATTEMPTS: [first, second]}})


def _noted(error: KimiError, problem: KimiStructuredOutputError) -> KimiError:
    """Say of a failed second call why there was one."""
    error.add_note(f"This was the second attempt. The first: {problem}")
    return error
