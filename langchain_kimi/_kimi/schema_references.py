"""References and definitions of a tool's schema in the form that Moonshot AI accepts: `#` or `#/$defs/Name`."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from langchain_kimi._kimi.schema_merging import NEVER
from langchain_kimi._openrouter.json_schema import DEFINITIONS, references, resolve, types_of
from langchain_kimi._openrouter.wire import JSONObject

_PREFIX = "#/$defs/"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
ANYTHING: JSONObject = {
    "anyOf": [{"type": name} for name in ("string", "number", "boolean", "object", "array", "null")]
}
"""A schema with types that every value matches."""


class Definitions:
    """The definitions of one schema, all at the root, under names that a reference needs no escapes for.

    Attributes:
        schemas: The definitions by name, in their original form.
    """

    def __init__(self, root: JSONObject) -> None:
        self._root = root
        self._places: dict[tuple[str, ...], str] = {}
        self.schemas: dict[str, Any] = {}
        for holder in DEFINITIONS:
            if isinstance(root.get(holder), dict):
                for name, schema in root[holder].items():
                    self._add((holder, name), name, schema)

    def accepted(self, reference: str) -> str | None:
        """Return the reference in its accepted form; None if its target does not exist.

        A target elsewhere in the schema becomes a definition.
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
        """Return the schema of an accepted reference; that of the root without its definitions."""
        if reference == "#":
            return {keyword: value for keyword, value in self._root.items() if keyword not in DEFINITIONS}
        schema = self.schemas[reference.removeprefix(_PREFIX)]
        if isinstance(schema, dict):
            return schema
        return dict(NEVER) if schema is False else ANYTHING

    def is_recursive(self, reference: str) -> bool:
        """Return whether the target of a reference refers to itself, directly or through other definitions."""
        waiting, followed = [reference], set[str]()
        while waiting:
            for inner in references(self.target(waiting.pop())):
                accepted = self.accepted(inner)
                if accepted == reference:
                    return True
                if accepted is not None and accepted not in followed:
                    followed.add(accepted)
                    waiting.append(accepted)
        return False

    def must_be_inlined(self, reference: str) -> bool:
        """Return whether Moonshot AI refuses the target as a definition: it refuses a slash in any key of one."""
        return reference != "#" and any("/" in key for key in _keys(self.target(reference)))

    def _add(self, place: tuple[str, ...], name: str, schema: Any) -> None:
        unique = base = name if name and not set(name) & set("/~%#") else _NOT_IN_NAMES.sub("_", name) or "definition"
        number = 1
        while unique in self.schemas:
            number += 1
            unique = f"{base}_{number}"
        self._places[place] = unique
        self.schemas[unique] = schema


def endless_reference(root: JSONObject) -> str | None:
    """Return a reference that never ends in any value, or None if every reference can end.

    As in Moonshot AI's validator, an object ends if one of its required properties does.
    """
    if not any(True for _ in references(root)) or _ends(root, root, frozenset()):
        return None
    waiting = [root]
    while waiting:
        schema = waiting.pop()
        if "$ref" in schema and not _ends(root, schema, frozenset()):
            return str(schema["$ref"])
        waiting += _required_schemas(schema)
    return None


def _ends(root: JSONObject, schema: JSONObject, followed: frozenset[str]) -> bool:
    types = types_of(schema)
    if set(types) - {"object", "array"} or not (types or {"anyOf", "$ref"} & set(schema)):
        return True
    if "array" in types and not schema.get("items"):
        return True
    if "object" in types and not schema.get("required"):
        return True
    if any(_ends(root, inner, followed) for inner in _required_schemas(schema)):
        return True
    reference = schema.get("$ref")
    target = None if reference in followed else resolve(root, reference)
    return target is not None and _ends(root, target, followed | {str(reference)})


def _required_schemas(schema: JSONObject) -> list[JSONObject]:
    properties = schema.get("properties") or {}
    inner = [*(schema.get("anyOf") or ()), schema.get("items")]
    inner += [properties.get(name) for name in schema.get("required") or ()]
    return [one for one in inner if isinstance(one, dict)]


def _steps(reference: str) -> tuple[str, ...] | None:
    if not reference.startswith("#/"):
        return None
    return tuple(unquote(step).replace("~1", "/").replace("~0", "~") for step in reference.split("/")[1:])


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)
