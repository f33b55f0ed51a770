"""The run that a stream belongs to, so that its retries are told to the run's callbacks."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForLLMRun,
    CallbackManager,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatResult
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config
from langchain_core.utils.uuid import uuid7

from langchain_kimi._messages.request import TOLD

_generating: ContextVar[tuple[list[BaseMessage], Any] | None] = ContextVar("langchain_kimi_generating", default=None)
"""The messages of a run whose answer LangChain may make of a stream's chunks, and the run."""


class TellsOfRetries(BaseChatModel, defer_build=True):
    """A chat model whose streams tell their run of retries.

    LangChain hands a run manager to `_generate`, but none to `_stream`: neither where it streams to the user, nor where
    it adds the chunks up because somebody watches. There the manager is known to what calls `_stream`; for the user's
    streams it is put together here, of the same handlers and with the same id as the run's own.
    """

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Stream an answer; see `BaseChatModel.stream`."""
        if self._should_stream(async_api=False, **{**kwargs, "stream": True}):
            config = ensure_config(config)
            manager = CallbackManager.configure(*self._listeners(config))
            config, kwargs = _followed(CallbackManagerForLLMRun, manager, config, kwargs)
        return super().stream(input, config, **kwargs)

    def astream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Stream an answer, awaiting it; see `BaseChatModel.astream`."""
        if self._should_stream(async_api=True, **{**kwargs, "stream": True}):
            config = ensure_config(config)
            manager = AsyncCallbackManager.configure(*self._listeners(config))
            config, kwargs = _followed(AsyncCallbackManagerForLLMRun, manager, config, kwargs)
        return super().astream(input, config, **kwargs)

    def _listeners(self, config: RunnableConfig) -> tuple[Any, ...]:
        return config.get("callbacks"), self.callbacks, self.verbose, config.get("tags"), self.tags

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        kwargs.pop(TOLD, None)
        return super()._get_invocation_params(stop=stop, **kwargs)

    def _generate_with_cache(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        token = _generating.set((messages, run_manager))
        try:
            return super()._generate_with_cache(messages, stop=stop, run_manager=run_manager, **kwargs)
        finally:
            _generating.reset(token)

    async def _agenerate_with_cache(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        token = _generating.set((messages, run_manager))
        try:
            return await super()._agenerate_with_cache(messages, stop=stop, run_manager=run_manager, **kwargs)
        finally:
            _generating.reset(token)


def run_of(messages: list[BaseMessage], run_manager: Any, kwargs: Mapping[str, Any]) -> Any:
    """Find the run manager of a call: the one that it was given, or the one that its stream belongs to.

    Args:
        messages: What the call was given, the very list: other calls may be made while a run goes on.
        run_manager: What LangChain gave with them.
        kwargs: The call's other arguments.
    """
    if run_manager is not None:
        return run_manager
    generating = _generating.get()
    return generating[1] if generating and generating[0] is messages else kwargs.get(TOLD)


def _followed(
    kind: Any, manager: Any, config: RunnableConfig, kwargs: dict[str, Any]
) -> tuple[RunnableConfig, dict[str, Any]]:
    """Give a stream's config and arguments, with which its run has these handlers and its call knows them."""
    if not manager.handlers:
        return config, kwargs
    run_id = config.get("run_id") or uuid7()
    run = kind(
        run_id=run_id,
        handlers=manager.handlers,
        inheritable_handlers=manager.inheritable_handlers,
        parent_run_id=manager.parent_run_id,
        tags=manager.tags,
    )
    # The manager, not a list of its handlers: LangChain makes a tracer of its own where it is given a list without one.
    return {**config, "callbacks": manager, "run_id": run_id}, {**kwargs, TOLD: run}
