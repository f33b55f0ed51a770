"""The parameters of a request: a model's settings, a call's arguments, and how the one overrules the other."""

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ValidationError, model_validator

from langchain_kimi._openrouter.parameters.fields import ParameterFields
from langchain_kimi._openrouter.parameters.options import Options, ProviderPreferences
from langchain_kimi._openrouter.parameters.rules import described
from langchain_kimi.errors import KimiUsageError

OTHER_NAMES = {"stop_sequences": "stop", "openrouter_provider": "provider"}
"""What else a parameter may be called, in a constructor and in a call."""

WIRE_NAMES = {"request_metadata": "metadata"}
"""The wire's names of fields that are called otherwise, since a LangChain model has a `metadata` of its own."""

_NAMES = tuple(ParameterFields.model_fields)
PARAMETERS = tuple(WIRE_NAMES.get(name, name) for name in _NAMES)
"""The wire's names of all parameters, in the order in which they are sent."""

_FIELDS = {**OTHER_NAMES, **{name: name for name in ParameterFields.model_fields}, "metadata": "request_metadata"}
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
    """The request parameters as settings of a model; a base for models beside LangChain's `BaseChatModel`.

    Raises `pydantic.ValidationError` for a value outside its range. The error's text names the range. It contains
    neither long texts nor anything that looks like a key.
    """

    @model_validator(mode="before")
    @classmethod
    def _use_field_names(cls, arguments: Any) -> Any:
        return _renamed(arguments, OTHER_NAMES) if isinstance(arguments, Mapping) else arguments

    @model_validator(mode="after")
    def _check_agreement(self) -> Self:
        complaint = _contradiction(self.__dict__) or _missing_partner(self.__dict__)
        if complaint:
            raise ValueError(complaint)
        return self


for _name, _field in OTHER_NAMES.items():
    setattr(RequestParameters, _name, property(attrgetter(_field), doc=f"Another name for `{_field}`."))


def wire_parameters(settings: ParameterFields) -> dict[str, Any]:
    """Return the parameters that are set, JSON-ready, with their wire names and in the order of `PARAMETERS`."""
    fields = vars(settings)
    values = _on_wire(settings, [name for name in _NAMES if fields[name] is not None])
    return {name: value for name, value in values.items() if value is not None}


def options_as_dicts(settings: ParameterFields) -> dict[str, Any]:
    """Return the option objects that are set as dicts, which the constructor also accepts; for serialization."""
    return {name: value for name, value in wire_parameters(settings).items() if name in _OPTIONS}


def checked(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Check the parameters of one call and give them by the wire's names, JSON-ready, in the order of `PARAMETERS`.

    A value that says "not sent" (None, an empty list or text, `n=1`) is given as None, so that `merged` can take away
    what the model's settings say. Parameters that are unknown here come last, as they are: they may be new.

    Raises:
        KimiUsageError: For values outside their range and for contradictions; the text names all of them.
    """
    if not parameters:
        return {}
    unknown = {name: value for name, value in parameters.items() if name not in _FIELDS}
    try:
        given = _renamed({name: value for name, value in parameters.items() if name in _FIELDS}, _FIELDS)
        fields = ParameterFields.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise KimiUsageError(f"Nothing was sent. {_complaints(error)}") from None
    except ValueError as error:
        raise KimiUsageError(f"Nothing was sent. {error}") from None
    complaint = _contradiction(fields.__dict__)
    if complaint:
        raise KimiUsageError(f"Nothing was sent. {complaint}")
    return {**_on_wire(fields, [name for name in _NAMES if name in given]), **unknown}


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Lay parameters in the wire's form over one another: later layers win, and None takes a parameter away.

    Objects such as `provider` are replaced whole. Two parameters that say the same thing count as one: a later
    `max_completion_tokens` takes the place of `max_tokens`, and a later `reasoning_effort` that of what `reasoning`
    says about how much to think; and the other way round.

    Raises:
        KimiUsageError: If `top_logprobs` is left without `logprobs`.
    """
    total: dict[str, Any] = {}
    for layer in layers:
        _overrule(total, layer)
        total.update(layer)
    known = {name: total.pop(name) for name in PARAMETERS if name in total}
    whole = {name: value for name, value in {**known, **total}.items() if value is not None}
    complaint = _missing_partner(whole)
    if complaint:
        raise KimiUsageError(f"Nothing was sent. {complaint}")
    return whole


def _renamed(given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    renamed: dict[str, Any] = {}
    for name, value in given.items():
        field = names.get(name, name)
        earlier = renamed.get(field)
        if earlier is None:
            renamed[field] = value
        elif value is not None and value != earlier:
            raise ValueError(f"{name}: another name of {field}, given twice with different values")
    return renamed


def _on_wire(fields: ParameterFields, names: Iterable[str]) -> dict[str, Any]:
    """Give the values of the named fields in wire form, None for those that are not sent."""
    values = {name: getattr(fields, name) for name in names}
    if values.get("n") == 1:
        values["n"] = None
    return {WIRE_NAMES.get(name, name): _json_ready(value) for name, value in values.items()}


def _json_ready(value: Any) -> Any:
    if isinstance(value, Options):
        return value.wire()
    return [_json_ready(item) for item in value] if isinstance(value, list) else value


def _contradiction(values: Mapping[str, Any]) -> str | None:
    reasoning, effort = values.get("reasoning"), values.get("reasoning_effort")
    if reasoning is None or effort is None:
        return None
    if reasoning.max_tokens is not None:
        return "reasoning_effort: an alternative to reasoning.max_tokens; give one of them"
    if reasoning.effort not in (None, effort):
        return f"reasoning_effort: says {described(effort)}, but reasoning.effort says {described(reasoning.effort)}"
    return None


def _missing_partner(values: Mapping[str, Any]) -> str | None:
    if values.get("top_logprobs") is not None and not values.get("logprobs"):
        return "top_logprobs: an integer from 0 to 20 that needs logprobs=True beside it"
    return None


def _overrule(total: dict[str, Any], layer: Mapping[str, Any]) -> None:
    """Take away from `total` what a coming layer says under another name."""
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


def _complaints(error: ValidationError) -> str:
    return "; ".join(_complaint(detail["loc"], detail) for detail in error.errors(include_url=False))


def _complaint(place: tuple[int | str, ...], detail: Mapping[str, Any]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")
    if detail["type"] == "value_error":
        return f"{path}: {detail['ctx']['error']}"
    return f"{path}: {detail['msg']}, got {described(detail['input'])}"
