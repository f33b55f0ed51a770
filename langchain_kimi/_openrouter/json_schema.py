"""Walk over the schemas inside a JSON schema, and resolve references.

The vocabulary is that of JSON Schema 2020-12, with `definitions` and lists as `items` from earlier drafts.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.errors import KimiUsageError

Path: TypeAlias = tuple[str, ...]
"""The keywords, names and positions that lead from a schema to one inside it."""

ONE_SCHEMA = frozenset(
    {"additionalItems", "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
"""Keywords whose value is a schema; `items` may also be a list of them."""
SCHEMA_LISTS = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
"""Keywords whose value is a list of schemas."""
NAMED_SCHEMAS = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
"""Keywords whose value is an object of schemas."""
DEFINITIONS = ("$defs", "definitions")
"""Keywords that define schemas without constraining values."""

_TYPES: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


MAX_NESTING = 200
"""The maximum depth of nested objects and lists in a schema. Python's JSON encoder allows a few more levels."""

_OBJECTS = (dict, Mapping)
_CONTAINERS = (*_OBJECTS, list, tuple)


def check_nesting(schema: Any, name: str) -> None:
    """Check that a schema can be walked and written as JSON.

    Args:
        schema: The schema.
        name: The name of the schema in the error.

    Raises:
        KimiUsageError: The schema contains itself as a Python object, or is nested too deeply.
    """
    level = [schema]
    for _ in range(MAX_NESTING):
        inner = [item for value in level for item in (value.values() if isinstance(value, _OBJECTS) else value)]
        # Most items are strings, and the test for an abstract class is slow: with a comparison before it, and with dict
        # before Mapping, a tool takes 6 instead of 12 µs.
        nested = [item for item in inner if type(item) is not str and isinstance(item, _CONTAINERS)]
        level = list({id(item): item for item in nested}.values())
        if not level:
            return
    raise KimiUsageError(
        f"The schema of {name} contains itself, or is nested more than {MAX_NESTING} levels deep.",
        advice="Write recursion as a `$ref` to a definition in `$defs`.",
    )


def subschemas(schema: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield the path and the value of each schema directly inside a schema; booleans are schemas too."""
    for keyword, value in schema.items():
        if isinstance(value, Mapping) and keyword in NAMED_SCHEMAS:
            yield from (((keyword, name), inner) for name, inner in value.items())
        elif isinstance(value, list) and keyword in SCHEMA_LISTS:
            yield from (((keyword, str(position)), inner) for position, inner in enumerate(value))
        elif isinstance(value, Mapping | bool) and keyword in ONE_SCHEMA:
            yield (keyword,), value


def walk(schema: Any) -> Iterator[tuple[Path, JSONObject]]:
    """Yield the path and the value of each schema that is an object, from the root down, at any depth."""
    waiting: list[tuple[Path, Any]] = [((), schema)]
    while waiting:
        path, inner = waiting.pop()
        if isinstance(inner, Mapping):
            yield path, dict(inner) if not isinstance(inner, dict) else inner
            waiting += reversed([((*path, *step), value) for step, value in subschemas(inner)])


def with_subschemas(schema: JSONObject, change: Callable[[Path, Any], Any]) -> JSONObject:
    """Return a schema whose direct inner schemas are replaced by `change(path, inner)`.

    Returns:
        The same object if `change` returned each inner schema itself.
    """
    replaced: dict[Path, Any] = {}
    for path, inner in subschemas(schema):
        new = change(path, inner)
        if new is not inner:
            replaced[path] = new
    if not replaced:
        return schema
    return {keyword: _with_replaced(keyword, value, replaced) for keyword, value in schema.items()}


def _with_replaced(keyword: str, value: Any, replaced: dict[Path, Any]) -> Any:
    if (keyword,) in replaced:
        return replaced[keyword,]
    if isinstance(value, Mapping) and keyword in NAMED_SCHEMAS:
        return {name: replaced.get((keyword, name), inner) for name, inner in value.items()}
    if isinstance(value, list) and keyword in SCHEMA_LISTS:
        return [replaced.get((keyword, str(position)), inner) for position, inner in enumerate(value)]
    return value


def resolve(root: Mapping[str, Any], reference: Any) -> JSONObject | None:
    """Return the schema that a local reference points to (`#`, `#/$defs/Name`); None if there is no such schema."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    value: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            value = value[int(key)] if key.isdecimal() and int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, dict) else None


def references(schema: Any) -> Iterator[str]:
    """Yield each `$ref` in a schema, at any depth."""
    return (inner["$ref"] for _, inner in walk(schema) if isinstance(inner.get("$ref"), str))


def types_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the types in a schema's own `type` as a list, which is empty if it has no type or an invalid one."""
    types = schema.get("type")
    return [types] if isinstance(types, str) else list(types) if isinstance(types, list | tuple) else []


def list_of(schema: Mapping[str, Any], keyword: str) -> list[Any]:
    """Return the list under a keyword; an empty list if the keyword is missing or has another value, such as null."""
    value = schema.get(keyword)
    return list(value) if isinstance(value, list | tuple) else []


def type_of(value: Any) -> str:
    """Return the JSON type of a value; a float is a `number`, an int an `integer`."""
    return next((name for kind, name in _TYPES.items() if isinstance(value, kind)), "null")
