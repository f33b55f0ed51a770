"""Read schemas in the forms of earlier drafts, other providers and other languages, and write them in the common form.

Servers of tools are written in many languages. Their schemas have `STRING` (Google) or `str` as a type, `[]` for an
object without members (PHP), references by name or address, and references to definitions that moved with the schema
into another one.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urldefrag, urljoin

from langchain_kimi._openrouter.json_schema import DEFINITIONS, NAMED_SCHEMAS, Path, resolve, walk, with_subschemas
from langchain_kimi._openrouter.wire import JSONObject

_OTHER_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "dict": "object",
    "list": "array",
    "none": "null",
}
"""Python's names of types, in lower case."""
_TYPES = frozenset(_OTHER_TYPES.values())
_ANY = "any"
"""The name that draft 3 of JSON Schema has for all types."""
_FREE = frozenset({"default", "examples", "example"})
"""Annotations with any value, which Moonshot AI searches for references. Names that begin with `x-` are others."""
_CHANGED = frozenset({"type", "description", "additionalProperties", "$ref"}) | NAMED_SCHEMAS | _FREE


def in_common_form(root: JSONObject) -> JSONObject:
    """Return an equal schema in the common form; the same object if it has this form."""
    targets = _Targets(root)
    return _in_common_form(root, targets)


def _in_common_form(schema: JSONObject, targets: "_Targets") -> JSONObject:
    schema = _with_common_values(schema, targets)
    return with_subschemas(
        schema, lambda _, inner: _in_common_form(inner, targets) if isinstance(inner, dict) else inner
    )


def _with_common_values(schema: JSONObject, targets: "_Targets") -> JSONObject:
    changed: JSONObject = {}
    dropped: set[str] = set()
    for keyword, value in schema.items():
        if keyword not in _CHANGED and not keyword.startswith("x-"):
            continue
        if value == [] and (keyword in NAMED_SCHEMAS or keyword == "additionalProperties"):
            changed[keyword] = {}
        elif keyword in _FREE or keyword.startswith("x-"):
            dropped |= {keyword} if _has_reference(value) else set()
        elif keyword == "type":
            kinds = _types(value)
            dropped |= {keyword} if kinds == _ANY else set()
            changed |= {keyword: kinds} if kinds not in (value, _ANY) else {}
        elif keyword == "description" and isinstance(value, int | float | list):
            changed[keyword] = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
        elif keyword == "$ref" and isinstance(value, str) and (pointer := targets.pointer(value)) not in (None, value):
            changed[keyword] = pointer
    if not (changed or dropped):
        return schema
    return {keyword: changed.get(keyword, value) for keyword, value in schema.items() if keyword not in dropped}


def _types(value: Any) -> Any:
    """Return the types of a schema under the names of JSON Schema; `any` for all of them."""
    if isinstance(value, str):
        name = value.lower()
        common = _OTHER_TYPES.get(name, name)
        return common if common in _TYPES or common == _ANY else value
    kinds = [_types(kind) if isinstance(kind, str) else kind for kind in value] if isinstance(value, list) else value
    return _ANY if isinstance(kinds, list) and _ANY in kinds else kinds


def _has_reference(value: Any) -> bool:
    if isinstance(value, dict):
        return "$ref" in value or any(map(_has_reference, value.values()))
    return isinstance(value, list) and any(map(_has_reference, value))


class _Targets:
    """The schemas that references can name, by their anchors, addresses and names. They are read when needed."""

    def __init__(self, root: JSONObject) -> None:
        self._root = root
        self._base = _identifier(root).rstrip("#")
        self._named: dict[str, str] | None = None
        self._definitions: dict[str, list[tuple[str, Any]]] = {}

    def pointer(self, reference: str) -> str | None:
        """Return a reference as a pointer such as `#/$defs/Name`; None if it names no schema."""
        if reference.startswith("#/") and resolve(self._root, reference) is not None:
            return reference
        address, fragment = urldefrag(urljoin(self._base, reference) if reference else self._base)
        if self._named is None:
            self._named = dict(self._read())
        start = "#" if address == self._base else self._named.get(address)
        if start is None:
            return None
        if not fragment:
            return start
        if not fragment.startswith("/"):
            return self._named.get(f"{address}#{fragment}")
        inner = f"{start}{fragment}"
        return inner if resolve(self._root, inner) is not None else self._only_definition(fragment)

    def _read(self) -> Iterator[tuple[str, str]]:
        """Yield each address and anchor with its pointer, and collect the definitions at any depth."""
        for path, schema in walk(self._root):
            pointer = _pointer(path)
            for keyword in DEFINITIONS:
                inner = schema.get(keyword)
                for name, definition in inner.items() if isinstance(inner, dict) else ():
                    self._definitions.setdefault(name, []).append((_pointer((*path, keyword, name)), definition))
            if isinstance(anchor := schema.get("$anchor"), str):
                yield f"{self._base}#{anchor}", pointer
            if path and (identifier := _identifier(schema)):
                yield urljoin(self._base, identifier), pointer

    def _only_definition(self, fragment: str) -> str | None:
        """Return the pointer to the only definition with a name, wherever it is; None if there are different ones.

        A schema that was written to stand alone keeps its references when it becomes a part of another one.
        """
        _, keyword, *names = fragment.split("/")
        targets = self._definitions.get(names[0].replace("~1", "/").replace("~0", "~"), []) if len(names) == 1 else []
        is_only = (
            keyword in DEFINITIONS and bool(targets) and all(definition == targets[0][1] for _, definition in targets)
        )
        return targets[0][0] if is_only else None


def _identifier(schema: JSONObject) -> str:
    """Return the address of a schema, which drafts before 6 call `id`."""
    for keyword in ("$id", "id"):
        if isinstance(value := schema.get(keyword), str):
            return value
    return ""


def _pointer(path: Path) -> str:
    return "#" + "".join(f"/{step.replace('~', '~0').replace('/', '~1').replace('%', '%25')}" for step in path)
