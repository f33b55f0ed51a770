"""The values that keywords of a tool's schema may have, and Moonshot AI's limits for a whole schema."""

import json
from collections.abc import Iterator, Mapping

from langchain_kimi._openrouter.json_schema import DEFINITIONS, types_of, walk
from langchain_kimi._openrouter.wire import JSONObject

RESERVED_NAMES = frozenset({"$defs", "$ref", "anyOf", "required", "additionalProperties"})
"""The names that a property must not have."""
_TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
_MAX_BYTES, _MAX_DEPTH, _MAX_PROPERTIES = 120_000, 30, 3000
"""The limits of Moonshot AI's validator (https://github.com/MoonshotAI/walle) for a whole schema: its size as JSON, the
depth of nested `properties`, and the number of properties."""
VALUE_TYPES: dict[str, tuple[type, ...]] = {
    "type": (str, list),
    "properties": (dict,),
    "required": (list,),
    "enum": (list,),
    "items": (dict, list, bool),
    "$ref": (str,),
    "description": (str,),
    "anyOf": (list,),
    "additionalProperties": (bool, dict),
    "$id": (str,),
    "pattern": (str,),
    "not": (bool, dict),
    **dict.fromkeys(("allOf", "oneOf", "prefixItems"), (list,)),
    **dict.fromkeys(("patternProperties", "dependentSchemas"), (dict,)),
    **dict.fromkeys(DEFINITIONS, (dict,)),
}
"""The Python types that the value of each keyword may have."""


def limits_exceeded(root: JSONObject) -> Iterator[str]:
    """Yield a message for each limit that a schema exceeds.

    Moonshot AI may refuse such a schema, and no equivalent smaller schema is known.
    """
    count, depth = 0, 0
    for path, schema in walk(root):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            count += len(properties)
            if reserved := RESERVED_NAMES & set(properties):
                place = ".".join(["parameters", *path])
                yield f"{place}: a required property has the reserved name {min(reserved)}"
        depth = max(depth, path.count("properties"))
    if count > _MAX_PROPERTIES:
        yield f"parameters: {count} properties, more than {_MAX_PROPERTIES}"
    if depth > _MAX_DEPTH:
        yield f"parameters: properties nested {depth} deep, more than {_MAX_DEPTH}"
    size = size_of(root)
    if size > _MAX_BYTES:
        yield f"parameters: {size} bytes, more than {_MAX_BYTES}"


def size_of(schema: JSONObject) -> int:
    """Return the size in bytes of a schema as JSON without spaces."""
    return len(json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode())


def problems_of(schema: JSONObject) -> Iterator[str]:
    """Yield a message for each value of a keyword that JSON Schema or Moonshot AI's dialect of it does not allow."""
    for keyword, value_types in VALUE_TYPES.items():
        if keyword in schema and not isinstance(schema[keyword], value_types):
            yield f"has {schema[keyword]!r:.50} as {keyword}"
    types = types_of(schema)
    if "type" in schema and (not types or not all(isinstance(kind, str) and kind in _TYPES for kind in types)):
        yield f"has the type {schema['type']!r:.50}, which JSON Schema does not have"
    if "anyOf" in schema and not schema["anyOf"]:
        yield "has an empty anyOf"
    if not all(isinstance(name, str) for name in schema.get("required") or ()):
        yield "requires a property whose name is not a string"
    for branch in schema.get("anyOf") or ():
        if not isinstance(branch, Mapping | bool):
            yield f"has {branch!r:.50} as a branch of anyOf"
