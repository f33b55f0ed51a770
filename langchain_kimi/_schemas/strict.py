"""Rewrite JSON schemas to the form that strict mode requires: no free keys, all properties required, few keywords."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from langchain_kimi._openrouter.json_schema import list_of, references, resolve, type_of, types_of, with_subschemas
from langchain_kimi._openrouter.warning import warn_user
from langchain_kimi._openrouter.wire import JSONObject

# The keywords that OpenAI documents for its strict mode; other hosts follow it.
_KEYWORDS = frozenset(
    {"$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "enum", "exclusiveMaximum"}
    | {"exclusiveMinimum", "format", "items", "maxItems", "maximum", "minItems", "minimum", "multipleOf", "pattern"}
    | {"properties", "required", "type"}
)
_FORMATS = frozenset({"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"})
# Keywords that do not constrain values.
_COMMENTS = frozenset({"$comment", "$id", "$schema", "default", "deprecated", "discriminator", "example", "examples"})
_COMMENTS |= {"readOnly", "title", "writeOnly"}
_MAX_OBSTACLES_SHOWN = 3


class StrictForm:
    """A schema rewritten for strict mode, and the obstacles to that.

    Every value of the new form is also a value of the original schema. The reverse is not true, because optional
    properties become required.

    Attributes:
        schema: The new form.
        obstacles: The keywords that strict mode does not allow, each with its place; empty if the form is valid.
        newly_required: The paths of optional properties that do not allow null, so that the model has to make up a
            value for them. Properties with a single possible value are not listed.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.obstacles: list[str] = []
        self.newly_required: list[str] = []
        definitions = {name: self._rewritten(inner, name) for name, inner in (schema.get("$defs") or {}).items()}
        own = {key: value for key, value in schema.items() if key != "$defs"}
        self.schema = {**self._rewritten(own, ""), **({"$defs": definitions} if definitions else {})}

    def _rewritten(self, original: Any, place: str) -> JSONObject:
        if not isinstance(original, Mapping):
            self._add_obstacle(place, "any value")
            return {}
        schema = _normalized(original)
        for keyword in sorted(set(schema) - _KEYWORDS):
            self._add_obstacle(place, keyword)
        if schema.get("format", "date") not in _FORMATS:
            self._add_obstacle(place, f"format {schema['format']!r}")
        if "$ref" in schema and len(schema) > 1:
            self._add_obstacle(place, "keywords beside $ref")
        if "(?" in str(schema.get("pattern")):
            self._add_obstacle(place, "a pattern with (?...)")
        if not {"type", "anyOf", "$ref"} & set(schema):
            self._add_obstacle(place, "any value")
        return self._with_inner(schema, place)

    def _with_inner(self, schema: JSONObject, place: str) -> JSONObject:
        if "anyOf" in schema:
            schema["anyOf"] = [self._rewritten(branch, place) for branch in schema["anyOf"]]
        if "array" in types_of(schema):
            schema["items"] = self._rewritten(schema.get("items"), f"{place}[]")
        if "object" in types_of(schema):
            self._close(schema, place)
        return schema

    def _close(self, schema: JSONObject, place: str) -> None:
        """Make all properties of an object required, and forbid others."""
        if schema.get("additionalProperties", "properties" not in schema) is not False:
            self._add_obstacle(place, "free keys")
        properties: JSONObject = schema.get("properties") or {}
        paths = {name: f"{place}.{name}".lstrip(".") for name in properties}
        required = {name for name in list_of(schema, "required") if isinstance(name, str)}
        optional = [name for name in properties if name not in required]
        free = [name for name in optional if not _has_one_value(properties[name])]
        self.newly_required += [paths[name] for name in free if not self._allows_null(properties[name])]
        schema["properties"] = {name: self._rewritten(value, paths[name]) for name, value in properties.items()}
        schema |= {"required": list(properties), "additionalProperties": False}

    def _allows_null(self, original: Any) -> bool:
        if not isinstance(original, Mapping):
            return True
        schema = _normalized(original)
        return "null" in types_of(schema) or any(self._allows_null(branch) for branch in list_of(schema, "anyOf"))

    def _add_obstacle(self, place: str, obstacle: str) -> None:
        self.obstacles.append(f"{obstacle} at {place or 'the top'}")


def strict_function(function: Mapping[str, Any]) -> JSONObject:
    """Return a function with parameters in strict form and `strict: true`.

    A function whose parameters have no strict form is returned without `strict`, with a warning.
    """
    form = StrictForm(function.get("parameters") or {"type": "object", "properties": {}})
    if not form.obstacles:
        return {**function, "parameters": form.schema, "strict": True}
    more = len(form.obstacles) - _MAX_OBSTACLES_SHOWN
    obstacles = ", ".join(form.obstacles[:_MAX_OBSTACLES_SHOWN]) + (f" and {more} more" if more > 0 else "")
    warn_user(f"strict is not sent for {function.get('name')}, because strict schemas do not allow {obstacles}.")
    return {key: value for key, value in function.items() if key != "strict"}


def is_recursive(schema: Mapping[str, Any]) -> bool:
    """Return whether a definition refers to itself, directly or through other definitions."""
    graph = {f"#/$defs/{name}": set(references(inner)) for name, inner in (schema.get("$defs") or {}).items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return True
    return False


def unwrapped_root(schema: Mapping[str, Any]) -> JSONObject:
    """Return a schema in which a reference at the root is replaced by its definition."""
    target = resolve(schema, schema.get("$ref"))
    if target is None:
        return dict(schema)
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


def without_titles(schema: Any) -> Any:
    """Return a schema without titles, which only repeat names."""
    if not isinstance(schema, Mapping):
        return schema
    bare = {key: value for key, value in schema.items() if key != "title"}
    return with_subschemas(bare, lambda _, inner: without_titles(inner))


def _normalized(original: Mapping[str, Any]) -> JSONObject:
    """Return an equivalent schema without comments, nulls, tagged `oneOf`, `allOf` of one schema, and untyped enums.

    A `$ref` beside a description moves into an `anyOf`, because strict mode allows no keywords beside it.
    """
    schema = {
        key: value for key, value in original.items() if key not in _COMMENTS and (value is not None or key == "const")
    }
    if len(parts := list_of(schema, "allOf")) == 1 and isinstance(parts[0], Mapping):
        schema = {**schema.pop("allOf")[0], **schema}
    if "discriminator" in original and "oneOf" in schema:
        schema["anyOf"] = schema.pop("oneOf")
    if "$ref" in schema and set(schema) == {"$ref", "description"}:
        schema["anyOf"] = [{"$ref": schema.pop("$ref")}]
    if "type" not in schema and {"enum", "const"} & set(schema):
        members = schema["enum"] if "enum" in schema else [schema["const"]]
        types = list(dict.fromkeys(map(type_of, members)))
        schema["type"] = types[0] if len(types) == 1 else types
    return schema


def _has_one_value(schema: Any) -> bool:
    return isinstance(schema, Mapping) and ("const" in schema or len(list_of(schema, "enum")) == 1)
