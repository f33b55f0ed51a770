"""The shapes of JSON values: every path of keys with the types of its values."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

Shapes: TypeAlias = set[tuple[str, str]]
_TYPES = {
    type(None): "null",
    bool: "bool",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def shapes_of(values: Iterable[Any]) -> Shapes:
    """Return the paths and types in the values. Integers and floats are one type."""
    return {shape for value in values for shape in _walk(value, "")}


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    yield path, _TYPES[type(value)]
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, f"{path}[]")
