"""A chat model with bound parameters that stay bound when tools or a schema follow."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableBinding

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


class ModelBinding(Binding):  # type: ignore[no-redef]  # a field is called kwargs, as in the base
    """A chat model with bound parameters that stay bound when tools or a schema are bound later.

    LangChain's own binding calls `bind_tools` and `with_structured_output` of the model inside, and earlier parameters
    are lost. Here only earlier tools and formats are replaced.
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

    @property
    def _model(self) -> BaseChatModel:
        return cast("BaseChatModel", self.bound)

    def _bound_with(
        self, bind: Callable[..., Runnable[LanguageModelInput, T]], target: Any, kwargs: dict[str, Any]
    ) -> Runnable[LanguageModelInput, T]:
        earlier = {key: value for key, value in self.kwargs.items() if key not in _REPLACED_BY_OTHER_TOOLS}
        runnable = bind(target, **{**earlier, **kwargs})
        return runnable.with_config(self.config) if self.config else runnable
