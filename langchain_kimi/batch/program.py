"""The steps of a runnable: those before the model, the model with its bound arguments, and those after it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableSequence
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.config import merge_configs
from pydantic import BaseModel

from langchain_kimi._settings import KimiSettings
from langchain_kimi._structured.prompting import InstructedModel, RepairingModel
from langchain_kimi.errors import KimiUsageError

_FORMS = "Pass a ChatKimi, a binding of one, its structured output, or a chain of steps with one of these in it."

_LIST = "Pass a list, also for a single input."


@dataclass(frozen=True, slots=True)
class Program:
    """A runnable in three parts, of which a batch makes the middle one.

    Attributes:
        model: The chat model.
        arguments: The parameters that are bound to it.
        before: The steps that make its input.
        after: The steps that take its message.
        instructed: The runnable that adds an instruction to the messages, or None.
        config: The configuration of the steps.
    """

    model: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)
    before: tuple[Runnable[Any, Any], ...] = ()
    after: tuple[Runnable[Any, Any], ...] = ()
    instructed: InstructedModel | None = None
    config: RunnableConfig = field(default_factory=RunnableConfig)

    def messages_of(self, value: Any) -> list[BaseMessage]:
        """Return the conversation that the model is asked with.

        Args:
            value: The output of the steps before the model.
        """
        if self.instructed is not None:
            value = self.instructed._instructed(value)  # noqa: SLF001 - it does the same in a call
        messages: list[BaseMessage] = self.model._convert_input(value).to_messages()  # noqa: SLF001 - as in a call
        return messages

    def begin(self, row: Any) -> Any:
        """Return the output of the steps before the model."""
        return _through(self.before, row, self.config)

    async def abegin(self, row: Any) -> Any:
        """Return the output of the steps before the model; the async version of `begin`."""
        return await _athrough(self.before, row, self.config)

    def begin_all(self, inputs: Iterable[Any]) -> list[Any]:
        """Return the outputs of the steps before the model for all rows.

        Raises:
            KimiUsageError: The inputs are not an iterable of rows.
        """
        return [self.begin(row) for row in checked_inputs(inputs)]

    async def abegin_all(self, inputs: Iterable[Any]) -> list[Any]:
        """Return the outputs of the steps before the model for all rows; the async version of `begin_all`."""
        return [await self.abegin(row) for row in checked_inputs(inputs)]

    def finish(self, message: Any) -> Any:
        """Return the output of the steps after the model."""
        return _through(self.after, message, self.config)

    async def afinish(self, message: Any) -> Any:
        """Return the output of the steps after the model; the async version of `finish`."""
        return await _athrough(self.after, message, self.config)


def checked_inputs(inputs: Any) -> Iterable[Any]:
    """Return the inputs of a batch.

    Raises:
        KimiUsageError: They are one input. A text, for example, would become a row of each character.
    """
    if isinstance(inputs, str | bytes | Mapping | BaseModel) or not isinstance(inputs, Iterable):
        raise KimiUsageError(f"inputs must be an iterable of inputs, got {type(inputs).__name__}.", advice=_LIST)
    return inputs


def program_of(runnable: Any, config: RunnableConfig | None = None) -> Program:
    """Return the parts of a runnable.

    Args:
        runnable: The runnable.
        config: The configuration of its steps, in addition to one that is bound to it.

    Raises:
        KimiUsageError: There is no `ChatKimi` in it, or a part that would call it a second time.
    """
    program = _program(runnable)
    if program is None:
        raise KimiUsageError(f"A batch cannot run a {type(runnable).__name__}.", advice=_FORMS)
    return _alone(replace(program, config=merge_configs(program.config, config)))


def _alone(program: Program) -> Program:
    """Return a program whose requests do not depend on where earlier ones were served: a batch has one provider."""
    model = program.model
    if not (model.sticky_provider or model.auto_session):
        return program
    return replace(program, model=model.model_copy(update={"sticky_provider": False, "auto_session": False}))


def _program(runnable: Any) -> Program | None:
    if isinstance(runnable, KimiSettings):
        return Program(runnable)
    if isinstance(runnable, RunnableSequence):
        return next(filter(None, map(partial(_in_step, runnable.steps), range(len(runnable.steps)))), None)
    if isinstance(runnable, RepairingModel):
        raise KimiUsageError(
            "repair=1 asks a second time, which a batch cannot.", advice="Leave repair out, and send bad rows again."
        )
    if isinstance(runnable, InstructedModel):
        inner = _program(runnable.model)
        return None if inner is None else replace(inner, instructed=runnable)
    if isinstance(runnable, RunnableBindingBase):
        inner = _program(runnable.bound)
        if inner is None:
            return None
        arguments = {**inner.arguments, **runnable.kwargs}
        return replace(inner, arguments=arguments, config=merge_configs(inner.config, runnable.config))
    return None


def _in_step(steps: list[Any], place: int) -> Program | None:
    inner = _program(steps[place])
    if inner is None:
        return None
    before, after = (*steps[:place], *inner.before), (*inner.after, *steps[place + 1 :])
    return replace(inner, before=before, after=after)


def _through(steps: tuple[Runnable[Any, Any], ...], value: Any, config: RunnableConfig) -> Any:
    for step in steps:
        value = step.invoke(value, config)
    return value


async def _athrough(steps: tuple[Runnable[Any, Any], ...], value: Any, config: RunnableConfig) -> Any:
    for step in steps:
        value = await step.ainvoke(value, config)
    return value
