"""JSON schemas in the form that a strict host takes: no free keys, every property required, few keywords."""

import inspect
import warnings
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject


def warn_user(text: str) -> None:
    """Warn, at the innermost line that is neither this package's nor LangChain's."""
    depth, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE:
        depth, frame = depth + 1, frame.f_back
    warnings.warn(text, stacklevel=depth)


_INSIDE = frozenset({"langchain_kimi", "langchain_core"})


# What the first host with a strict mode documents; the others are measured by it.
_KEYWORDS = frozenset(
    {"$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "enum", "exclusiveMaximum"}
    | {"exclusiveMinimum", "format", "items", "maxItems", "maximum", "minItems", "minimum", "multipleOf", "pattern"}
    | {"properties", "required", "type"}
)
_FORMATS = frozenset({"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"})
# What only comments on a value, and allows or forbids none.
_COMMENTS = frozenset({"$comment", "$id", "$schema", "default", "deprecated", "discriminator", "example", "examples"})
_COMMENTS |= {"readOnly", "title", "writeOnly"}
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_PLACES_TOLD = 3


class StrictForm:
    """A schema rewritten for strictness, and what stands against that.

    Every value of the new form is one of the old; the other way round optional properties have to be there now.

    Attributes:
        schema: The new form.
        obstacles: Why no strict form allows the same values, place by place; empty when there is one.
        must_be_there: Optional properties without a null, for which the model now has to make up a value. Where only
            one value is possible, nothing is made up.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.obstacles: list[str] = []
        self.must_be_there: list[str] = []
        definitions = {name: self._rewritten(inner, name) for name, inner in schema.get("$defs", {}).items()}
        own = {key: value for key, value in schema.items() if key != "$defs"}
        self.schema = {**self._rewritten(own, ""), **({"$defs": definitions} if definitions else {})}

    def _rewritten(self, given: Any, place: str) -> JSONObject:
        if not isinstance(given, Mapping):
            self._object_to(place, "any value")
            return {}
        schema = _merged(given)
        for keyword in sorted(set(schema) - _KEYWORDS):
            self._object_to(place, keyword)
        if schema.get("format", "date") not in _FORMATS:
            self._object_to(place, f"format {schema['format']!r}")
        if "$ref" in schema and len(schema) > 1:
            self._object_to(place, "words beside $ref")
        if "(?" in schema.get("pattern", ""):
            self._object_to(place, "a pattern that looks ahead")
        if not {"type", "anyOf", "$ref"} & set(schema):
            self._object_to(place, "any value")
        return self._with_inner(schema, place)

    def _with_inner(self, schema: JSONObject, place: str) -> JSONObject:
        if "anyOf" in schema:
            schema["anyOf"] = [self._rewritten(branch, place) for branch in schema["anyOf"]]
        if "array" in _types(schema):
            schema["items"] = self._rewritten(schema.get("items"), f"{place}[]")
        if "object" in _types(schema):
            self._close(schema, place)
        return schema

    def _close(self, schema: JSONObject, place: str) -> None:
        if schema.get("additionalProperties", "properties" not in schema) is not False:
            self._object_to(place, "free keys")
        properties: JSONObject = schema.get("properties", {})
        inner = {name: f"{place}.{name}".lstrip(".") for name in properties}
        optional = [name for name in properties if name not in schema.get("required", ())]
        free = [name for name in optional if not _has_one_value(properties[name])]
        self.must_be_there += [inner[name] for name in free if not self._takes_null(properties[name])]
        schema["properties"] = {name: self._rewritten(value, inner[name]) for name, value in properties.items()}
        schema |= {"required": list(properties), "additionalProperties": False}

    def _takes_null(self, given: Any) -> bool:
        if not isinstance(given, Mapping):
            return True
        schema = _merged(given)
        return "null" in _types(schema) or any(self._takes_null(branch) for branch in schema.get("anyOf", ()))

    def _object_to(self, place: str, what: str) -> None:
        self.obstacles.append(f"{what} at {place or 'the top'}")


def strict_function(function: Mapping[str, Any]) -> JSONObject:
    """Return a function whose parameters are in strict form and say so, or as it was, with a warning, if none fits."""
    form = StrictForm(function.get("parameters") or {"type": "object", "properties": {}})
    if not form.obstacles:
        return {**function, "parameters": form.schema, "strict": True}
    more = len(form.obstacles) - _PLACES_TOLD
    told = ", ".join(form.obstacles[:_PLACES_TOLD]) + (f" and {more} more" if more > 0 else "")
    warn_user(f"strict is not sent for {function.get('name')}, because strict schemas do not allow {told}.")
    return {key: value for key, value in function.items() if key != "strict"}


def is_recursive(schema: Mapping[str, Any]) -> bool:
    """Tell whether a definition refers to itself, also over others."""
    graph = {name: set(_references(inner)) for name, inner in schema.get("$defs", {}).items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return True
    return False


def unwrapped_root(schema: Mapping[str, Any]) -> JSONObject:
    """Give a schema whose root is one of its own definitions that definition's words at the root."""
    name = _name(schema.get("$ref", ""))
    if name not in schema.get("$defs", {}):
        return dict(schema)
    return {**schema["$defs"][name], **{key: value for key, value in schema.items() if key != "$ref"}}


def without_titles(schema: Any) -> Any:
    """Leave out titles, which only repeat names."""
    if isinstance(schema, list):
        return [without_titles(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        key: {name: without_titles(inner) for name, inner in value.items()}
        if key in ("properties", "$defs")
        else value
        if key in ("const", "default", "enum", "examples")
        else without_titles(value)
        for key, value in schema.items()
        if key != "title"
    }


def _merged(given: Mapping[str, Any]) -> JSONObject:
    """Say the same in fewer keywords: without comments, `oneOf` of tagged branches, `allOf` of one, and bare enums.

    A reference stands alone; a description beside it moves around it.
    """
    schema = {key: value for key, value in given.items() if key not in _COMMENTS}
    if len(schema.get("allOf", ())) == 1:
        schema = {**schema.pop("allOf")[0], **schema}
    if "discriminator" in given and "oneOf" in schema:
        schema["anyOf"] = schema.pop("oneOf")
    if "$ref" in schema and set(schema) == {"$ref", "description"}:
        schema["anyOf"] = [{"$ref": schema.pop("$ref")}]
    if "type" not in schema and {"enum", "const"} & set(schema):
        members = schema["enum"] if "enum" in schema else [schema["const"]]
        types = dict.fromkeys(_TYPES[type(member)] for member in members if type(member) in _TYPES)
        schema["type"] = next(iter(types)) if len(types) == 1 else list(types)
    return schema


def _has_one_value(given: Any) -> bool:
    return isinstance(given, Mapping) and ("const" in given or len(given.get("enum", ())) == 1)


def _types(schema: Mapping[str, Any]) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _name(reference: str) -> str:
    return reference.removeprefix("#/$defs/")


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(reference := schema.get("$ref"), str):
            yield _name(reference)
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)
