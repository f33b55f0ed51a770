"""The references and definitions of a tool's schema, in the form that Moonshot AI accepts: `#` or `#/$defs/Name`."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from langchain_kimi._kimi.schema_merging import LABELS, NEVER
from langchain_kimi._openrouter.json_schema import DEFINITIONS, references, resolve, types_of, with_subschemas
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._patterns import lazy_pattern

_PREFIX = "#/$defs/"
_NOT_IN_NAMES = lazy_pattern(r"[^A-Za-z0-9_.-]+")
ANYTHING: JSONObject = {
    "anyOf": [{"type": name} for name in ("string", "number", "boolean", "object", "array", "null")]
}
"""A schema that every value matches, with the types that Moonshot AI requires."""


class Definitions:
    """The definitions of one schema, all at the root, under names that need no escapes in a reference.

    Attributes:
        schemas: The definitions by name, in their original form.
    """

    def __init__(self, root: JSONObject) -> None:
        self._root = root
        self._places: dict[tuple[str, ...], str] = {}
        self.schemas: dict[str, Any] = {}
        self._inlined: dict[str, bool] = {}
        for keyword in DEFINITIONS:
            if isinstance(root.get(keyword), dict):
                for name, schema in root[keyword].items():
                    self._add((keyword, name), name, schema)

    def accepted(self, reference: str) -> str | None:
        """Return the reference in the accepted form; None if its target does not exist.

        A target outside the definitions becomes a definition.
        """
        if reference == "#":
            return reference
        steps = _steps(reference)
        if steps is None:
            return None
        if steps not in self._places:
            target = resolve(self._root, reference)
            if target is None:
                return None
            self._add(steps, steps[-1], target)
        return _PREFIX + self._places[steps]

    def target(self, reference: str) -> JSONObject:
        """Return the schema that an accepted reference points to; for `#`, the root without its definitions."""
        if reference == "#":
            return {keyword: value for keyword, value in self._root.items() if keyword not in DEFINITIONS}
        schema = self.schemas[reference.removeprefix(_PREFIX)]
        if isinstance(schema, dict):
            return schema
        return dict(NEVER) if schema is False else ANYTHING

    def is_recursive(self, reference: str) -> bool:
        """Return whether the target of a reference refers to itself, directly or through other definitions."""
        return reference in self._recursive

    @cached_property
    def _recursive(self) -> frozenset[str]:
        """The references that are part of a cycle."""
        graph: dict[str, list[str]] = {}
        waiting = ["#", *(_PREFIX + name for name in self.schemas)]
        while waiting:
            reference = waiting.pop()
            if reference not in graph:
                targets = dict.fromkeys(map(self.accepted, references(self.target(reference))))
                graph[reference] = [inner for inner in targets if inner is not None]
                waiting += graph[reference]
        return frozenset(nodes_on_cycles(graph))

    def is_used(self, reference: str) -> bool:
        """Return whether the root refers to the target of a reference, directly or through other definitions."""
        return reference in self._used

    @cached_property
    def _used(self) -> set[str]:
        waiting, used = ["#"], set[str]()
        while waiting:
            reference = waiting.pop()
            if reference not in used:
                used.add(reference)
                targets = map(self.accepted, references(self.target(reference)))
                waiting += [inner for inner in targets if inner is not None]
        return used

    def must_be_inlined(self, reference: str) -> bool:
        """Return whether Moonshot AI refuses the target as a definition, because one of its keys contains a slash."""
        if reference not in self._inlined:
            self._inlined[reference] = reference != "#" and any("/" in key for key in _keys(self.target(reference)))
        return self._inlined[reference]

    def _add(self, place: tuple[str, ...], name: str, schema: Any) -> None:
        unique = base = name if name and not set(name) & set("/~%#") else _NOT_IN_NAMES.sub("_", name) or "definition"
        number = 1
        while unique in self.schemas:
            number += 1
            unique = f"{base}_{number}"
        self._places[place] = unique
        self.schemas[unique] = schema


def nodes_on_cycles(graph: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the nodes of a graph that are part of a cycle, in time linear in its size (Tarjan's algorithm)."""
    order, lowest, path = dict[str, int](), dict[str, int](), dict[str, None]()
    for start in graph:
        stack = [] if start in order else [(start, iter(graph[start]))]
        while stack:
            node, others = stack[-1]
            if node not in order:
                order[node] = lowest[node] = len(order)
                path[node] = None
            for other in others:
                if other not in order:
                    stack.append((other, iter(graph[other])))
                    break
                if other in path:
                    lowest[node] = min(lowest[node], order[other])
            else:
                stack.pop()
                if stack:
                    before = stack[-1][0]
                    lowest[before] = min(lowest[before], lowest[node])
                if lowest[node] == order[node]:
                    cycle = _popped(path, node)
                    if len(cycle) > 1 or node in graph[node]:
                        yield from cycle


def _popped(path: dict[str, None], node: str) -> list[str]:
    popped = []
    while node in path:
        popped.append(path.popitem()[0])
    return popped


def endless_reference(root: JSONObject) -> str | None:
    """Return a reference that requires an infinitely nested value; None if the schema has a finite value.

    As in Moonshot AI's validator, an object is finite if one of its required properties is. So if the root is not
    finite, none of the schemas that it requires is.
    """
    if not any(True for _ in references(root)) or _is_finite(root):
        return None
    waiting = [root]
    while waiting:
        schema = waiting.pop()
        if "$ref" in schema:
            return str(schema["$ref"])
        waiting += _required_schemas(schema)
    return None


def with_empty_arrays(schema: JSONObject) -> JSONObject:
    """Return an equal schema in which an array of references is either empty or an array of them.

    The validator does not see that such an array ends the recursion when it is empty.
    """
    schema = with_subschemas(schema, lambda _, inner: with_empty_arrays(inner) if isinstance(inner, dict) else inner)
    if types_of(schema) != ["array"] or schema.get("minItems") or not any(references(schema.get("items"))):
        return schema
    labels = {keyword: value for keyword, value in schema.items() if keyword in LABELS | {"default"}}
    array = {keyword: value for keyword, value in schema.items() if keyword not in labels}
    return {**labels, "anyOf": [{"type": "array", "maxItems": 0}, array]}


def _is_finite(root: JSONObject) -> bool:
    """Return whether a schema has a finite value; see `endless_reference`."""
    waiting, followed = [root], set[str]()
    while waiting:
        schema = waiting.pop()
        if _allows_finite_value(schema):
            return True
        waiting += _required_schemas(schema)
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference not in followed:
            followed.add(reference)
            if (target := resolve(root, reference)) is not None:
                waiting.append(target)
    return False


def _allows_finite_value(schema: JSONObject) -> bool:
    """Return whether a schema allows a value without any inner value that it requires."""
    types = types_of(schema)
    if set(types) - {"object", "array"} or not (types or {"anyOf", "$ref"} & set(schema)):
        return True
    return ("array" in types and not schema.get("items")) or ("object" in types and not schema.get("required"))


def _required_schemas(schema: JSONObject) -> list[JSONObject]:
    properties = schema.get("properties") or {}
    inner = [*(schema.get("anyOf") or ()), schema.get("items")]
    inner += [properties.get(name) for name in schema.get("required") or ()]
    return [one for one in inner if isinstance(one, dict)]


def _steps(reference: str) -> tuple[str, ...] | None:
    """Return the unescaped keys of a reference such as `#/$defs/Name`; None for another form."""
    if not reference.startswith("#/"):
        return None
    return tuple(unquote(step).replace("~1", "/").replace("~0", "~") for step in reference.split("/")[1:])


def _keys(value: Any) -> Iterator[str]:
    """Yield the keys of all objects in a JSON value."""
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)
