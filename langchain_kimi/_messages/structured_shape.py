"""Whether a value has the outermost shape of a JSON schema; what is inside is the host's affair."""

from collections.abc import Mapping
from typing import Any

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
