"""The dialect of JSON Schema that Moonshot AI accepts for the parameters of tools.

The rules are those of the level `strict` of its validator (https://github.com/MoonshotAI/walle), the level that its
server requires. Two things come from the service itself: the root must have the type `object`, and alternatives beside
that type are accepted at the root.
"""

import json
from collections.abc import Iterator
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.rejections import rejected_upstream

_TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
_SCALARS = frozenset({"boolean", "number", "integer", "string"})
_CONTAINERS = frozenset({"object", "array"})
_TOO_MANY = 3
_LABELS = frozenset({"title", "description"})
_ROOT_ONLY = frozenset({"$defs", "$id"})
_RESERVED_NAMES = frozenset({"$defs", "$ref", "anyOf", "required", "additionalProperties"})
_MAX_BYTES, _MAX_DEPTH, _MAX_PROPERTIES, _MAX_MEMBERS, _MAX_BRANCHES = 120_000, 30, 3000, 1000, 500
# The value of each keyword has one of these types; None stands for JSON's null.
_VALUE_TYPES: dict[str, tuple[type, ...]] = {
    "type": (str, list),
    "properties": (dict,),
    "required": (list,),
    "enum": (list,),
    "items": (dict,),
    "$ref": (str,),
    "description": (str,),
    "anyOf": (list,),
    "additionalProperties": (bool, dict),
    "$defs": (dict,),
    "$id": (str, type(None)),
    "pattern": (str, type(None)),
}


def check_moonshot_schemas(tools: list[JSONObject]) -> None:
    """Raise `RejectedRequestError` for the first tool whose parameters are not in the dialect."""
    for position, tool in enumerate(tools):
        function = tool.get("function") or {}
        if "parameters" not in function:
            continue
        fault = schema_fault(function["parameters"])
        if fault is not None:
            raise rejected_upstream(
                f"Invalid request: tools.{position}.function.parameters is not a valid moonshot flavored json schema, "
                f"details: <{fault}>"
            )


def schema_fault(schema: Any) -> str | None:
    """Return the first reason why the parameters of a tool are refused; None if they are accepted."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return 'parameters.type is required and must be "object"'
    return next(_Checker(schema).faults(), None)


class _Checker:
    """One check of a whole schema."""

    def __init__(self, root: JSONObject) -> None:
        self._root = root
        self._properties = 0

    def faults(self) -> Iterator[str]:
        if len(json.dumps(self._root, ensure_ascii=False, separators=(",", ":")).encode()) > _MAX_BYTES:
            yield "schema exceeds maximum allowed size"
        yield from self._in_schema(self._root, "root", 0)
        if not self._ends(self._root, frozenset()):
            yield from self._endless(self._root, "root")

    def _in_schema(self, schema: JSONObject, path: str, depth: int) -> Iterator[str]:
        if depth > _MAX_DEPTH:
            yield f"At path '{path}': schema depth exceeds maximum limit of {_MAX_DEPTH}"
        for keyword, kinds in _VALUE_TYPES.items():
            if keyword in schema and not isinstance(schema[keyword], kinds):
                yield f"At path '{path}.{keyword}': wrong type of value"
        yield from _faults_of_type(schema, path, is_root=schema is self._root)
        yield from _faults_of_enum(schema, path)
        yield from self._faults_of_properties(schema, path)
        yield from _faults_of_branches(schema, path)
        yield from self._faults_of_reference(schema, path, depth)
        yield from _faults_of_definitions(schema, path)
        for name, inner in _inner(schema):
            yield from self._in_schema(inner, f"{path}.{name}", depth + name.startswith("properties."))

    def _faults_of_properties(self, schema: JSONObject, path: str) -> Iterator[str]:
        properties = schema.get("properties") or {}
        self._properties += len(properties)
        if self._properties > _MAX_PROPERTIES:
            yield f"At path '{path}': total number of properties keys exceeds maximum limit of {_MAX_PROPERTIES}"
        for name, inner in properties.items():
            if name in _RESERVED_NAMES:
                yield f"At path '{path}.properties': property name '{name}' is reserved for JSON Schema keywords"
            if not isinstance(inner, dict):
                yield f"At path '{path}.properties': property schema for '{name}' must be an object"
        for name in schema.get("required") or ():
            if name not in properties:
                yield f"At path '{path}.required': required property '{name}' is not defined in properties"

    def _faults_of_reference(self, schema: JSONObject, path: str, depth: int) -> Iterator[str]:
        yield from self._misplaced(schema, path)
        if "$ref" not in schema:
            return
        reference = schema["$ref"]
        target = self._target(reference)
        if reference != "#" and not reference.startswith("#/$defs/"):
            yield f"At path '{path}.$ref': references must start with #/$defs/"
        if target is None:
            yield f"At path '{path}': invalid $ref path: {reference}"
        else:
            yield from self._faults_of_target(schema, target, path, depth)

    def _faults_of_target(self, schema: JSONObject, target: JSONObject, path: str, depth: int) -> Iterator[str]:
        if conflicts := sorted(set(schema) & set(target) - _LABELS - {"$ref"}):
            yield f"At path '{path}': conflicting keywords after $ref expansion: {', '.join(conflicts)}"
        if ("type" in schema and "anyOf" in target) or ("type" in target and "anyOf" in schema):
            yield f"At path '{path}': type should be defined in anyOf items"
        for branch in target.get("anyOf") or ():
            if set(branch) & set(schema) - _LABELS - {"$ref"}:
                yield f"At path '{path}': conflicting keywords in anyOf after $ref expansion"
        if depth + self._depth(target, frozenset({schema["$ref"]})) > _MAX_DEPTH:
            yield f"At path '{path}': schema depth exceeds maximum limit of {_MAX_DEPTH}"

    def _misplaced(self, schema: JSONObject, path: str) -> Iterator[str]:
        """Yield a fault for each reference directly under a keyword that the validator does not know."""
        for keyword in schema.keys() - {"properties", "items", "additionalProperties", "$defs"}:
            value = schema[keyword]
            if isinstance(value, dict) and "$ref" in value and schema is not self._root:
                yield f"At path '{path}.{keyword}': $ref is not allowed in this schema"
            has_names = isinstance(value, dict) and keyword in ("patternProperties", "dependentSchemas")
            named = value.values() if has_names else ()
            if any(isinstance(inner, dict) and "$ref" in inner for inner in named):
                yield f"At path '{path}.{keyword}': $ref is not allowed in this schema"

    def _target(self, reference: Any) -> JSONObject | None:
        value: Any = self._root
        for step in str(reference).split("/")[1:]:
            value = value.get(step) if isinstance(value, dict) else None
        return value if isinstance(value, dict) else None

    def _depth(self, schema: JSONObject, followed: frozenset[str]) -> int:
        """Return how deep the properties of a schema are nested, with each reference followed once."""
        reference = schema.get("$ref")
        target = None if reference in followed else self._target(reference)
        below = [self._depth(target, followed | {str(reference)})] if reference and target else []
        below += [self._depth(inner, followed) + name.startswith("properties.") for name, inner in _inner(schema)]
        return max(below, default=0)

    def _ends(self, schema: JSONObject, followed: frozenset[str]) -> bool:
        """Return whether a finite value can match, as the validator decides it."""
        types = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type") or []
        if not schema or set(types) - _CONTAINERS:
            return True
        inner = [branch for branch in schema.get("anyOf") or () if isinstance(branch, dict)]
        if "array" in types:
            inner.append(schema.get("items") or {})
        if "object" in types:
            properties = schema.get("properties") or {}
            names = schema.get("required") or ()
            inner += [properties[name] for name in names if name in properties] if properties and names else [{}]
        if any(self._ends(one, followed) for one in inner):
            return True
        reference = schema.get("$ref")
        if reference is None or reference in followed:
            return False
        target = self._target(reference)
        return target is not None and self._ends(target, followed | {reference})

    def _endless(self, schema: JSONObject, path: str) -> Iterator[str]:
        """Yield a fault for each required reference that no finite value can match."""
        if "$ref" in schema and not self._ends(schema, frozenset()):
            yield f"At path '{path}': detected infinite recursion without termination condition"
        required = [f"properties.{name}" for name in schema.get("required") or ()]
        for name, inner in _inner(schema):
            if name in required or name.startswith(("anyOf", "items")):
                yield from self._endless(inner, f"{path}.{name}")


def _inner(schema: JSONObject) -> Iterator[tuple[str, JSONObject]]:
    """Yield the schemas that the validator visits; `oneOf`, `allOf` and other keywords are not visited."""
    named = [(holder, name) for holder in ("$defs", "properties") for name in schema.get(holder) or ()]
    inner = [(f"{holder}.{name}", schema[holder][name]) for holder, name in named]
    inner += [(keyword, schema.get(keyword)) for keyword in ("items", "additionalProperties")]
    inner += [(f"anyOf{{{position}}}", branch) for position, branch in enumerate(schema.get("anyOf") or ())]
    return ((name, value) for name, value in inner if isinstance(value, dict))


def _faults_of_type(schema: JSONObject, path: str, *, is_root: bool) -> Iterator[str]:
    if "type" not in schema:
        return
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if not types or not all(isinstance(kind, str) and kind in _TYPES for kind in types):
        yield f"At path '{path}': invalid type"
    if "anyOf" in schema and not is_root:
        yield f"At path '{path}': when using anyOf, type should be defined in anyOf items instead of the parent schema"
    if "$ref" in schema:
        yield f"At path '{path}': when using $ref, type should be defined in the referenced schema"
    allowed = {"type"} | _LABELS | (_ROOT_ONLY if is_root else set())
    if len(types) > 1 and "enum" not in schema and set(schema) - allowed:
        yield f"At path '{path}': keywords are not allowed in combination with multiple types"


def _faults_of_enum(schema: JSONObject, path: str) -> Iterator[str]:
    if "enum" not in schema:
        return
    members, types = schema["enum"], schema.get("type")
    if not 0 < len(members) <= _MAX_MEMBERS:
        yield f"At path '{path}.enum': enum must have 1 to {_MAX_MEMBERS} items"
    if types is None:
        yield f"At path '{path}': type is not defined"
    else:
        yield from _faults_of_members(members, [types] if isinstance(types, str) else types, path)


def _faults_of_members(members: list[Any], types: list[str], path: str) -> Iterator[str]:
    if len(types) > 1 and not ("null" in types and set(types) - {"null"} <= _SCALARS and len(types) < _TOO_MANY):
        yield f"At path '{path}': when type is an array and enum is specified, only 2 types are supported"
    for member in members:
        if not _matches(member, types):
            yield f"At path '{path}.enum': enum value ({member}) does not match any type in {types}"


def _matches(member: Any, types: list[str]) -> bool:
    """Return whether a member has one of the types; a numeric type fails at once for a member of another type."""
    for kind in types:
        if kind in ("number", "integer"):
            is_number = isinstance(member, int | float) and not isinstance(member, bool)
            return is_number and (kind == "number" or float(member).is_integer())
        kinds = {"string": str, "boolean": bool, "null": type(None), "array": list, "object": dict}
        if isinstance(member, kinds.get(kind, ())):
            return True
    return False


def _faults_of_branches(schema: JSONObject, path: str) -> Iterator[str]:
    if "anyOf" not in schema:
        return
    branches = schema["anyOf"]
    if not 0 < len(branches) <= _MAX_BRANCHES:
        yield f"At path '{path}.anyOf': anyOf must have 1-{_MAX_BRANCHES} items"
    for branch in branches:
        if not isinstance(branch, dict):
            yield f"At path '{path}.anyOf': schema in anyOf must be an object"
        elif conflicts := sorted(
            set(branch) & set(schema) - {"anyOf"} - _LABELS - ({"type"} if path == "root" else set())
        ):
            yield f"At path '{path}': conflicting keywords in anyOf with parent: {', '.join(conflicts)}"


def _faults_of_definitions(schema: JSONObject, path: str) -> Iterator[str]:
    for name, inner in (schema.get("$defs") or {}).items():
        if not isinstance(inner, dict):
            yield f"At path '{path}.$defs': $defs schema must be object: {name}"
        elif not name or "/" in name or _has_slash(inner):
            yield f"At path '{path}.$defs': $defs property name '{name}' cannot be empty or contain '/'"


def _has_slash(value: Any) -> bool:
    if isinstance(value, dict):
        return any("/" in key or _has_slash(inner) for key, inner in value.items())
    return isinstance(value, list) and any(isinstance(item, dict) and _has_slash(item) for item in value)
