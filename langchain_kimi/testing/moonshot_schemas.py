"""The dialect of JSON Schema that Moonshot AI takes for tools, as far as its refusals are known."""

from collections.abc import Iterator
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.rejections import rejected_upstream


def check_moonshot_schemas(tools: list[JSONObject]) -> None:
    """Raise `RejectedRequestError` for the first tool whose parameters are in another dialect."""
    for tool in tools:
        function = tool.get("function") or {}
        fault = next(_faults(function.get("parameters") or {}, "parameters"), None)
        if fault is not None:
            raise rejected_upstream(
                f"Invalid request: tools.function.parameters is not a valid moonshot flavored json schema, "
                f"details: <function {function['name']}: {fault}>"
            )


def _faults(schema: JSONObject, path: str) -> Iterator[str]:
    if "anyOf" in schema and "type" in schema:
        yield f"At path '{path}': type should be defined in anyOf items instead of the parent schema"
    if "$ref" in schema and len(schema) > 1:
        yield f"At path '{path}': $ref stands alone"
    if "prefixItems" in schema or isinstance(schema.get("items"), list):
        yield f"At path '{path}': items is one schema"
    if not {"", None}.isdisjoint(schema.get("enum") or ()):
        yield f"At path '{path}': enum has a null or empty member"
    for name, inner in _inner(schema):
        if not isinstance(inner, dict):
            yield f"At path '{path}.{name}': a schema is an object"
        elif name.startswith("properties.") and not {"type", "anyOf", "$ref"} & set(inner):
            yield f"At path '{path}.{name}': type is not defined"
        else:
            yield from _faults(inner, f"{path}.{name}")


def _inner(schema: JSONObject) -> Iterator[tuple[str, Any]]:
    for holder in ("properties", "$defs", "definitions"):
        for name, inner in (schema.get(holder) or {}).items():
            yield f"{holder}.{name}", inner
    for position, inner in enumerate(schema.get("anyOf") or ()):
        yield f"anyOf.{position}", inner
    if isinstance(schema.get("items"), dict):
        yield "items", schema["items"]
