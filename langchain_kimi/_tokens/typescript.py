"""Write tools in the form that Kimi K2.5 and later read: TypeScript types instead of JSON schemas.

The tokenizer code that Moonshot releases with the model converts tools to this form. A prompt with tools is a third to
two thirds shorter than with JSON.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject

_INDENT = "  "
_NAMES = {"integer": "number", "object": "{}", "array": "Array<any>"}
_CONSTRAINTS = {
    "string": ("maxLength", "minLength", "pattern"),
    "number": ("maximum", "minimum"),
    "integer": ("maximum", "minimum"),
    "array": ("maxItems", "minItems"),
}
_KINDS: dict[str, type | tuple[type, ...]] = {"string": str, "number": (int, float), "integer": int, "boolean": bool}
_DEFINITION = "#/$defs/"


class UntypedSchemaError(ValueError):
    """A schema cannot be expressed in this notation. The tools are then written as JSON."""


def typescript_tools(tools: Sequence[JSONObject]) -> str:
    """Return the declarations of the functions among the tools; the empty string if there are no functions.

    Raises:
        UntypedSchemaError: A schema cannot be expressed in this notation.
    """
    functions = [tool["function"] for tool in tools if tool.get("type") == "function" and tool.get("function")]
    if not functions:
        return ""
    declarations = "\n".join(map(_function, functions))
    return f"# Tools\n\n## functions\nnamespace functions {{\n{declarations}\n}}\n"


def _function(function: JSONObject) -> str:
    schema = function.get("parameters") or {}
    definitions = schema.get("$defs") or {}
    lines = []
    argument = _object(schema, "", definitions)
    if _refers_to_itself(schema):
        fields = ",\n".join(_fields(schema, _INDENT, definitions))
        lines.append(f"interface parameters {{\n{fields}\n}}")
        argument = "parameters"
    for name, definition in definitions.items():
        lines += _comment(_mapping(definition).get("description"), "")
        lines.append(f"interface {name} {_type(definition, '', definitions)}")
    lines += _comment(function.get("description"), "")
    lines.append(f"type {function.get('name', 'function')} = (_: {argument}) => any;")
    return "\n".join(lines)


def _refers_to_itself(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        return schema.get("$ref") == "#" or any(map(_refers_to_itself, schema.values()))
    return isinstance(schema, list) and any(map(_refers_to_itself, schema))


def _mapping(schema: Any) -> Mapping[str, Any]:
    return schema if isinstance(schema, Mapping) else {}


def _comment(text: Any, indent: str) -> list[str]:
    return [f"{indent}// {line}" if line else "" for line in str(text).split("\n")] if text else []


def _notes(schema: Any, indent: str) -> list[str]:
    """Return the comment lines above a type: its description, and one line with its constraints."""
    schema = _mapping(schema)
    kind = schema.get("type")
    plain = isinstance(kind, str) and not {"$ref", "anyOf", "enum"} & set(schema)
    allowed = _CONSTRAINTS.get(kind, ()) if plain else ()
    constraints = ", ".join(f"{name}: {schema[name]}" for name in allowed if name in schema)
    return _comment(schema.get("description"), indent) + _comment(constraints, indent)


def _type(schema: Any, indent: str, definitions: JSONObject) -> str:
    if isinstance(schema, bool):
        return "any" if schema else "null"
    for key, write in _WRITERS.items():
        if key in schema:
            return write(schema, indent, definitions)
    if schema:
        raise UntypedSchemaError(f"no type in {sorted(schema)}")
    return "any"


def _reference(schema: JSONObject, _indent: str, definitions: JSONObject) -> str:
    reference = schema["$ref"]
    if reference == "#":
        return "parameters"
    name = str(reference).removeprefix(_DEFINITION)
    if not str(reference).startswith(_DEFINITION) or name not in definitions:
        raise UntypedSchemaError(f"unknown reference {reference!r}")
    return name


def _any_of(schema: JSONObject, indent: str, definitions: JSONObject) -> str:
    return " | ".join(_type(choice, indent, definitions) for choice in schema["anyOf"])


def _enum(schema: JSONObject, _indent: str, _definitions: JSONObject) -> str:
    kind = schema.get("type", "any")
    kinds = [name for name in kind if name != "null"] if isinstance(kind, list) else [kind]
    expected = _KINDS.get(kinds[0]) if len(kinds) == 1 else None
    if len(kinds) > 1 or (expected and any(not isinstance(value, expected) for value in _not_null(schema["enum"]))):
        raise UntypedSchemaError("an enum of another type")
    return " | ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in schema["enum"])


def _not_null(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _by_type(schema: JSONObject, indent: str, definitions: JSONObject) -> str:
    kind = schema["type"]
    if isinstance(kind, list):
        return " | ".join(map(_named, kind))
    if kind == "object":
        return _object(schema, indent, definitions)
    return _array(schema, indent, definitions) if kind == "array" else _named(kind)


def _named(kind: str) -> str:
    return _NAMES.get(kind, kind)


def _array(schema: JSONObject, indent: str, definitions: JSONObject) -> str:
    item = schema.get("items") or {}
    deeper = indent + _INDENT
    notes = _notes(item, deeper)
    if not notes:
        return f"Array<{_type(item, indent, definitions)}>"
    return "\n".join(["Array<", *notes, deeper + _type(item, deeper, definitions), f"{indent}>"])


def _object(schema: JSONObject, indent: str, definitions: JSONObject) -> str:
    fields = _fields(schema, indent + _INDENT, definitions)
    if not fields:
        return "{}"
    return "{\n" + ",\n".join(fields) + f"\n{indent}}}"


def _fields(schema: JSONObject, indent: str, definitions: JSONObject) -> list[str]:
    """Return the fields of an object, the required ones first, each group sorted by name."""
    properties = schema.get("properties") or {}
    required = set(schema.get("required") or ())
    names = sorted(properties, key=lambda name: (name not in required, name))
    fields = [_field(name if name in required else f"{name}?", properties[name], indent, definitions) for name in names]
    if (further := schema.get("additionalProperties")) is not None:
        kinds = {True: "any", False: "never"}
        kind = kinds[further] if isinstance(further, bool) else _type(further, indent, definitions)
        fields.append(f"{indent}[k: string]: {kind}")
    return fields


def _field(label: str, schema: Any, indent: str, definitions: JSONObject) -> str:
    lines = _notes(schema, indent)
    if (default := _mapping(schema).get("default")) is not None:
        plain = isinstance(default, int | float)
        lines.append(f"{indent}// Default: {default if plain else json.dumps(default, ensure_ascii=False)}")
    lines.append(f"{indent}{label}: {_type(schema, indent, definitions)}")
    return "\n".join(lines)


_WRITERS: dict[str, Callable[[JSONObject, str, JSONObject], str]] = {
    "$ref": _reference,
    "anyOf": _any_of,
    "enum": _enum,
    "type": _by_type,
}
