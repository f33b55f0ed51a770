"""Structured output: a model bound to a schema, and the parser behind it."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Literal, get_args

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableLambda, RunnableMap
from langchain_core.runnables.passthrough import RunnableAssign

from langchain_kimi._messages.structured_parsing import StructuredOutputParser
from langchain_kimi._messages.structured_schema import ANY_OBJECT, Schema, output_schema
from langchain_kimi._messages.tools import Strict, Tool, bind_arguments
from langchain_kimi.errors import KimiRequestError

Method = Literal["function_calling", "json_schema", "json_mode"]


def structured_output(  # noqa: PLR0913 - the arguments of `with_structured_output`
    model: BaseChatModel,
    schema: Schema | None,
    *,
    method: Method | None = None,
    include_raw: bool = False,
    strict: Strict = None,
    tools: Sequence[Tool] | None = None,
    default_method: Method = "function_calling",
    **kwargs: Any,
) -> Runnable[LanguageModelInput, Any]:
    """Make a runnable whose result is a value of the schema, or a `KimiStructuredOutputError`; never None.

    A stream yields what is there so far of a dict, and of a pydantic class the one validated object at its end; the
    last value is the one that `invoke` gives.

    Args:
        model: The model; for a function call its `bind_tools` is used.
        schema: A pydantic class (v1 or v2), a TypedDict, a JSON schema, an OpenAI function or tool. None is possible
            in JSON mode and gives whatever object came.
        method: `function_calling` (a call is forced), `json_schema` (the host is given the schema) or `json_mode`
            (the prompt has to ask for JSON and describe it). None takes `default_method`. Traces tell which it was.
        include_raw: Whether to give `raw`, `parsed` and `parsing_error` instead of raising for what came. A failure
            of the model itself is raised all the same. A stream of it has no growing values.
        strict: Whether the host must keep to the schema; None leaves it out.
        tools: Tools that the model may call instead of answering, with `json_schema` and `json_mode` only. With
            `include_raw` their calls are in `raw`, without it they are an error.
        default_method: What fits the model.
        **kwargs: Bound with the rest; `tool_choice` and `parallel_tool_calls` replace what is bound otherwise.

    Raises:
        KimiRequestError: (also a `ValueError`) The method is unknown, or the schema is none or missing.
    """
    method = method or default_method
    if method not in get_args(Method):
        raise KimiRequestError(f"Unknown method {method!r}; there are {', '.join(get_args(Method))}.")
    if schema is None and method != "json_mode":
        raise KimiRequestError(f'method="{method}" needs a schema; only json_mode does without.')
    by_call = method == "function_calling"
    if by_call and tools:
        raise KimiRequestError("A forced call leaves no room for other tools.", advice='Pass method="json_schema".')
    target = ANY_OBJECT if schema is None else output_schema(schema)
    traced = {
        "kwargs": {"method": method, "strict": strict},
        "schema": None if schema is None else {"type": "function", "function": target.function},
    }
    arguments = {"strict": strict, "ls_structured_output_format": traced, **kwargs}
    if by_call:
        chosen = {"tool_choice": target.name, "parallel_tool_calls": False}
        bound: Runnable[LanguageModelInput, AIMessage] = model.bind_tools([target.tool()], **{**chosen, **arguments})
    else:
        answer = target.response_format(strict=strict) if method == "json_schema" else {"type": "json_object"}
        bound = model.bind(**bind_arguments(tools or (), **{"response_format": answer, **arguments}))
    parser = StructuredOutputParser(target=target, by_call=by_call)
    return _with_raw(bound, parser) if include_raw else bound | parser


def _with_raw(
    model: Runnable[LanguageModelInput, AIMessage], parser: StructuredOutputParser
) -> Runnable[LanguageModelInput, Any]:
    parsed: RunnableMap[Any] = RunnableMap(parsed=itemgetter("raw") | parser, parsing_error=_nothing)
    failed: RunnableMap[Any] = RunnableMap(parsed=_nothing)
    either = RunnableAssign(parsed).with_fallbacks([RunnableAssign(failed)], exception_key="parsing_error")
    # Called, not streamed through: streamed, the fallback would come too late, after the first part of the result.
    return RunnableMap(raw=model) | RunnableLambda(either.invoke, afunc=either.ainvoke, name="RawAndParsed")


def _nothing(_: Mapping[str, Any]) -> None:
    return None
