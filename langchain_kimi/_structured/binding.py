"""The part of a chat model that makes structured output, typed by what it is given."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableBinding
from pydantic import BaseModel

from langchain_kimi._structured.plan import Method

if TYPE_CHECKING:
    # It types the events of a binding (`stream_events(version="v3")`), and does the same as its public base.
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
        return self._bound_with(self._model.with_structured_output, schema, kwargs)

    @property
    def _model(self) -> "MakesStructuredOutput":
        return cast("MakesStructuredOutput", self.bound)

    def _bound_with(
        self, bind: Callable[..., Runnable[LanguageModelInput, T]], target: Any, kwargs: dict[str, Any]
    ) -> Runnable[LanguageModelInput, T]:
        earlier = {key: value for key, value in self.kwargs.items() if key not in _REPLACED_BY_OTHER_TOOLS}
        runnable = bind(target, **{**earlier, **kwargs})
        return runnable.with_config(self.config) if self.config else runnable


class MakesStructuredOutput(BaseChatModel, defer_build=True):
    """A chat model whose `with_structured_output` knows what Kimi can do, and says what comes out of it."""

    def bind(self, **kwargs: Any) -> ModelBinding:
        """Bind parameters to the model; they stay when tools or a schema follow."""
        return ModelBinding(bound=self, kwargs=kwargs, config={})

    @overload
    def with_structured_output(
        self,
        schema: type[T],
        *,
        method: Method | None = None,
        include_raw: Literal[False] = False,
        strict: bool | None = None,
        repair: int = 0,
        partial: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, T]: ...

    @overload
    def with_structured_output(
        self,
        schema: dict[str, Any] | None = None,
        *,
        method: Method | None = None,
        include_raw: bool = False,
        strict: bool | None = None,
        repair: int = 0,
        partial: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any]]: ...

    @overload
    def with_structured_output(
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        method: Method | None = None,
        include_raw: Literal[True],
        strict: bool | None = None,
        repair: int = 0,
        partial: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any]]: ...

    @overload
    def with_structured_output(
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        method: Method | None = None,
        include_raw: bool = False,
        strict: bool | None = None,
        repair: int = 0,
        partial: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]: ...

    def with_structured_output(  # noqa: PLR0913 - its options, by name
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        method: Method | None = None,
        include_raw: bool = False,
        strict: bool | None = None,
        repair: int = 0,
        partial: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Make a runnable that answers with an object of `schema`: the value, or a typed error, never None.

        A stream yields what is there so far of a dict, and of a pydantic class the one object at its end. A value in
        a forced call that leaked into the text as markup is yielded once, at its end. None is a value only of a JSON
        schema that allows null. The hosts are asked to know the format (`provider.require_parameters`), unless you
        have said something about that.

        Args:
            schema: A pydantic class (v2 or v1), a TypedDict, a JSON schema or an OpenAI function.
            method: `"function_calling"`, `"json_schema"` or `"json_mode"`. By default what the model can do in this
                request: a forced function call if it does not think, else `"json_schema"`, or, where that is not
                supported, `"json_mode"` with the schema written into the prompt. A Kimi that thinks cannot be
                forced: with `"function_calling"` it is only offered the call, and a warning says so.
            include_raw: Whether to give `{"raw", "parsed", "parsing_error"}` instead of raising for a bad answer.
            strict: Whether the host must enforce the schema. None leaves it to the host, but where the method is
                chosen for you, the schema loses nothing by it and you chose no hosts by name, it is sent as strict.
            repair: 1 shows the model an answer that does not fit, with what is wrong, and asks again, once. The raw
                message then has the tokens and the cost of both, and both in `response_metadata["attempts"]`; a
                stream has the final value only.
            partial: Whether a stream of a pydantic class yields growing objects, in which nothing is checked: fields
                that have not come are missing or have their defaults, and what is inside is still plain dicts. The
                last one is whole and validated.
            **kwargs: Further parameters, bound with the schema; among them `tools`, which the model may call instead
                of answering, with the JSON methods.

        Raises:
            ValueError: the method is unknown, or it needs a schema and there is none.
        """
        from langchain_kimi._structured.plan import structured_output  # noqa: PLC0415 - as in `loading`

        return structured_output(
            self,
            schema,
            method=method,
            include_raw=include_raw,
            strict=strict,
            repair=repair,
            partial=partial,
            **kwargs,
        )
