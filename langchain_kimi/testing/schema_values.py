"""Generates values for JSON schemas, from the facts in a prompt if they fit."""

from collections.abc import Iterator
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.prompts import Facts

_DEEPEST = 6
_EXCERPT = 120
_FORMATS = {
    "date": "2026-01-02",
    "date-time": "2026-01-02T03:04:05Z",
    "time": "03:04:05Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
}
_ONLY_VALUES = {"boolean": True, "null": None}
_PLACE_WORDS = ("city", "location", "place", "town", "country", "destination", "origin", "region", "where")
_PROMPT_WORDS = ("query", "question", "prompt", "text", "message", "input", "request", "topic")


def fill(schema: JSONObject, facts: Facts) -> Any:
    """Return a value that the schema allows. Each number, quoted text and place is used once, in order."""
    return _Filler(schema, facts).value(schema, "", 0)


def wants_place(schema: JSONObject) -> bool:
    """Return whether the schema has a property for a place."""
    return any(_wants_place(name) for name in schema.get("properties") or {})


def _wants_place(name: str) -> bool:
    return any(word in name.lower() for word in _PLACE_WORDS)


class _Filler:
    """Fills one schema; each fact of the prompt is used once."""

    def __init__(self, root: JSONObject, facts: Facts) -> None:
        self._root = root
        self._facts = facts
        self._numbers: Iterator[float] = iter(facts.numbers)
        self._quoted = iter(facts.quoted)
        self._places = iter(facts.places)

    def value(self, schema: Any, name: str, depth: int) -> Any:
        """Return a value for a property with this name."""
        schema = self._resolved(schema, depth)
        if "const" in schema or "enum" in schema:
            return self._member(schema.get("enum") or [schema["const"]])
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind in ("integer", "number"):
            return self._number(schema, whole=kind == "integer")
        if kind in _ONLY_VALUES:
            return _ONLY_VALUES[kind]
        return self._string(schema, name)

    def _resolved(self, schema: Any, depth: int) -> JSONObject:
        """Follow references, merge `allOf`, and choose a branch of `anyOf` or `oneOf`."""
        if not isinstance(schema, dict):
            return {}
        if "$ref" in schema:
            siblings = {key: value for key, value in schema.items() if key != "$ref"}
            return self._resolved({**self._referenced(schema["$ref"]), **siblings}, depth)
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema.get("allOf", ()):
            part_schema = self._resolved(part, depth)
            properties = {**merged.get("properties", {}), **part_schema.get("properties", {})}
            required = [*merged.get("required", ()), *part_schema.get("required", ())]
            merged |= {**part_schema, "properties": properties, "required": required}
        branches = schema.get("anyOf") or schema.get("oneOf")
        if branches:
            return self._resolved(self._branch(branches, depth), depth)
        return merged

    def _branch(self, branches: list[Any], depth: int) -> Any:
        # At the greatest depth a null ends the recursion.
        nulls = [branch for branch in branches if branch == {"type": "null"}]
        others = [branch for branch in branches if branch not in nulls]
        return nulls[0] if nulls and (depth >= _DEEPEST or not others) else others[0]

    def _referenced(self, reference: str) -> JSONObject:
        target: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            target = target[step] if step else target
        return dict(target)

    def _member(self, members: list[Any]) -> Any:
        named = [member for member in members if str(member).lower() in self._facts.text.lower()]
        return next((member for member in [*named, *members] if member is not None), None)

    def _object(self, schema: JSONObject, depth: int) -> JSONObject:
        properties: JSONObject = schema.get("properties") or {}
        required = schema.get("required")
        wanted = [
            name
            for name in properties
            if required is None or name in required or (depth < _DEEPEST and name.lower() in self._facts.text.lower())
        ]
        return {name: self.value(properties[name], name, depth + 1) for name in wanted}

    def _array(self, schema: JSONObject, name: str, depth: int) -> list[Any]:
        if "prefixItems" in schema:
            return [self.value(item, name, depth + 1) for item in schema["prefixItems"]]
        items = schema.get("items") or {}
        count = {"integer": self._facts.numbers, "number": self._facts.numbers}.get(_kind(items), self._facts.quoted)
        least = max(schema.get("minItems", 0), 0 if depth >= _DEEPEST else 1)
        length = min(max(least, len(count) if depth < _DEEPEST else 0), schema.get("maxItems", 10))
        return [self.value(items, name, depth + 1) for _ in range(length)]

    def _number(self, schema: JSONObject, *, whole: bool) -> float:
        least, most = _bounds(schema)
        for number in self._numbers:
            if least <= number <= most and (not whole or number.is_integer()):
                return int(number) if number.is_integer() else number
        fallback = min(max(1, least), most)
        return int(fallback) if whole else fallback

    def _string(self, schema: JSONObject, name: str) -> str:
        if "format" in schema:
            return self._formatted(schema["format"])
        if _wants_place(name):
            text = next(self._places, None) or next(self._quoted, None) or "Oslo"
        elif any(word in name.lower() for word in _PROMPT_WORDS):
            text = self._facts.text[:_EXCERPT]
        else:
            text = next(self._quoted, None) or f"{name or 'text'}: {self._facts.text[:_EXCERPT]}"
        return text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]

    def _formatted(self, form: str) -> str:
        facts = {"date": self._facts.dates, "email": self._facts.emails, "uri": self._facts.urls}
        return next(iter(facts.get(form, ())), _FORMATS.get(form, "text"))


def _kind(schema: JSONObject) -> str:
    """Return the schema's type, derived from its other keywords if it has no type."""
    kind = schema.get("type")
    if isinstance(kind, list):
        return str(next((one for one in kind if one != "null"), "null"))
    if kind is None and "properties" in schema:
        return "object"
    if kind is None and ("items" in schema or "prefixItems" in schema):
        return "array"
    return str(kind or "string")


def _bounds(schema: JSONObject) -> tuple[float, float]:
    least = max(schema.get("minimum", float("-inf")), schema.get("exclusiveMinimum", float("-inf")) + 1)
    most = min(schema.get("maximum", float("inf")), schema.get("exclusiveMaximum", float("inf")) - 1)
    return least, most
