"""A chat model with bound parameters that stay bound when tools or a schema are bound later."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.runnables.config import merge_configs

from langchain_kimi._openrouter.parameters.merging import checked

if TYPE_CHECKING:
    # It types the events of a binding (`stream_events(version="v3")`), and behaves like its public base.
    from langchain_core.language_models.chat_models import _ChatModelBinding as Binding
else:
    Binding = RunnableBinding[LanguageModelInput, AIMessage]

T = TypeVar("T")

_REPLACED_BY_OTHER_TOOLS = (
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "ls_structured_output_format",
)


_COUNTED = ("model", "model_name", "models", "provider", "openrouter_provider", "n")


class ModelBinding(Binding, defer_build=True):  # type: ignore[no-redef]  # a field is called kwargs, as in the base
    """A chat model with bound parameters that stay bound when tools or a schema are bound later.

    LangChain's own binding calls `bind_tools` and `with_structured_output` of the inner model, so that earlier
    parameters are lost. Here, only earlier tools and formats are replaced.
    """

    @classmethod
    def lc_id(cls) -> list[str]:
        """Return the class path in dumps: that of LangChain's own binding."""
        return RunnableBinding.lc_id()

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools in addition to the bound parameters; see the model's `bind_tools`."""
        return self._bound_with(self._model.bind_tools, tools, kwargs)

    def with_structured_output(
        self, schema: dict[str, Any] | type | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Return structured output with the bound parameters; see the model's `with_structured_output`."""
        return self._bound_with(cast("Any", self._model.with_structured_output), schema, kwargs)

    def request_body(self, messages: LanguageModelInput, **kwargs: Any) -> dict[str, Any]:
        """Return the JSON body that a call would send; see the model's `request_body`."""
        body: dict[str, Any] = cast("Any", self.bound).request_body(messages, **{**self.kwargs, **kwargs})
        return body

    def count_tokens(self, messages: LanguageModelInput, tools: Sequence[Any] | None = None) -> Any:
        """Count the tokens of a prompt with the bound tools, or with others; see the model's `count_tokens`."""
        return cast("Any", self._configured).count_tokens(messages, self._tools(tools))

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """Return the number of tokens of a prompt with the bound tools, or with others."""
        return self._configured.get_num_tokens_from_messages(messages, self._tools(tools))

    def estimate_cost(
        self,
        messages: LanguageModelInput,
        tools: Sequence[Any] | None = None,
        max_tokens: int | None = None,
        prices: Mapping[str, float] | None = None,
    ) -> Any:
        """Estimate the cost of a call with the bound parameters and tools; see the model's `estimate_cost`."""
        bound_limit = self.kwargs.get("max_tokens") or self.kwargs.get("max_completion_tokens")
        limit = bound_limit if max_tokens is None else max_tokens
        return cast("Any", self._configured).estimate_cost(messages, self._tools(tools), limit, prices)

    def submit_batch(self, inputs: Iterable[LanguageModelInput], **kwargs: Any) -> Any:
        """Submit inputs to the batch API with the bound parameters; see the model's `submit_batch`."""
        return cast("Any", self.bound).submit_batch(inputs, **{**self.kwargs, **self._config_of(kwargs)})

    async def asubmit_batch(self, inputs: Iterable[LanguageModelInput], **kwargs: Any) -> Any:
        """Submit inputs to the batch API asynchronously; see `submit_batch`."""
        return await cast("Any", self.bound).asubmit_batch(inputs, **{**self.kwargs, **self._config_of(kwargs)})

    def _config_of(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {**kwargs, "config": merge_configs(self.config, kwargs.get("config"))} if self.config else kwargs

    def _tools(self, tools: Sequence[Any] | None) -> Sequence[Any] | None:
        return self.kwargs.get("tools") if tools is None else tools

    @property
    def _configured(self) -> BaseChatModel:
        """The model, with the bound parameters that determine the form and the price of its prompts."""
        bound = {name: self.kwargs[name] for name in _COUNTED if self.kwargs.get(name) is not None}
        return self._model.model_copy(update=checked(bound)) if bound else self._model

    @property
    def _model(self) -> BaseChatModel:
        return cast("BaseChatModel", self.bound)

    def _bound_with(
        self, bind: Callable[..., Runnable[LanguageModelInput, T]], target: Any, kwargs: dict[str, Any]
    ) -> Runnable[LanguageModelInput, T]:
        earlier = {key: value for key, value in self.kwargs.items() if key not in _REPLACED_BY_OTHER_TOOLS}
        runnable = bind(target, **{**earlier, **kwargs})
        return runnable.with_config(self.config) if self.config else runnable
