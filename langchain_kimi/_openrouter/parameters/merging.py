"""Check the parameters of a model's settings and of a call, and merge them into those of a request."""

from collections.abc import Iterable, Mapping
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ValidationError, model_validator

from langchain_kimi._openrouter.parameters.fields import ParameterFields
from langchain_kimi._openrouter.parameters.options import Options, ProviderPreferences
from langchain_kimi._openrouter.parameters.rules import described
from langchain_kimi.errors import KimiUsageError

OTHER_NAMES = {"stop_sequences": "stop", "openrouter_provider": "provider"}
"""Aliases of parameters, in the constructor and in a call."""

WIRE_NAMES = {"request_metadata": "metadata"}
"""OpenRouter's names of fields that have another name here, because a LangChain model has its own `metadata`."""

_NAMES = tuple(ParameterFields.model_fields)
PARAMETERS = tuple(WIRE_NAMES.get(name, name) for name in _NAMES)
"""OpenRouter's names of all parameters, in the order in which they are sent."""

FIELDS: dict[str, str] = {
    **OTHER_NAMES,
    **{name: name for name in ParameterFields.model_fields},
    "metadata": "request_metadata",
}
"""The names of parameters in a call, and the fields that they set."""
_values_of = itemgetter(*_NAMES)
_UNSET = tuple(field.default for field in ParameterFields.model_fields.values())
_OPTIONS = ("provider", "plugins", "reasoning", "prediction", "cache_control")


if TYPE_CHECKING:

    class OtherNames(BaseModel):
        """The other names of parameters, for type checkers and editors."""

        stop_sequences: str | list[str] | None = None
        """Another name for `stop`."""
        openrouter_provider: ProviderPreferences | dict[str, Any] | None = None
        """Another name for `provider`."""
else:
    OtherNames = BaseModel


class RequestParameters(ParameterFields, OtherNames):
    """The request parameters as settings of a model; a base class to combine with LangChain's `BaseChatModel`.

    Raises:
        pydantic.ValidationError: A value is outside its range. The error names the range, and repeats neither long
            strings nor anything that looks like a key.
    """

    @model_validator(mode="before")
    @classmethod
    def _resolve_aliases(cls, arguments: Any) -> Any:
        return _renamed(arguments, OTHER_NAMES) if isinstance(arguments, Mapping) else arguments

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        error = _contradiction(self.__dict__) or _missing_logprobs(self.__dict__)
        if error:
            raise ValueError(error)
        return self


for _name, _field in OTHER_NAMES.items():
    setattr(RequestParameters, _name, property(attrgetter(_field), doc=f"Another name for `{_field}`."))


def wire_parameters(settings: ParameterFields) -> dict[str, Any]:
    """Return the parameters that are set, JSON-ready, with their wire names and in the order of `PARAMETERS`."""
    values = _values_of(vars(settings))
    # This function runs three times for each call, and most models set none or few of the 50 parameters.
    if values == _UNSET:
        return {}
    return {
        WIRE_NAMES.get(name, name): _json_ready(value)
        for name, value in zip(_NAMES, values, strict=True)
        if value is not None and not (name == "n" and value == 1)
    }


def options_as_dicts(settings: ParameterFields) -> dict[str, Any]:
    """Return the option objects that are set as dicts, which the constructor also accepts; for serialization."""
    return {name: value for name, value in wire_parameters(settings).items() if name in _OPTIONS}


def checked(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Check the parameters of one call.

    Args:
        parameters: The arguments of the call, by field names, aliases or OpenRouter's names.

    Returns:
        The parameters by OpenRouter's names, JSON-ready, in the order of `PARAMETERS`. Values that mean "not sent"
        (None, an empty list or string, `n=1`) are None, so that `merged` removes the model's own setting. Unknown
        parameters come last and are unchanged, because they may be new.

    Raises:
        KimiUsageError: Values are outside their range or contradict each other; the text lists all problems.
    """
    if not parameters:
        return {}
    unknown = {name: value for name, value in parameters.items() if name not in FIELDS}
    try:
        renamed = _renamed({name: value for name, value in parameters.items() if name in FIELDS}, FIELDS)
        fields = ParameterFields.model_validate({name: value for name, value in renamed.items() if value is not None})
    except ValidationError as error:
        raise KimiUsageError(f"Nothing was sent. {_problems(error)}") from None
    except ValueError as error:
        raise KimiUsageError(f"Nothing was sent. {error}") from None
    problem = _contradiction(fields.__dict__)
    if problem:
        raise KimiUsageError(f"Nothing was sent. {problem}")
    return {**_on_wire(fields, [name for name in _NAMES if name in renamed]), **unknown}


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Merge parameters by OpenRouter's names: later layers override earlier ones, and None removes a parameter.

    Objects such as `provider` are replaced, not merged. Two parameters with the same meaning override each other: a
    later `max_completion_tokens` replaces `max_tokens`, a later `reasoning_effort` replaces the effort of `reasoning`,
    and vice versa.

    Raises:
        KimiUsageError: `top_logprobs` remains without `logprobs`.
    """
    total: dict[str, Any] = {}
    if not any(layers):
        return total
    for layer in layers:
        if total and layer:
            _remove_overridden(total, layer)
        total.update(layer)
    documented = {name: total.pop(name) for name in PARAMETERS if name in total}
    result = {name: value for name, value in {**documented, **total}.items() if value is not None}
    error = _missing_logprobs(result)
    if error:
        raise KimiUsageError(f"Nothing was sent. {error}")
    return result


def _renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the values by field names; raise a `ValueError` if two names of a field have different values."""
    renamed: dict[str, Any] = {}
    for name, value in values.items():
        field = names.get(name, name)
        earlier = renamed.get(field)
        if earlier is None:
            renamed[field] = value
        elif value is not None and value != earlier:
            raise ValueError(f"{name}: an alias of {field}, which has a different value")
    return renamed


def _on_wire(fields: ParameterFields, names: Iterable[str]) -> dict[str, Any]:
    """Return the values of these fields by OpenRouter's names, JSON-ready; None for those that are not sent."""
    values = {name: getattr(fields, name) for name in names}
    if values.get("n") == 1:
        values["n"] = None
    return {WIRE_NAMES.get(name, name): _json_ready(value) for name, value in values.items()}


def _json_ready(value: Any) -> Any:
    if isinstance(value, Options):
        return value.to_wire()
    return [_json_ready(item) for item in value] if isinstance(value, list) else value


def _contradiction(values: Mapping[str, Any]) -> str | None:
    reasoning, effort = values.get("reasoning"), values.get("reasoning_effort")
    if reasoning is None or effort is None:
        return None
    if reasoning.max_tokens is not None:
        return "reasoning_effort: an alternative to reasoning.max_tokens; set one of them"
    if reasoning.effort not in (None, effort):
        return f"reasoning_effort: is {described(effort)}, but reasoning.effort is {described(reasoning.effort)}"
    return None


def _missing_logprobs(values: Mapping[str, Any]) -> str | None:
    if values.get("top_logprobs") is not None and not values.get("logprobs"):
        return "top_logprobs: requires logprobs=True"
    return None


def _remove_overridden(total: dict[str, Any], layer: Mapping[str, Any]) -> None:
    """Remove the parameters from `total` that the next layer overrides under another name."""
    for name, twin in (("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")):
        if layer.get(name) is not None:
            total.pop(twin, None)
    if layer.get("reasoning_effort") is not None and total.get("reasoning"):
        total["reasoning"] = _without_amount(total["reasoning"]) or None
    reasoning = layer.get("reasoning")
    if reasoning and reasoning != _without_amount(reasoning):
        total.pop("reasoning_effort", None)


def _without_amount(reasoning: Mapping[str, Any]) -> dict[str, Any]:
    amount = {"effort", "max_tokens"} | ({"enabled"} if reasoning.get("enabled") is False else set())
    return {key: value for key, value in reasoning.items() if key not in amount}


def _problems(error: ValidationError) -> str:
    return "; ".join(_problem(detail["loc"], detail) for detail in error.errors(include_url=False))


def _problem(location: tuple[int | str, ...], detail: Mapping[str, Any]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")
    if detail["type"] == "value_error":
        return f"{path}: {detail['ctx']['error']}"
    return f"{path}: {detail['msg']}, got {described(detail['input'])}"
