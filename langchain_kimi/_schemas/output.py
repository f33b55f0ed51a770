"""What a structured output has to look like: one description of every kind of schema that LangChain's users write."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias, cast

from langchain_core.utils.function_calling import convert_to_openai_function
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel, PydanticUserError, ValidationError
from pydantic.v1 import ValidationError as ValidationErrorV1

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._schemas.strict import StrictForm, is_recursive, strict_function, unwrapped_root, without_titles
from langchain_kimi._schemas.typed_dicts import is_typed_dict, typed_dict_model
from langchain_kimi.errors import KimiUsageError

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "null": (type(None),),
}
_MOST_REFERENCES = 20


def missing_keys(schema: Mapping[str, Any], value: Mapping[str, Any]) -> list[str]:
    """List the keys that a schema requires and an object has not."""
    return [key for key in schema.get("required", ()) if key not in value]


def has_shape(schema: Any, value: Any, definitions: Mapping[str, Any], depth: int = 0) -> bool:
    """Tell whether a value is of the type, or one of the members or branches, of a schema.

    Args:
        schema: The schema, or `True`.
        value: The value.
        definitions: What the schema may refer to (`$defs`).
        depth: How many references and branches were followed; those that lead back to themselves allow anything.
    """
    if not isinstance(schema, Mapping) or depth > _MOST_REFERENCES:
        return schema is not False

    def fits(inner: Any) -> bool:
        return has_shape(inner, value, definitions, depth + 1)

    branches = [branch for word in ("anyOf", "oneOf") for branch in schema.get(word, ())]
    return (
        _has_type(schema, value)
        and _is_member(schema, value)
        and all(map(fits, schema.get("allOf", ())))
        and (not branches or any(map(fits, branches)))
        and fits(definitions.get(str(schema.get("$ref", "")).removeprefix("#/$defs/"), True))
    )


def _has_type(schema: Mapping[str, Any], value: Any) -> bool:
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else types
    if isinstance(value, dict) and missing_keys(schema, value):
        return False
    return not names or any(_is_of(name, value) for name in names)


def _is_of(name: str, value: Any) -> bool:
    if name == "integer":
        return value.is_integer() if isinstance(value, float) else type(value) is int
    return isinstance(value, _TYPES.get(name, object)) and (name != "number" or not isinstance(value, bool))


def _is_member(schema: Mapping[str, Any], value: Any) -> bool:
    members = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]
    # True is 1 for Python, but not for JSON.
    return not members or any(
        member == value and isinstance(member, bool) is isinstance(value, bool) for member in members
    )


Schema: TypeAlias = Mapping[str, Any] | type | Callable[..., Any]

_UNFIT_FOR_A_NAME = re.compile(r"[^A-Za-z0-9_-]")
_JSON_SCHEMA_WORDS = {"type", "properties", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"}
# Under this key a value that is no object travels in a call's arguments, which are always an object.
_ROOT = "root"
_PLACES_TOLD = 5


class UnfitError(ValueError):
    """A value is not of the schema.

    Attributes:
        errors: What does not fit: `type`, `loc` and `msg` of each place.
    """

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        self.errors = errors
        places = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}".removeprefix(": ") for error in errors]
        more = [f"and {len(places) - _PLACES_TOLD} more"] if len(places) > _PLACES_TOLD else []
        super().__init__("; ".join([*places[:_PLACES_TOLD], *more]))


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """A schema in the words of an OpenAI function, and how a value of it is made.

    Attributes:
        function: `name`, `description` and `parameters`, as LangChain describes the schema; `strict` if it was in it.
        definition: The whole JSON schema. LangChain's description loses what is recursive in it, and of TypedDicts
            what may be null.
        model: The pydantic class (v1 or v2) that validates, or None where plain dicts are wanted.
        is_typed_dict: Whether the schema was a TypedDict.
    """

    function: JSONObject
    definition: JSONObject
    model: type | None = None
    is_typed_dict: bool = False

    @property
    def name(self) -> str:
        """The name on the wire: what the schema's own name has beyond letters, digits, `_` and `-` becomes `_`."""
        return wire_name(self.function["name"])

    @property
    def is_object(self) -> bool:
        """Whether a value is a JSON object; `RootModel[list[int]]` is not."""
        schema = self.definition
        return bool(schema.get("type", "object") == "object" and not {"anyOf", "oneOf", "enum"} & set(schema))

    @property
    def traced(self) -> JSONObject:
        """The form in which traces show it."""
        return {"type": "function", "function": self.function}

    def tool(self, *, strict: bool | None = None) -> JSONObject:
        """Return the tool whose arguments are the value, or hold it as `root` when it is no object."""
        function = {**self.function, "name": self.name}
        strict = function.get("strict", strict)
        if strict or self.is_typed_dict or is_recursive(self.definition):
            function["parameters"] = self.definition
        if not self.is_object:
            function["parameters"] = _held(function["parameters"])
        return {"type": "function", "function": _with_strict(function, strict=strict)}

    def response_format(self, *, strict: bool | None) -> JSONObject:
        """Return the `json_schema` form of `response_format`; a `strict` inside the schema wins over the argument."""
        strict = self.function.get("strict", strict)
        schema = _held(self.definition) if strict and not self.is_object else self.definition
        function = _with_strict({"name": self.name, "parameters": schema}, strict=strict)
        json_schema = {"name": self.name}
        if description := self.function.get("description"):
            json_schema["description"] = description
        json_schema["schema"] = function["parameters"]
        if "strict" in function:
            json_schema["strict"] = function["strict"]
        return {"type": "json_schema", "json_schema": json_schema}

    def fits_strictness(self) -> bool:
        """Tell whether the schema can be sent as a strict one without a loss, or values that are made up."""
        form = StrictForm(self.definition if self.is_object else _held(self.definition))
        return not (form.obstacles or form.must_be_there)

    def unwrap(self, value: Any) -> Any:
        """Take a value that is no object out of the object that it travelled in."""
        if not self.is_object and isinstance(value, dict) and set(value) == {_ROOT}:
            return value[_ROOT]
        return value

    def fit(self, value: Any) -> Any:
        """Return the validated object of the pydantic class, or the value itself for other schemas.

        Of other schemas only the outermost shape is checked: the type, the keys that are required, and the members
        of an enum. None is a value only where the schema itself allows null.

        Raises:
            UnfitError: It does not fit.
        """
        value = self.unwrap(value)
        return self._fit_plain(value) if self.model is None else _validated(self.model, value)

    def loose(self, value: Any) -> Any:
        """Return a part of a value: an object of the pydantic class with nothing checked, or the part itself."""
        if self.model is None or not isinstance(value, dict):
            return value
        construct = getattr(self.model, "model_construct", None) or self.model.construct  # type: ignore[attr-defined]  # pydantic.v1's
        return construct(**value)

    def _fit_plain(self, value: Any) -> Any:
        if self.is_object:
            if not isinstance(value, dict):
                raise UnfitError([{"type": "dict_type", "loc": (), "msg": "Input should be an object"}])
            if missing := missing_keys(self.definition, value):
                raise UnfitError([{"type": "missing", "loc": (key,), "msg": "Field required"} for key in missing])
        elif not has_shape(self.definition, value, self.definition.get("$defs", {})):
            message = f"Input should be another value than this {type(value).__name__}"
            raise UnfitError([{"type": "shape", "loc": (), "msg": message}])
        return value


ANY_OBJECT = OutputSchema({"name": "", "parameters": {"type": "object"}}, {"type": "object"})
"""What JSON mode gives without a schema."""


def wire_name(name: str) -> str:
    """Return a name as OpenRouter allows it: at most 64 letters, digits, `_` and `-`."""
    return _UNFIT_FOR_A_NAME.sub("_", name)[:64] or "output"


def output_schema(schema: Schema) -> OutputSchema:
    """Describe a schema: a pydantic class (v1 or v2), a TypedDict, a JSON schema, an OpenAI function or tool.

    Raises:
        KimiUsageError: It is none of these.
    """
    if isinstance(schema, Mapping):
        function = _function_of(dict(schema))
        return OutputSchema(function, unwrapped_root(function["parameters"]))
    if is_typed_dict(schema):
        return _of_typed_dict(cast("type", schema))
    if isinstance(schema, type) and issubclass(schema, Enum):
        # LangChain would describe the arguments of `Enum` itself.
        raise _no_schema(schema, "An enum is no object.")
    function = _converted(schema)
    if isinstance(schema, type) and is_basemodel_subclass(schema):
        return OutputSchema(function, _definition(schema), schema)
    return OutputSchema(function, function["parameters"])


def _of_typed_dict(schema: type) -> OutputSchema:
    try:
        model = typed_dict_model(schema)
        definition = _definition(model)
    except (TypeError, NameError, PydanticUserError) as error:
        raise _no_schema(schema, error) from error
    try:
        function = convert_to_openai_function(schema)
    except (KeyError, TypeError, ValueError, RuntimeError):
        # LangChain has no words for keys that may be missing, nor for a TypedDict inside itself.
        function = convert_to_openai_function(model)
    properties = {
        # The descriptions of a docstring's arguments are known to LangChain only.
        key: {**known, **value} if (known := _described(function["parameters"]["properties"].get(key))) else value
        for key, value in definition["properties"].items()
    }
    # LangChain makes every key of a TypedDict a required one, those of `total=False` too.
    function["parameters"] = {**function["parameters"], "required": definition.get("required", [])}
    return OutputSchema(function, {**definition, "properties": properties}, is_typed_dict=True)


def _described(schema: Any) -> JSONObject:
    return {"description": schema["description"]} if isinstance(schema, dict) and "description" in schema else {}


def _definition(model: type) -> JSONObject:
    if issubclass(model, BaseModel):
        schema = model.model_json_schema()
    else:
        text = json.dumps(model.schema())  # type: ignore[attr-defined]  # pydantic.v1's
        schema = json.loads(text.replace('"#/definitions/', '"#/$defs/').replace('"definitions":', '"$defs":'))
    schema = without_titles(unwrapped_root(schema))
    return {key: value for key, value in schema.items() if key != "description"}


def _function_of(schema: JSONObject) -> JSONObject:
    kind = schema.get("type")
    if kind in ("function", "json_schema") and isinstance(inner := schema.get(kind), Mapping):
        schema = dict(inner)
    if "name" in schema and "schema" in schema:
        schema = {**schema, "parameters": schema["schema"]}
    if "name" in schema or "toolSpec" in schema:
        return {"parameters": {"type": "object", "properties": {}}} | _converted(schema)
    if not _JSON_SCHEMA_WORDS & set(schema):
        raise KimiUsageError(f"Not a schema: a dict with the keys {sorted(schema)}.")
    described = {"name": schema.pop("title", "output"), "description": schema.pop("description", "")}
    return {**{key: value for key, value in described.items() if value}, "parameters": schema}


def _converted(schema: Any) -> JSONObject:
    try:
        return convert_to_openai_function(schema)
    except (KeyError, TypeError, ValueError, PydanticUserError) as error:
        raise _no_schema(schema, error) from error


def _no_schema(schema: Any, reason: Exception | str) -> KimiUsageError:
    return KimiUsageError(
        f"This cannot be made a JSON schema: {schema!r:.100}. {reason}",
        advice="Write a pydantic class; of what is no object, such as a list or an enum, a pydantic RootModel.",
    )


def _held(schema: JSONObject) -> JSONObject:
    """Put what is no object into one, with its definitions outside."""
    inner = {key: value for key, value in schema.items() if key != "$defs"}
    outer = {"type": "object", "properties": {_ROOT: inner}, "required": [_ROOT]}
    return {**outer, **({"$defs": schema["$defs"]} if "$defs" in schema else {})}


def _with_strict(function: JSONObject, *, strict: bool | None) -> JSONObject:
    if strict:
        return strict_function(function)
    return function if strict is None else {**function, "strict": strict}


def _validated(model: type, value: Any) -> Any:
    try:
        if issubclass(model, BaseModel):
            # As JSON, because a strict model takes a date or an enum from JSON's strings but not from Python's.
            return model.model_validate_json(json.dumps(value))
        return model.parse_obj(value)  # type: ignore[attr-defined]  # pydantic.v1's, which has no common type with v2
    except ValidationError as error:
        raise UnfitError(_listed(error.errors(include_url=False, include_context=False, include_input=False))) from None
    except ValidationErrorV1 as error:
        raise UnfitError(_listed(error.errors())) from None


def _listed(errors: Any) -> list[dict[str, Any]]:
    return [{key: error[key] for key in ("type", "loc", "msg")} for error in errors]
