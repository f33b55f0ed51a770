"""Choose the method of structured output, and build its runnable: a model bound to a schema, and a parser."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast, get_args

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable

from langchain_kimi._kimi.families import family, thinks
from langchain_kimi._kimi.forced_choice import without_forced_choice
from langchain_kimi._kimi.profiles import profile
from langchain_kimi._openrouter.parameters.merging import checked, merged
from langchain_kimi._openrouter.warning import warn_user
from langchain_kimi._openrouter.wire import JSONObject, WireBody
from langchain_kimi._schemas.output import ANY_OBJECT, OutputSchema, Schema, output_schema
from langchain_kimi._schemas.tools import Strict, Tool, bind_arguments
from langchain_kimi._structured.parser import RawAndParsed, StructuredOutputParser
from langchain_kimi._structured.prompting import InstructedModel, RepairingModel, instruction_for
from langchain_kimi.errors import KimiUsageError

Method = Literal["function_calling", "json_schema", "json_mode"]


def output_method(
    slugs: Sequence[str], parameters: Mapping[str, Any], own_profile: Mapping[str, Any] | None = None
) -> Method:
    """Return the method that all models of a request support.

    A call is forced only on models that do not reason in this request, because reasoning and a forced call exclude
    each other. Other models get the schema, or JSON mode if they do not support schemas. A model without a profile is
    assumed to support everything.

    Args:
        slugs: The model and its fallbacks (`models`).
        parameters: The request's parameters, of which `reasoning` and `reasoning_effort` are read.
        own_profile: The user's profile of the first model, which replaces the built-in one.
    """
    profiles = [profile(slug) for slug in slugs]
    if own_profile:
        profiles[:1] = [dict(own_profile)]
    if all(
        not thinks(slug, parameters) and _supports_forced_call(slug, facts)
        for slug, facts in zip(slugs, profiles, strict=True)
    ):
        return "function_calling"
    return "json_schema" if all(_supports(facts, "structured_output") for facts in profiles) else "json_mode"


def _supports_forced_call(slug: str, facts: JSONObject | None) -> bool:
    if not _supports(facts, "tool_calling"):
        return False
    # According to the profiles, no model that may reason supports a forced call. Models whose reasoning can be switched
    # off accept it without reasoning.
    own = family(slug)
    return _supports(facts, "tool_choice") or (own is not None and own.thinking == "switchable")


def _supports(facts: JSONObject | None, ability: str) -> bool:
    return facts is None or bool(facts.get(ability, True))


OUTPUT_CLASSES = (StructuredOutputParser, RawAndParsed, RepairingModel, InstructedModel)
"""The classes of structured output that LangChain dumps."""

_READ_PARAMETERS = ("model", "model_name", "models", "reasoning", "reasoning_effort", "provider", "openrouter_provider")


def structured_output(  # noqa: PLR0913 - the arguments of `with_structured_output`
    model: BaseChatModel,
    schema: Schema | None,
    /,
    *,
    method: Method | None = None,
    include_raw: bool = False,
    strict: Strict = None,
    tools: Sequence[Tool] | None = None,
    repair: int = 0,
    partial: bool = False,
    **kwargs: Any,
) -> Runnable[LanguageModelInput, Any]:
    """Return the runnable of `with_structured_output`.

    Args:
        model: The model; its `bind_tools` is used for a function call.
        schema: The schema. None is allowed in JSON mode; the value is then any object.
        method: The method. None chooses one that the models support in this request (see `output_method`); traces
            show the choice.
        include_raw: Whether to return the raw message as well. Errors of the model itself are still raised, and a
            stream has no growing values.
        strict: Whether the host must enforce the schema. None lets the package choose if it also chooses the method.
        tools: Tools that the model may call instead of answering, with the JSON methods only. With `include_raw` the
            calls are in `raw`; without it they are an error.
        repair: The number of further requests after an invalid answer: 0 or 1 (see `RepairingModel`).
        partial: Whether a stream of a pydantic class yields growing objects.
        **kwargs: Further parameters to bind; `tool_choice` and `parallel_tool_calls` replace the defaults.

    Raises:
        KimiUsageError: (also a `ValueError`) The method is unknown, or the schema is missing or invalid.
    """
    _check(schema, method, repair)
    request = _Request(model, kwargs)
    target = ANY_OBJECT if schema is None else output_schema(schema)
    chosen = method or request.method
    if method is None and strict is None:
        strict = request.strictness(chosen, target)
    if chosen == "function_calling" and tools:
        raise KimiUsageError("A forced call excludes other tools.", advice='Pass method="json_schema".')
    traced = {"kwargs": {"method": chosen, "strict": strict}, "schema": target.traced if schema is not None else None}
    by_call = chosen == "function_calling"
    grows = (partial or target.model is None) and not (repair or include_raw)
    arguments = {"ls_structured_output_format": traced, **kwargs}
    bound = request.bound(target, chosen, strict, tools or (), arguments)
    if method is None and chosen == "json_mode":
        bound = InstructedModel(model=bound, instruction=instruction_for(target))
    if repair:
        bound = RepairingModel(model=bound, target=target, by_call=by_call)
    parser = StructuredOutputParser(target=target, by_call=by_call, grows=grows)
    return bound | (RawAndParsed(parser=parser) if include_raw else parser)


def _check(schema: Schema | None, method: Method | None, repair: int) -> None:
    if method not in (None, *get_args(Method)):
        raise KimiUsageError(f"Unknown method {method!r}; choose one of {', '.join(get_args(Method))}.")
    if schema is None and method != "json_mode":
        raise KimiUsageError("Every method but json_mode needs a schema.", advice='Or pass method="json_mode".')
    if repair not in (0, 1):
        raise KimiUsageError("repair must be 0 or 1: a bad answer is requested again once or not at all.")


class _Request:
    """The parameters of future requests: the model's own, and the bound ones, which override them."""

    def __init__(self, model: BaseChatModel, kwargs: Mapping[str, Any]) -> None:
        self._model = model
        own = {key: value for key, value in model.asdict().items() if key in _READ_PARAMETERS}
        bound = checked({key: value for key, value in kwargs.items() if key in _READ_PARAMETERS})
        self._layers = (own, bound)
        self._parameters = merged(*self._layers)
        bound_slug = bound.get("model") or bound.get("model_name")
        self._slugs = [bound_slug or own.get("model") or "", *self._parameters.get("models", ())]
        self._profile = None if bound_slug else model.profile

    @property
    def method(self) -> Method:
        """The method that the models support."""
        return output_method(self._slugs, self._parameters, self._profile)

    def strictness(self, method: Method, target: OutputSchema) -> Strict:
        """Return whether to send a schema as strict if the user left the choice to the package."""
        provider = self._parameters.get("provider") or {}
        # Some of the hosts that users choose by name refuse strict schemas.
        has_chosen_hosts = provider.get("only") or provider.get("order")
        is_strict = method == "json_schema" and not has_chosen_hosts and target.can_be_strict()
        return True if is_strict else None

    def bound(
        self,
        target: OutputSchema,
        method: Method,
        strict: Strict,
        tools: Sequence[Tool],
        arguments: Mapping[str, Any],
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with the schema bound as the method requires."""
        if method == "function_calling":
            # Kimi's hosts do not list `parallel_tool_calls`: with `require_parameters` no host would be left.
            requires_all = (self._parameters.get("provider") or {}).get("require_parameters")
            one_call = {} if requires_all else {"parallel_tool_calls": False}
            tool = target.tool(strict=strict)
            choice = "auto" if self._cannot_force(tool, arguments) else target.name
            return self._model.bind_tools([tool], **{"tool_choice": choice, **one_call, **arguments})
        answer = target.response_format(strict=strict) if method == "json_schema" else {"type": "json_object"}
        format_arguments = {"response_format": answer, **arguments, **self._provider()}
        if "provider" in format_arguments:
            format_arguments.pop("openrouter_provider", None)
        return self._model.bind(**bind_arguments(tools, **format_arguments))

    def _cannot_force(self, tool: JSONObject, arguments: Mapping[str, Any]) -> bool:
        """Return whether the repair `tool_choice` would not force a call, because the models reason; warn if so."""
        if "tool_choice" in arguments:
            return False
        first, *fallbacks = self._slugs
        choice = {"type": "function", "function": {"name": tool["function"]["name"]}}
        body = {**self._parameters, "model": first, "models": fallbacks, "tools": [tool], "tool_choice": choice}
        if without_forced_choice(cast("WireBody", body)).get("tool_choice") != "auto":
            return False
        reasoning = next(slug for slug in self._slugs if thinks(slug, self._parameters))
        warn_user(
            f"{reasoning} reasons, and reasoning excludes a forced call: the model may answer without a call, which "
            f'is an error. Pass method="json_schema", or no method at all.'
        )
        return True

    def _provider(self) -> dict[str, Any]:
        """Return a `provider` that excludes hosts without support of the format, unless the user decided about it."""
        if any("require_parameters" in (layer.get("provider") or {}) for layer in self._layers):
            return {}
        return {"provider": {**(self._parameters.get("provider") or {}), "require_parameters": True}}
