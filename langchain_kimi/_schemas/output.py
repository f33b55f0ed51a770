"""Convert every kind of schema that LangChain accepts to an `OutputSchema`, which validates structured output."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from enum import Enum
from typing import Any, NewType, TypeAlias, cast, get_origin

from langchain_core.utils.function_calling import convert_to_openai_function
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel, PydanticUserError, ValidationError
from pydantic.v1 import ValidationError as ValidationErrorV1

from langchain_kimi._openrouter.json_schema import check_nesting, list_of, resolve, types_of
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._patterns import lazy_pattern
from langchain_kimi._schemas.data_classes import dataclass_function
from langchain_kimi._schemas.strict import StrictForm, is_recursive, strict_function, unwrapped_root, without_titles
from langchain_kimi._schemas.typed_dicts import is_typed_dict, typed_dict_model
from langchain_kimi.errors import KimiUsageError

Schema: TypeAlias = Mapping[str, Any] | type | Callable[..., Any]

_NOT_IN_NAMES = lazy_pattern(r"[^A-Za-z0-9_-]")
_SCHEMA_KEYWORDS = {"type", "properties", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"}
# The arguments of a call are always an object, so any other value is sent under this key.
_ROOT = "root"
_MAX_PLACES_SHOWN = 5


class SchemaMismatchError(ValueError):
    """A value does not match the schema.

    Attributes:
        errors: One entry for each place that does not match, with `type`, `loc` and `msg`.
    """

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        self.errors = errors
        places = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}".removeprefix(": ") for error in errors]
        more = [f"and {len(places) - _MAX_PLACES_SHOWN} more"] if len(places) > _MAX_PLACES_SHOWN else []
        super().__init__("; ".join([*places[:_MAX_PLACES_SHOWN], *more]))


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """A schema as an OpenAI function, with the validation of its values.

    Attributes:
        function: `name`, `description` and `parameters`, as LangChain describes the schema, and `strict` if the schema
            has it.
        definition: The complete JSON schema. LangChain's description loses recursive parts, and whether a value of a
            TypedDict may be null.
        model: The pydantic class (v1 or v2) that validates values; None if values are plain dicts.
        is_typed_dict: Whether the schema was a TypedDict.
    """

    function: JSONObject
    definition: JSONObject
    model: type | None = None
    is_typed_dict: bool = False

    @property
    def name(self) -> str:
        """The name that is sent: characters other than letters, digits, `_` and `-` become `_`."""
        return wire_name(self.function["name"])

    @property
    def is_object(self) -> bool:
        """Whether values are JSON objects; those of `RootModel[list[int]]` are not."""
        schema = self.definition
        has_branches = any(schema.get(keyword) is not None for keyword in ("anyOf", "oneOf", "enum"))
        return (schema.get("type") or "object") == "object" and not has_branches and "const" not in schema

    @property
    def traced(self) -> JSONObject:
        """The form for traces."""
        return {"type": "function", "function": self.function}

    def tool(self, *, strict: bool | None = None) -> JSONObject:
        """Return a tool whose arguments are the value, or an object with the value as `root`."""
        function = {**self.function, "name": self.name}
        strict = function.get("strict", strict)
        if strict or self.is_typed_dict or is_recursive(self.definition):
            function["parameters"] = self.definition
        if not self.is_object:
            function["parameters"] = _wrapped_in_root(function["parameters"])
        return {"type": "function", "function": _with_strict(function, strict=strict)}

    def response_format(self, *, strict: bool | None) -> JSONObject:
        """Return the `json_schema` form of `response_format`; a `strict` in the schema overrides the argument."""
        strict = self.function.get("strict", strict)
        schema = _wrapped_in_root(self.definition) if strict and not self.is_object else self.definition
        function = _with_strict({"name": self.name, "parameters": schema}, strict=strict)
        json_schema = {"name": self.name}
        if description := self.function.get("description"):
            json_schema["description"] = description
        json_schema["schema"] = function["parameters"]
        if "strict" in function:
            json_schema["strict"] = function["strict"]
        return {"type": "json_schema", "json_schema": json_schema}

    def can_be_strict(self) -> bool:
        """Return whether the schema has a strict form that allows the same values.

        It must not require a value that the model would have to make up.
        """
        form = StrictForm(self.definition if self.is_object else _wrapped_in_root(self.definition))
        return not (form.obstacles or form.newly_required)

    def unwrapped(self, value: Any) -> Any:
        """Return the value under `root` if the schema does not describe objects; return other values unchanged."""
        if not self.is_object and isinstance(value, dict) and set(value) == {_ROOT}:
            return value[_ROOT]
        return value

    def validated(self, value: Any) -> Any:
        """Return the validated object of the pydantic class, or the value itself for other schemas.

        For other schemas only the outermost level is checked: the type, the required keys, and the members of an enum.
        None is a value only if the schema itself allows null.

        Raises:
            SchemaMismatchError: The value does not match.
        """
        value = self.unwrapped(value)
        return self._checked_outermost(value) if self.model is None else _validated(self.model, value)

    def unvalidated(self, value: Any) -> Any:
        """Return an unvalidated object of the pydantic class, or the value itself for other schemas."""
        if self.model is None or not isinstance(value, dict):
            return value
        construct = getattr(self.model, "model_construct", None) or self.model.construct  # type: ignore[attr-defined]  # pydantic.v1's
        return construct(**value)

    def _checked_outermost(self, value: Any) -> Any:
        if self.is_object:
            if not isinstance(value, dict):
                raise SchemaMismatchError([{"type": "dict_type", "loc": (), "msg": "Input should be an object"}])
            if missing := missing_keys(self.definition, value):
                errors = [{"type": "missing", "loc": (key,), "msg": "Field required"} for key in missing]
                raise SchemaMismatchError(errors)
        elif not matches_outermost(self.definition, value, self.definition):
            message = f"Input does not have the type or value that the schema requires: {type(value).__name__}"
            raise SchemaMismatchError([{"type": "shape", "loc": (), "msg": message}])
        return value


ANY_OBJECT = OutputSchema({"name": "", "parameters": {"type": "object"}}, {"type": "object"})
"""The output of JSON mode without a schema."""


def wire_name(name: str) -> str:
    """Return a name that OpenRouter accepts: at most 64 letters, digits, `_` and `-`."""
    return _NOT_IN_NAMES.sub("_", name)[:64] or "output"


def output_schema(schema: Schema) -> OutputSchema:
    """Describe a schema: a pydantic class (v1 or v2), a TypedDict, a JSON schema, an OpenAI function or tool.

    Raises:
        KimiUsageError: The argument has another type.
    """
    if isinstance(schema, Mapping):
        check_nesting(schema, "the output")
        function = _function_of(dict(schema))
        return OutputSchema(function, unwrapped_root(function["parameters"]))
    if is_typed_dict(schema):
        return _of_typed_dict(cast("type", schema))
    if isinstance(schema, type) and issubclass(schema, Enum):
        # LangChain would describe the arguments of `Enum` itself.
        raise _not_a_schema(schema, "An enum is not an object.")
    if is_type_of_values(schema):
        raise _not_a_schema(schema, "It is not a class with fields.")
    function = _converted(schema)
    if isinstance(schema, type) and is_basemodel_subclass(schema):
        return OutputSchema(function, _definition(schema), schema)
    return OutputSchema(function, function["parameters"])


def is_type_of_values(schema: object) -> bool:
    """Return whether this is a type without fields of its own, such as `list[int]`, `int`, `Any` or a `NewType`.

    LangChain would describe the arguments of its constructor, if Python has a signature of it. That depends on the
    version: Python 3.14 has one of `list[int]` and `bool`.
    """
    is_built_in = isinstance(schema, type) and schema.__module__ in ("builtins", "typing")
    return is_built_in or schema is Any or isinstance(schema, NewType) or get_origin(schema) is not None


def _of_typed_dict(schema: type) -> OutputSchema:
    """Return the output schema of a TypedDict."""
    try:
        model = typed_dict_model(schema)
        definition = _definition(model)
    except (TypeError, NameError, PydanticUserError) as error:
        raise _not_a_schema(schema, error) from error
    try:
        function = convert_to_openai_function(schema)
    except (KeyError, TypeError, ValueError, RuntimeError):
        # LangChain can describe neither optional keys nor a TypedDict inside itself.
        function = convert_to_openai_function(model)
    described = function["parameters"]["properties"]
    # Only LangChain's description has the descriptions of the keys from the docstring.
    properties = {key: {**_description(described.get(key)), **value} for key, value in definition["properties"].items()}
    # LangChain makes every key of a TypedDict required, even with `total=False`.
    function["parameters"] = {**function["parameters"], "required": definition.get("required", [])}
    return OutputSchema(function, {**definition, "properties": properties}, is_typed_dict=True)


def _description(schema: Any) -> JSONObject:
    return {"description": schema["description"]} if isinstance(schema, dict) and "description" in schema else {}


def _definition(model: type) -> JSONObject:
    if issubclass(model, BaseModel):
        schema = model.model_json_schema()
    else:
        text = json.dumps(model.schema())  # type: ignore[attr-defined]  # pydantic.v1's
        schema = json.loads(text.replace('"$ref": "#/definitions/', '"$ref": "#/$defs/'))
        if "definitions" in schema:
            schema["$defs"] = schema.pop("definitions")
    schema = without_titles(unwrapped_root(schema))
    return {key: value for key, value in schema.items() if key != "description"}


def _function_of(schema: JSONObject) -> JSONObject:
    """Return the function for a schema that is a dict: a JSON schema, an OpenAI function or a tool."""
    kind = schema.get("type")
    if kind in ("function", "json_schema") and isinstance(inner := schema.get(kind), Mapping):
        schema = dict(inner)
    if "name" in schema and "schema" in schema:
        schema = {**schema, "parameters": schema["schema"]}
    if "name" in schema or "toolSpec" in schema:
        return {"parameters": {"type": "object", "properties": {}}} | without_nulls(_converted(schema))
    if not _SCHEMA_KEYWORDS & set(schema):
        raise KimiUsageError(f"This dict is not a schema: its keys are {sorted(schema)}.")
    function: JSONObject = {"name": str(schema.pop("title", None) or "output")}
    if description := schema.pop("description", None):
        function["description"] = description
    return {**function, "parameters": schema}


def without_nulls(function: JSONObject) -> JSONObject:
    """Return a function without members that are null, which hosts refuse, such as the description of some tools.

    A name is required, so it is kept.
    """
    if None not in function.values():
        return function
    return {key: value for key, value in function.items() if value is not None or key == "name"}


def _converted(schema: Any) -> JSONObject:
    is_data = isinstance(schema, type) and is_dataclass(schema)
    try:
        return dataclass_function(schema) if is_data else convert_to_openai_function(schema)
    except (AttributeError, KeyError, NameError, TypeError, ValueError, PydanticUserError) as error:
        raise _not_a_schema(schema, error) from error


def _not_a_schema(schema: Any, reason: Exception | str) -> KimiUsageError:
    return KimiUsageError(
        f"Cannot make a JSON schema from {schema!r:.100}: {reason}",
        advice="Write a pydantic class, or a pydantic RootModel for values such as lists and enums.",
    )


def _wrapped_in_root(schema: JSONObject) -> JSONObject:
    """Return the schema of an object with the value under `root`; definitions stay at the top level."""
    inner = {key: value for key, value in schema.items() if key != "$defs"}
    outer = {"type": "object", "properties": {_ROOT: inner}, "required": [_ROOT]}
    return {**outer, **({"$defs": schema["$defs"]} if "$defs" in schema else {})}


def _with_strict(function: JSONObject, *, strict: bool | None) -> JSONObject:
    if strict:
        return strict_function(function)
    return function if strict is None else {**function, "strict": strict}


def _validated(model: type, value: Any) -> Any:
    """Return the validated object of a pydantic class."""
    try:
        if issubclass(model, BaseModel):
            # Validated as JSON: a strict model accepts a date or an enum as a JSON string, but not as a Python string.
            return model.model_validate_json(json.dumps(value))
        return model.parse_obj(value)  # type: ignore[attr-defined]  # pydantic.v1's, which has no common type with v2
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        raise SchemaMismatchError(_places(errors)) from None
    except ValidationErrorV1 as error:
        raise SchemaMismatchError(_places(error.errors())) from None


def _places(errors: Any) -> list[dict[str, Any]]:
    return [{key: error[key] for key in ("type", "loc", "msg")} for error in errors]


_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "null": (type(None),),
}
_MAX_REFERENCES = 20


def missing_keys(schema: Mapping[str, Any], value: Mapping[str, Any]) -> list[str]:
    """Return the required keys of a schema that an object does not have."""
    return [key for key in list_of(schema, "required") if key not in value]


def matches_outermost(schema: Any, value: Any, root: Mapping[str, Any]) -> bool:
    """Return whether the outermost level of a value matches a schema: its type, members, required keys and branches.

    A reference that leads back to itself allows any value.

    Args:
        schema: The schema, which may be a boolean.
        value: The value.
        root: The schema that references point into.
    """
    return _matches(schema, value, root, {}, 0)


def _matches(schema: Any, value: Any, root: Mapping[str, Any], results: dict[int, bool], depth: int) -> bool:
    """Return whether a value matches a schema.

    Args:
        schema: The schema.
        value: The value.
        root: The schema that references point into.
        results: The result of each schema by its `id`, because several branches may refer to the same schema.
        depth: The number of references and branches that were followed.
    """
    if not isinstance(schema, Mapping) or depth > _MAX_REFERENCES:
        return schema is not False
    if id(schema) in results:
        return results[id(schema)]
    results[id(schema)] = True

    def matches(inner: Any) -> bool:
        return _matches(inner, value, root, results, depth + 1)

    branches = [branch for keyword in ("anyOf", "oneOf") for branch in list_of(schema, keyword)]
    result = results[id(schema)] = (
        _has_type(schema, value)
        and _is_member(schema, value)
        and all(map(matches, list_of(schema, "allOf")))
        and (not branches or any(map(matches, branches)))
        and matches(resolve(root, schema.get("$ref")))
    )
    return result


def _has_type(schema: Mapping[str, Any], value: Any) -> bool:
    if isinstance(value, dict) and missing_keys(schema, value):
        return False
    types = types_of(schema)
    return not types or any(_is_of(name, value) for name in types)


def _is_of(name: str, value: Any) -> bool:
    if name == "integer":
        return value.is_integer() if isinstance(value, float) else type(value) is int
    return isinstance(value, _PYTHON_TYPES.get(name, object)) and (name != "number" or not isinstance(value, bool))


def _is_member(schema: Mapping[str, Any], value: Any) -> bool:
    members = [*list_of(schema, "enum"), *([schema["const"]] if "const" in schema else ())]
    # True equals 1 in Python, but not in JSON.
    return not members or any(
        member == value and isinstance(member, bool) is isinstance(value, bool) for member in members
    )
