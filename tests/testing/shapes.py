"""The shapes of JSON: every path of keys in it, with the types found there."""

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
    """Every path and type in any of the values; an int is a float that happens to be whole."""
    return {shape for value in values for shape in _walk(value, "")}


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    yield path, _TYPES[type(value)]
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, f"{path}[]")
