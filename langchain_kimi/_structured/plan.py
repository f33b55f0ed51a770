"""Structured output: a model bound to a schema, and the parser behind it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable

from langchain_kimi._kimi.families import family, thinks
from langchain_kimi._kimi.profiles import profile
from langchain_kimi._openrouter.parameters.merging import checked, merged
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._schemas.output import ANY_OBJECT, OutputSchema, Schema, output_schema
from langchain_kimi._schemas.strict import warn_user
from langchain_kimi._schemas.tools import Strict, Tool, bind_arguments
from langchain_kimi._structured.parser import RawAndParsed, StructuredOutputParser
from langchain_kimi._structured.prompting import InstructedModel, RepairingModel, instruction_for
from langchain_kimi.errors import KimiUsageError

Method = Literal["function_calling", "json_schema", "json_mode"]


def output_method(
    slugs: Sequence[str], parameters: Mapping[str, Any], known_profile: Mapping[str, Any] | None = None
) -> Method:
    """Choose the method that all the models of a request can follow.

    A call is forced on models that do not think in this request, because thinking and a forced call exclude each
    other. The others are given the schema, or where that is not supported asked for JSON. Of a model that is not
    listed nothing is denied.

    Args:
        slugs: The model, and those that stand in for it (`models`).
        parameters: The request's parameters, of which `reasoning` and `reasoning_effort` count.
        known_profile: The first model's profile, where the user knows better than the list.
    """
    profiles = [profile(slug) for slug in slugs]
    if known_profile:
        profiles[:1] = [dict(known_profile)]
    listed = list(zip(slugs, profiles, strict=True))
    if all(not thinks(slug, parameters) and _takes_a_forced_call(slug, known) for slug, known in listed):
        return "function_calling"
    return "json_schema" if all(_knows(known, "structured_output") for known in profiles) else "json_mode"


def _takes_a_forced_call(slug: str, known: JSONObject | None) -> bool:
    if not _knows(known, "tool_calling"):
        return False
    # Profiles deny a forced call to all that may think; those with a switch take it once that is off.
    own = family(slug)
    return _knows(known, "tool_choice") or (own is not None and own.thinks == "switchable")


def _knows(known: JSONObject | None, ability: str) -> bool:
    return known is None or bool(known.get(ability, True))


KINDS = (StructuredOutputParser, RawAndParsed, RepairingModel, InstructedModel)
"""What structured output is made of, and what LangChain dumps of it."""

_DECISIVE = ("model", "model_name", "models", "reasoning", "reasoning_effort", "provider", "openrouter_provider")


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
    """Make the runnable of `with_structured_output`, which describes the arguments as users see them.

    Args:
        model: The model; for a function call its `bind_tools` is used.
        schema: The schema. None is possible in JSON mode and gives whatever object came.
        method: The method. None takes what the model can do in this request (`output_method`), and traces tell which
            it was.
        include_raw: Whether to give raw answers as well. A failure of the model itself is raised all the same, and a
            stream of it has no growing values.
        strict: Whether the host must enforce the schema; None chooses where the method is chosen too.
        tools: Tools that the model may call instead of answering, with the JSON methods only. With `include_raw` their
            calls are in `raw`, without it they are an error.
        repair: How often a bad answer is asked for again: 0 or 1 (see `RepairingModel`).
        partial: Whether a stream of a pydantic class yields growing objects.
        **kwargs: Bound with the rest; `tool_choice` and `parallel_tool_calls` replace what is bound otherwise.

    Raises:
        KimiUsageError: (also a `ValueError`) The method is unknown, or the schema is none or missing.
    """
    _check(schema, method, repair)
    request = _Request(model, kwargs)
    target = ANY_OBJECT if schema is None else output_schema(schema)
    chosen = method or request.method
    if method is None and strict is None:
        strict = request.strictness(chosen, target)
    if chosen == "function_calling" and tools:
        raise KimiUsageError("A forced call leaves no room for other tools.", advice='Pass method="json_schema".')
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
        raise KimiUsageError(f"Unknown method {method!r}; there are {', '.join(get_args(Method))}.")
    if schema is None and method != "json_mode":
        raise KimiUsageError(f'method="{method}" needs a schema; only json_mode does without.')
    if repair not in (0, 1):
        raise KimiUsageError("repair must be 0 or 1: the model is asked again once, or not at all.")


class _Request:
    """What is known of the requests to come: the model's own settings, and what is bound over them."""

    def __init__(self, model: BaseChatModel, kwargs: Mapping[str, Any]) -> None:
        self._model = model
        own, given = ({key: said[key] for key in _DECISIVE if key in said} for said in (model.asdict(), kwargs))
        given = checked(given)
        self._layers = (own, given)
        self._parameters = merged(*self._layers)
        names = [given.get("model") or given.get("model_name"), own.get("model")]
        self._slugs = [next((name for name in names if name), ""), *self._parameters.get("models", ())]
        self._profile = None if names[0] else model.profile

    @property
    def method(self) -> Method:
        """The method that the models can follow."""
        return output_method(self._slugs, self._parameters, self._profile)

    def strictness(self, method: Method, target: OutputSchema) -> Strict:
        """Whether to send a schema as strict where nobody said so."""
        provider = self._parameters.get("provider") or {}
        # Some of the hosts that people choose by name refuse a strict schema.
        has_chosen_hosts = provider.get("only") or provider.get("order")
        fits = method == "json_schema" and not has_chosen_hosts and target.fits_strictness()
        return True if fits else None

    def bound(
        self,
        target: OutputSchema,
        method: Method,
        strict: Strict,
        tools: Sequence[Tool],
        arguments: Mapping[str, Any],
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind the schema to the model in the way of the method."""
        if method == "function_calling":
            choice = "auto" if self._must_not_force(arguments) else target.name
            # Kimi's hosts do not list `parallel_tool_calls`: one that has to know all parameters would not be found.
            must_know_all = (self._parameters.get("provider") or {}).get("require_parameters")
            one_call = {} if must_know_all else {"parallel_tool_calls": False}
            chosen = {"tool_choice": choice, **one_call, **arguments}
            return self._model.bind_tools([target.tool(strict=strict)], **chosen)
        answer = target.response_format(strict=strict) if method == "json_schema" else {"type": "json_object"}
        chosen = {"response_format": answer, **arguments, **self._provider()}
        if "provider" in chosen:
            chosen.pop("openrouter_provider", None)
        return self._model.bind(**bind_arguments(tools, **chosen))

    def _must_not_force(self, arguments: Mapping[str, Any]) -> bool:
        forced = [slug for slug in self._slugs if thinks(slug, self._parameters)]
        if not forced or "tool_choice" in arguments:
            return False
        warn_user(
            f"{forced[0]} thinks, and thinking excludes a forced call: the model may answer without one, which is an "
            f'error. Pass method="json_schema", or no method at all.'
        )
        return True

    def _provider(self) -> dict[str, Any]:
        """Have only hosts asked that know the format, unless the user has said something about that."""
        if any("require_parameters" in (layer.get("provider") or {}) for layer in self._layers):
            return {}
        return {"provider": {**(self._parameters.get("provider") or {}), "require_parameters": True}}
