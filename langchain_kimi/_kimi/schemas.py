"""Tool schemas in the dialect that Moonshot AI takes: equal ones for the shapes that it is known to refuse.

Its refusal reads "not a valid moonshot flavored json schema". Its rules are known from clients that work with it
(vercel/ai issue 18921): the root is an object with properties, every property has a type, a type does not stand beside
`anyOf`, a `$ref` stands alone, all items of a list have one schema, and a schema is no boolean. What has none of these
shapes is left as it is, and so is what could only be rewritten with another meaning.
"""

from typing import Any, cast

from langchain_kimi._openrouter.json_schema import references, resolve, with_subschemas
from langchain_kimi._openrouter.wire import JSONObject

_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "deprecated", "$comment"})
_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
}
_WORDS = {
    "object": {"properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"},
    "string": {"minLength", "maxLength", "pattern", "format"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
}
_TYPING = frozenset({"type", "$ref", "anyOf", "oneOf", "allOf", "not"})
_ANYTHING = [{"type": name} for name in ("string", "number", "boolean", "object", "array", "null")]
_NUMBERS = {"integer", "number"}


def with_moonshot_schemas(tools: list[JSONObject]) -> list[JSONObject]:
    """Give the tools with schemas that Moonshot AI takes; what is changed is copied first."""
    rewritten = [_tool(tool) for tool in tools]
    return tools if all(new is old for new, old in zip(rewritten, tools, strict=True)) else rewritten


def moonshot_schema(schema: JSONObject) -> JSONObject:
    """Give an equal schema for a tool's parameters; the same object if nothing has to be changed."""
    root = _Rewriter(schema).rewritten(schema, ())
    added: JSONObject = {}
    if not _TYPING & set(root):
        added["type"] = "object"
    if {**root, **added}.get("type") == "object" and not isinstance(root.get("properties"), dict):
        added["properties"] = {}
    return {**root, **added} if added else root


def _tool(tool: JSONObject) -> JSONObject:
    function = tool.get("function")
    parameters = function.get("parameters") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(parameters, dict):
        return tool
    rewritten = moonshot_schema(parameters)
    return tool if rewritten is parameters else {**tool, "function": {**function, "parameters": rewritten}}


class _Rewriter:
    """One walk over a schema; `within` are the references that are being followed."""

    def __init__(self, root: JSONObject) -> None:
        self._root = root

    def rewritten(self, schema: JSONObject, within: tuple[str, ...]) -> JSONObject:
        alone = self._with_reference_alone(schema, within)
        if alone is not schema:
            return alone
        changed = with_subschemas(schema, lambda path, inner: self._part(path[0], inner, within))
        return _with_type_in_branches(_with_one_item(changed))

    def _part(self, keyword: str, schema: Any, within: tuple[str, ...]) -> Any:
        if keyword == "additionalProperties" and not isinstance(schema, dict):
            return schema
        return self._property(schema, within) if keyword == "properties" else self._inner(schema, within)

    def _inner(self, schema: Any, within: tuple[str, ...]) -> Any:
        if schema is True:
            return {"anyOf": [dict(branch) for branch in _ANYTHING]}
        return self.rewritten(schema, within) if isinstance(schema, dict) else schema

    def _property(self, schema: Any, within: tuple[str, ...]) -> Any:
        inner = self._inner(schema, within)
        return inner if not isinstance(inner, dict) or _TYPING & set(inner) else _typed(inner)

    def _with_reference_alone(self, schema: JSONObject, within: tuple[str, ...]) -> JSONObject:
        """Put what is referred to in the place of a reference that has other words beside it."""
        reference = schema.get("$ref")
        if not isinstance(reference, str) or len(schema) == 1 or {"$defs", "definitions"} & set(schema):
            return schema
        beside = {word: value for word, value in schema.items() if word != "$ref"}
        target = self._referred(reference)
        if target is None or reference in within or reference in references(target):
            # What refers to itself cannot be written out; as the only branch it stands alone as well.
            return schema if {"anyOf", "type"} & set(beside) else {"anyOf": [{"$ref": reference}], **beside}
        same = {word for word in set(target) & set(beside) if target[word] == beside[word]}
        if (set(target) & set(beside)) - same - _ANNOTATIONS:
            return schema
        return self.rewritten({**target, **beside}, (*within, reference))

    def _referred(self, reference: str) -> JSONObject | None:
        target = resolve(self._root, reference)
        return None if target is self._root else target


def _typed(schema: JSONObject) -> JSONObject:
    """Give a property without a type the one that its other words tell, or all of them."""
    values = (
        [*schema["enum"]] if isinstance(schema.get("enum"), list) else [schema["const"]] if "const" in schema else []
    )
    told = {_TYPES.get(type(value), "null") for value in values} or {
        kind for kind, words in _WORDS.items() if words & set(schema)
    }
    if told == _NUMBERS:
        told = {"number"}
    if len(told) == 1:
        return {"type": told.pop(), **schema}
    if told or set(schema) - _ANNOTATIONS:
        return schema
    return {"anyOf": [dict(branch) for branch in _ANYTHING], **schema}


def _with_one_item(schema: JSONObject) -> JSONObject:
    """Give a list of so many equal items, as a tuple of numbers is, one schema for all of them."""
    first, *others = schema.get("prefixItems") or [None]
    most = len(others) + 1
    limit = schema.get("maxItems", None if "items" not in schema else most)
    is_closed = schema.get("items", False) is False and isinstance(limit, int) and limit <= most
    if not is_closed or not isinstance(first, dict) or any(other != first for other in others):
        return schema
    rest = {word: value for word, value in schema.items() if word not in {"prefixItems", "items"}}
    return {**rest, "items": first, "maxItems": limit}


def _with_type_in_branches(schema: JSONObject) -> JSONObject:
    """Move a type that stands beside `anyOf` into the branches; a branch of another type can never hold and goes."""
    branches, kind = schema.get("anyOf"), schema.get("type")
    if kind is None or not isinstance(branches, list) or not all(isinstance(branch, dict) for branch in branches):
        return schema
    kinds = [kind] if isinstance(kind, str) else kind
    if any("$ref" in branch or ("type" not in branch and len(kinds) > 1) for branch in branches):
        return schema
    moved = [new for branch in branches if (new := _narrowed(cast("JSONObject", branch), kinds)) is not None]
    if not moved:
        return schema
    return {word: moved if word == "anyOf" else value for word, value in schema.items() if word != "type"}


def _narrowed(branch: JSONObject, kinds: list[str]) -> JSONObject | None:
    """Give a branch for the types only; None when it has none of them."""
    own = branch.get("type", kinds)
    common = [kind for kind in ([own] if isinstance(own, str) else own) if kind in kinds]
    if not common and _NUMBERS & set(kinds) and _NUMBERS & {*([own] if isinstance(own, str) else own)}:
        common = ["integer"]
    if not common:
        return None
    return {**branch, "type": common[0] if len(common) == 1 else common}
