"""Add the `llm_output` to streamed replies, which langchain-core leaves out."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager, Callbacks
from langchain_core.outputs import ChatGeneration, ChatResult, LLMResult
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config

from langchain_kimi._reply.messages import generation_info, llm_output


def with_output(result: ChatResult) -> ChatResult:
    """Add the `llm_output` to a result of a streaming model. A cached result does not get one."""
    if result.llm_output is None:
        result.llm_output = _output_of(result.generations[:1])
    return result


Method = TypeVar("Method", bound=Callable[..., Any])


def reporting(method: Method) -> Method:
    """Decorate a streaming method of a chat model so that its callbacks get the `llm_output`.

    The decorated method returns the iterator of the original one, so that deltas do not take longer.
    """

    @wraps(method)
    def call(self: Any, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002 - its name
        return method(self, input, with_output_handler(config, self.callbacks), **kwargs)

    return cast("Method", call)


def with_output_handler(config: RunnableConfig | None, own: Callbacks) -> RunnableConfig | None:
    """Return a config in which callbacks get the `llm_output` of streams; the same config if there are no callbacks.

    Args:
        config: The config of the call; None: the config of the surrounding run.
        own: The model's own callbacks.
    """
    complete = ensure_config(config)
    callbacks = complete.get("callbacks")
    if isinstance(callbacks, BaseCallbackManager):
        callbacks = callbacks.copy()
        # The handler comes first, because callbacks are called in order.
        callbacks.handlers = [HANDLER, *callbacks.handlers]
    elif callbacks or own:
        callbacks = [HANDLER, *(callbacks or ())]
    else:
        return config
    return {**complete, "callbacks": callbacks}


class _Outputs(BaseCallbackHandler):
    """Adds the `llm_output` to the results of streams, and the `generation_info` to those of event streams."""

    run_inline = True
    """Async callbacks that run inline come before the others."""
    ignore_chain = ignore_agent = ignore_retriever = ignore_retry = ignore_chat_model = True

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        generations = response.generations[0][:1] if response.generations else []
        if response.llm_output is None:
            response.llm_output = _output_of(generations)
        for generation in generations:
            if generation.generation_info is None and isinstance(generation, ChatGeneration):
                generation.generation_info = generation_info(generation.message.response_metadata)


HANDLER = _Outputs()


def _output_of(generations: Any) -> dict[str, Any] | None:
    for generation in generations:
        message = generation.message if isinstance(generation, ChatGeneration) else None
        metadata = message.response_metadata if message else {}
        if metadata and not (metadata.get("kimi") or {}).get("from_cache"):
            return llm_output(metadata)
    return None
