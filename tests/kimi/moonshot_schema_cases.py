"""Shapes of tool schemas, the level of Moonshot AI's validator that refuses each, and the form that is sent.

The levels are those of https://github.com/MoonshotAI/walle, from lax to strict: `lite`, `strict`, `ultra`. A shape that
`lite` refuses is refused at `strict` and `ultra` too. `api` is the service itself, which checks the type of the root.
The service requires `strict`; shapes that only `ultra` refuses are sent unchanged.
"""

from dataclasses import dataclass
from typing import Any, Literal

from langchain_kimi._kimi.schemas import rewritten_schema

Level = Literal["api", "lite", "strict", "ultra"]
SAME = "same"
"""The schema is sent unchanged."""
STRING, INTEGER, NULL = {"type": "string"}, {"type": "integer"}, {"type": "null"}
ANYTHING = {"anyOf": [{"type": name} for name in ("string", "number", "boolean", "object", "array", "null")]}
NEVER = {"type": "null", "not": {}}
NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
DEFINITIONS = {
    "City": {"type": "string", "title": "City"},
    "Node": NODE,
    "Either": {"anyOf": [STRING, NULL]},
    "Pattern": {"type": "string", "pattern": "a"},
}


@dataclass(frozen=True)
class SchemaShape:
    """One row.

    Attributes:
        schema: The parameters of a tool.
        refused: The laxest level that refuses the schema; None if all accept it.
        sent: The schema that is sent, `SAME`, or a part of the error text in a list.
        note: A part of the note in `response_metadata["kimi"]`; empty if the sent schema allows the same arguments.
    """

    name: str
    schema: Any
    refused: Level | None
    sent: Any = SAME
    note: str = ""


def obj(properties: Any, **others: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **others}


def prop(name: str, schema: Any, refused: Level | None, sent: Any = SAME, note: str = "") -> SchemaShape:
    """Return a row for the schema of one property `x`, with definitions beside it."""
    whole = obj({"x": schema}, **{"$defs": DEFINITIONS})
    expected = sent if sent == SAME or isinstance(sent, list) else obj({"x": sent}, **{"$defs": DEFINITIONS})
    return SchemaShape(name, whole, refused, expected, note)


def root(name: str, schema: Any, refused: Level | None, sent: Any = SAME, note: str = "") -> SchemaShape:
    return SchemaShape(name, schema, refused, sent, note)


AB = {"a": STRING, "b": INTEGER}
NO_VALUE = "which JSON Schema does not have"

ROOTS = [
    root("an object", obj({"a": STRING}), None),
    root("no keywords", {}, "api", obj({})),
    root("an object without properties", {"type": "object"}, None, obj({})),
    root("properties without a type", {"properties": {"a": STRING}}, "api", obj({"a": STRING})),
    root("a nullable object", {"type": ["object", "null"], "properties": {}}, "api", obj({})),
    root("a string", STRING, "api", ["must have the type object, not string"]),
    root("an array", {"type": "array", "items": STRING}, "api", ["must have the type object, not array"]),
    root("anyOf", {"anyOf": [obj({"a": STRING}), obj({"b": STRING})]}, "api",
         {"type": "object", "anyOf": [obj({"a": STRING}), obj({"b": STRING})]}),
    root("anyOf with a type", {"type": "object", "anyOf": [obj({"a": STRING}), obj({"b": STRING})]}, None),
    root("anyOf of one object and null", {"anyOf": [obj({"a": STRING}), NULL]}, "api", obj({"a": STRING})),
    root("anyOf of requirements", obj(AB, anyOf=[{"required": ["a"]}, {"required": ["b"]}]), "lite",
         {"type": "object", "anyOf": [obj(AB, required=["a"]), obj(AB, required=["b"])]}),
    root("oneOf", {"oneOf": [obj({"a": STRING}), obj({"b": STRING})]}, "api",
         {"type": "object", "oneOf": [obj({"a": STRING}), obj({"b": STRING})]}),
    root("allOf", {"allOf": [obj({"a": STRING})]}, "api", {"type": "object", "allOf": [obj({"a": STRING})]}),
    root("a reference", {"$ref": "#/$defs/A", "$defs": {"A": obj({"a": STRING})}}, "api",
         obj({"a": STRING}, **{"$defs": {"A": obj({"a": STRING})}})),
    root("a reference with a description", {"$ref": "#/$defs/A", "description": "d", "$defs": {"A": obj({})}}, "api",
         obj({}, description="d", **{"$defs": {"A": obj({})}})),
    root("a reference with other branches",
         {"$ref": "#/$defs/A", "anyOf": [{"required": ["a"]}], "$defs": {"A": {"anyOf": [obj(AB)]}}}, "api",
         {"type": "object", "allOf": [{"$ref": "#/$defs/A"}, {"anyOf": [{"required": ["a"]}]}],
          "$defs": {"A": {"anyOf": [obj(AB)]}}}),
    root("one branch with another pattern of names",
         obj({"a": STRING}, anyOf=[obj({"b": STRING}, patternProperties={"^c": STRING})]), "lite",
         {"type": "object", "allOf": [obj({"a": STRING}), obj({"b": STRING}, patternProperties={"^c": STRING})]}),
    root("an enum without an object", {"type": "object", "enum": ["a"]}, "lite",
         {"type": "object", "properties": {}, "not": {}}),
    root("no branch of type object", {"type": "object", "anyOf": [STRING, NULL]}, None,
         {"type": "object", "properties": {}, "not": {}}),
    root("recursion to a root without a type", {"properties": {"x": {"$ref": "#"}}}, "api",
         obj({"x": {"$ref": "#"}}), "type object added"),
    root("a reference to itself", {"$ref": "#"}, "api", ["refers to #"]),
    root("a reference to nowhere", {"$ref": "#/$defs/B", "$defs": {}}, "api", ["refers to #/$defs/B"]),
    root("$schema and $id", obj({}, **{"$schema": "https://example.com/schema", "$id": "a"}), "ultra"),
    root("definitions of earlier drafts", obj({"x": {"$ref": "#/definitions/A"}}, definitions={"A": STRING}), "lite",
         obj({"x": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": STRING}})),
    root("both kinds of definitions",
         obj({"x": {"$ref": "#/definitions/A"}, "y": {"$ref": "#/$defs/A"}}, definitions={"A": STRING},
             **{"$defs": {"A": INTEGER}}), "lite",
         obj({"x": {"$ref": "#/$defs/A_2"}, "y": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": INTEGER, "A_2": STRING}})),
    root("a reference to a property", obj({"x": STRING, "y": {"$ref": "#/properties/x"}}), "lite",
         obj({"x": STRING, "y": {"$ref": "#/$defs/x"}}, **{"$defs": {"x": STRING}})),
    root("a definition with a slash in its name",
         obj({"x": {"$ref": "#/$defs/a~1b"}}, **{"$defs": {"a/b": STRING}}), "lite",
         obj({"x": {"$ref": "#/$defs/a_b"}}, **{"$defs": {"a_b": STRING}})),
    root("a definition with a slash in a key",
         obj({"x": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": obj({"a/b": STRING})}}), "lite",
         obj({"x": obj({"a/b": STRING})})),
    root("a recursive definition with a slash in a key",
         obj({"x": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": obj({"a/b": {"$ref": "#/$defs/A"}})}}), "lite",
         ["is recursive and has a slash"]),
    root("boolean definitions", obj({"x": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": True, "B": False}}), "lite",
         obj({"x": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": ANYTHING, "B": NEVER}})),
    root("recursion with an end", obj({"next": {"$ref": "#"}}), None),
    root("recursion without an end", obj({"next": {"$ref": "#"}}, required=["next"]), "lite",
         ["contains itself without an end"]),
    root("recursion without an end in a definition",
         obj({"x": {"$ref": "#/$defs/A"}}, required=["x"],
             **{"$defs": {"A": obj({"y": {"$ref": "#/$defs/A"}}, required=["y"])}}), "lite",
         ["contains itself without an end"]),
    root("recursion in a required array",
         obj({"x": {"type": "array", "items": {"$ref": "#"}, "description": "d"}}, required=["x"]), "lite",
         obj({"x": {"description": "d", "anyOf": [
             {"type": "array", "maxItems": 0}, {"type": "array", "items": {"$ref": "#"}}]}}, required=["x"])),
    root("recursion in a required array that is not empty",
         obj({"x": {"type": "array", "items": {"$ref": "#"}, "minItems": 1}}, required=["x"]), "lite",
         ["contains itself without an end"]),
    root("additional properties", obj({}, additionalProperties=STRING), None),
    root("no additional properties", obj({}, additionalProperties=False), None),
    root("null as additional properties", obj({}, additionalProperties=None), "lite", obj({}), "left out"),
    root("properties that are a list", {"type": "object", "properties": [STRING]}, "lite", ["as properties"]),
    root("an empty list as properties", {"type": "object", "properties": []}, "lite", obj({})),
    root("empty lists as definitions", obj({}, definitions=[], **{"$defs": []}), "lite", obj({})),
    root("null as a pattern of names", obj({}, patternProperties=None), "ultra", obj({}), "left out"),
    root("the type of a root in capitals", {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}, "api",
         obj({"a": STRING})),
    root("an anchor", obj({"x": {"$ref": "#a"}, "y": {"$anchor": "a", **STRING}}), "lite",
         obj({"x": {"$ref": "#/$defs/y"}, "y": {"$anchor": "a", **STRING}},
             **{"$defs": {"y": {"$anchor": "a", **STRING}}})),
    root("the address of the root", obj({"x": {"$ref": "https://a.example/b#/$defs/A"}},
         **{"$id": "https://a.example/b", "$defs": {"A": STRING}}), "lite",
         obj({"x": {"$ref": "#/$defs/A"}}, **{"$id": "https://a.example/b", "$defs": {"A": STRING}})),
    root("a reference within a part that was a root",
         obj({"x": obj({"y": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": STRING}})}), "lite",
         obj({"x": obj({"y": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": STRING}})}, **{"$defs": {"A": STRING}})),
    root("a definition that is broken and not used", obj({}, **{"$defs": {"A": {"$ref": "#/$defs/B"}}}), "lite",
         obj({})),
    root("a definition that is broken and used",
         obj({"x": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": {"type": "date"}}}), "lite", [NO_VALUE]),
    root("a reference in an example", obj({"x": {**STRING, "examples": [{"$ref": "#/a"}], "x-a": {"$ref": "b"}}}),
         "strict", obj({"x": STRING})),
    root("a required property", obj({"a": STRING}, required=["a"]), None),
    root("an undeclared required property", obj({}, required=["a"]), "lite", obj({"a": ANYTHING}, required=["a"])),
    root("an undeclared required property of a type", obj({}, required=["a"], additionalProperties=STRING), "lite",
         obj({"a": STRING}, required=["a"], additionalProperties=STRING)),
    root("a forbidden required property", obj({}, required=["a"], additionalProperties=False), "lite",
         obj({"a": NEVER}, required=["a"], additionalProperties=False)),
    root("an undeclared required property with a pattern",
         obj({}, required=["a"], patternProperties={"^a": STRING}, additionalProperties=False), "lite",
         obj({"a": ANYTHING}, required=["a"], patternProperties={"^a": STRING}, additionalProperties=False)),
    root("null as required", obj({"a": STRING}, required=None), "lite", obj({"a": STRING}), "left out"),
    root("a string as required", obj({"a": STRING}, required="a"), "lite", ["as required"]),
    root("numbers as required", obj({"a": STRING}, required=[1]), "lite", ["whose name is not a string"]),
    root("a property with a reserved name", obj({"required": STRING}), "strict",
         obj({}, patternProperties={"^required$": STRING})),
    root("a property named $ref", obj({"$ref": {"type": "string"}}), "strict",
         obj({}, patternProperties={"^[$]ref$": STRING})),
    root("a required property with a reserved name", obj({"required": STRING}, required=["required"]), "strict",
         SAME, "reserved name"),
    root("a deep schema", obj({"x": {"type": "array", "items": obj({"y": obj({"z": STRING})})}}), None),
]  # fmt: skip

ENUMS = [
    prop("strings", {"type": "string", "enum": ["a", "b"]}, None),
    prop("an empty string", {"type": "string", "enum": ["a", ""]}, None),
    prop("strings without a type", {"enum": ["a", "b"]}, "lite", {"type": "string", "enum": ["a", "b"]}),
    prop("integers without a type", {"enum": [1, 2]}, "lite", {"type": "integer", "enum": [1, 2]}),
    prop("numbers without a type", {"enum": [1, 1.5]}, "lite", {"type": "number", "enum": [1, 1.5]}),
    prop("booleans without a type", {"enum": [True]}, "lite", {"type": "boolean", "enum": [True]}),
    prop("null without a type", {"enum": [None]}, "lite", {"type": "null", "enum": [None]}),
    prop("a string and null", {"enum": ["a", None]}, "lite", {"type": ["string", "null"], "enum": ["a", None]}),
    prop("a nullable string", {"type": ["string", "null"], "enum": ["a", None]}, None),
    prop("an integer and null", {"enum": [1, None]}, "lite", {"type": ["null", "integer"], "enum": [1, None]}),
    prop("a nullable integer", {"type": ["integer", "null"], "enum": [1, None]}, "lite",
         {"type": ["null", "integer"], "enum": [1, None]}),
    prop("null before integer", {"type": ["null", "integer"], "enum": [1, None]}, None),
    prop("null of another type", {"type": "string", "enum": ["a", None]}, "lite", {"type": "string", "enum": ["a"]}),
    prop("only null of another type", {"type": "string", "enum": [None]}, "lite", NEVER),
    prop("a fraction of an integer", {"type": "integer", "enum": [1, 1.5]}, "lite", {"type": "integer", "enum": [1]}),
    prop("a whole fraction", {"type": "integer", "enum": [1.0]}, None),
    prop("strings and integers", {"enum": ["a", 1]}, "lite",
         {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer", "enum": [1]}]}),
    prop("strings, integers and null", {"enum": ["a", 1, None], "description": "d"}, "lite",
         {"description": "d", "anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer", "enum": [1]},
                                        {"type": "null", "enum": [None]}]}),
    prop("two types", {"type": ["string", "integer"], "enum": ["a", 1]}, "lite",
         {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer", "enum": [1]}]}),
    prop("two types, one used", {"type": ["string", "integer"], "enum": ["a"]}, "lite",
         {"type": "string", "enum": ["a"]}),
    prop("three types", {"type": ["string", "integer", "null"], "enum": ["a", None]}, "lite",
         {"type": ["string", "null"], "enum": ["a", None]}),
    prop("objects", {"type": "object", "enum": [{"a": 1}]}, "ultra"),
    prop("lists and null", {"enum": [[1], None]}, "lite",
         {"anyOf": [{"type": "array", "enum": [[1]]}, {"type": "null", "enum": [None]}]}),
    prop("no members", {"type": "string", "enum": []}, "lite", NEVER),
    prop("no members, described", {"enum": [], "description": "d"}, "lite", {"description": "d", **NEVER}),
    prop("an object as enum", {"enum": {"a": 1}}, "lite", ["as enum"]),
    prop("null as enum", {"type": "string", "enum": None}, "lite", STRING, "left out"),
    prop("in items", {"type": "array", "items": {"enum": ["a"]}}, "lite",
         {"type": "array", "items": {"type": "string", "enum": ["a"]}}),
    prop("in a branch", {"anyOf": [{"enum": ["a"]}, NULL]}, "lite",
         {"anyOf": [{"type": "string", "enum": ["a"]}, NULL]}),
    prop("in additional properties", {"type": "object", "additionalProperties": {"enum": ["a"]}}, "lite",
         {"type": "object", "additionalProperties": {"type": "string", "enum": ["a"]}}),
    prop("const", {"type": "string", "const": "a"}, "ultra"),
    prop("const without a type", {"const": 1}, "ultra", {"type": "integer", "const": 1}),
    prop("many members", {"type": "integer", "enum": list(range(1001))}, "lite",
         {"anyOf": [{"type": "integer", "enum": list(range(1000))}, {"type": "integer", "enum": [1000]}]}),
]  # fmt: skip

TYPES = [
    prop("a type", {"type": "string", "description": "d"}, None),
    prop("a list of one type", {"type": ["string"]}, None),
    prop("two types", {"type": ["string", "null"], "description": "d"}, None),
    prop("two types with a default", {"type": ["string", "null"], "default": None}, "strict",
         {"default": None, "anyOf": [STRING, NULL]}),
    prop("two types with keywords of one", {"type": ["string", "null"], "minLength": 1}, "strict",
         {"anyOf": [{"type": "string", "minLength": 1}, NULL]}),
    prop("two types with properties", {"type": ["object", "null"], "properties": {"a": STRING}}, "strict",
         {"anyOf": [obj({"a": STRING}), NULL]}),
    prop("two types with items", {"type": ["array", "null"], "items": STRING}, "strict",
         {"anyOf": [{"type": "array", "items": STRING}, NULL]}),
    prop("two numeric types", {"type": ["integer", "null"], "minimum": 1}, "strict",
         {"anyOf": [{"type": "integer", "minimum": 1}, NULL]}),
    prop("no types", {"type": []}, "lite", [NO_VALUE]),
    prop("an unknown type", {"type": "date"}, "lite", [NO_VALUE]),
    prop("an unknown type in a list", {"type": ["string", "date"]}, "lite", [NO_VALUE]),
    prop("the type of draft 3 for all", {"type": "any"}, "lite", ANYTHING),
    prop("the type of draft 3 for all in a list", {"type": ["string", "any"]}, "lite", ANYTHING),
    prop("a type in capitals", {"type": "STRING", "description": "d"}, "lite", {**STRING, "description": "d"}),
    prop("types of Python", {"type": ["str", "None"]}, "lite", {"type": ["string", "null"]}),
    prop("null as type", {"type": None, "description": "d"}, "lite", {**ANYTHING, "description": "d"}, "left out"),
    prop("a number as type", {"type": 1}, "lite", ["as type"]),
    prop("no keywords", {}, "ultra", ANYTHING),
    prop("only a description", {"description": "d"}, "ultra", {**ANYTHING, "description": "d"}),
    prop("true", schema=True, refused="lite", sent=ANYTHING),
    prop("false", schema=False, refused="lite", sent=NEVER),
    prop("null", None, "lite", ["is not a schema but None"]),
    prop("a string", "string", "lite", ["is not a schema but 'string'"]),
    prop("items without a type", {"items": STRING}, "ultra", {"type": "array", "items": STRING}, "type array added"),
    prop("length without a type", {"minLength": 1}, "ultra", {"type": "string", "minLength": 1}, "type string added"),
    prop("a format", {"type": "string", "format": "uri"}, "ultra"),
    prop("an exclusive limit", {"type": "number", "exclusiveMinimum": 0}, "ultra"),
    prop("a range without values", {"type": "integer", "minimum": 2, "maximum": 1}, "ultra"),
    prop("null as description", {"type": "string", "description": None}, "lite", STRING, "left out"),
    prop("a number as description", {"type": "string", "description": 1}, "lite", {**STRING, "description": "1"}),
    prop("lines as description", {"type": "string", "description": ["a", "b"]}, "lite",
         {**STRING, "description": "a\nb"}),
    prop("an object as description", {"type": "string", "description": {}}, "lite", ["as description"]),
    prop("true as required", {"type": "string", "required": True}, "lite", STRING, "left out"),
    prop("not", {"not": STRING}, "ultra"),
]  # fmt: skip

ITEMS = [
    prop("one schema", {"type": "array", "items": STRING}, None),
    prop("no items", {"type": "array"}, None),
    prop("any items", {"type": "array", "items": {}}, "ultra"),
    prop("true", {"type": "array", "items": True}, "lite", {"type": "array", "items": ANYTHING}),
    prop("false", {"type": "array", "items": False}, "lite", {"type": "array", "maxItems": 0}),
    prop("null", {"type": "array", "items": None}, "lite", {"type": "array"}, "left out"),
    prop("a list", {"type": "array", "items": [STRING, INTEGER]}, "lite",
         {"type": "array", "prefixItems": [STRING, INTEGER]}),
    prop("a list and no more", {"type": "array", "items": [STRING, INTEGER], "additionalItems": False}, "lite",
         {"type": "array", "prefixItems": [STRING, INTEGER], "maxItems": 2}),
    prop("a list and more", {"type": "array", "items": [STRING], "additionalItems": INTEGER}, "lite",
         {"type": "array", "prefixItems": [STRING], "items": INTEGER}),
    prop("an empty list", {"type": "array", "items": []}, "lite", {"type": "array"}),
    prop("different first items", {"type": "array", "prefixItems": [STRING, NULL], "maxItems": 2}, "ultra"),
    prop("first items and no more", {"type": "array", "prefixItems": [STRING, NULL], "items": False}, "lite",
         {"type": "array", "prefixItems": [STRING, NULL], "maxItems": 2}),
    prop("a pair of one schema", {"type": "array", "prefixItems": [INTEGER, INTEGER], "maxItems": 2}, "ultra",
         {"type": "array", "items": INTEGER, "maxItems": 2}),
]  # fmt: skip

BRANCHES = [
    prop("a type or null", {"anyOf": [STRING, NULL], "description": "d"}, None),
    prop("a type beside", {"type": "string", "anyOf": [{"minLength": 1}, {"type": "string", "enum": ["a"]}, NULL]},
         "lite", {"anyOf": [{"type": "string", "minLength": 1}, {"type": "string", "enum": ["a"]}]}),
    prop("items beside a list of items", {"type": "array", "items": STRING, "anyOf": [{"items": [INTEGER]}]}, "lite",
         {"anyOf": [{"allOf": [{"type": "array", "items": STRING}, {"prefixItems": [INTEGER]}]}]}),
    prop("types beside", {"type": ["string", "null"], "anyOf": [{"type": ["string", "null", "integer"]}, NULL]}, "lite",
         {"anyOf": [{"type": ["string", "null"]}, NULL]}),
    prop("types beside a branch without", {"type": ["string", "null"], "anyOf": [{"minLength": 1}]}, "lite",
         {"anyOf": [{"anyOf": [{"type": "string", "minLength": 1}, NULL]}]}),
    prop("a type of no branch", {"type": "string", "anyOf": [NULL]}, "lite", NEVER),
    prop("a type beside a reference", {"type": "string", "anyOf": [{"$ref": "#/$defs/City"}]}, "lite",
         {"anyOf": [{"type": "string", "title": "City"}]}),
    prop("properties beside", obj(AB, anyOf=[{"required": ["a"]}, {"required": ["b"]}]), "lite",
         {"anyOf": [obj(AB, required=["a"]), obj(AB, required=["b"])]}),
    prop("properties of both", {"properties": {"a": STRING}, "anyOf": [{"properties": {"a": {"minLength": 1}}}]},
         "lite", {"anyOf": [{"properties": {"a": {"type": "string", "minLength": 1}}}]}),
    prop("limits of both", {"minimum": 1, "anyOf": [{"type": "integer", "minimum": 2}, {"type": "number"}]}, "lite",
         {"anyOf": [{"type": "integer", "minimum": 2}, {"type": "number", "minimum": 1}]}),
    prop("patterns of both", {"pattern": "a", "anyOf": [{"type": "string", "pattern": "b"}]}, "lite",
         {"anyOf": [{"allOf": [{"pattern": "a"}, {"type": "string", "pattern": "b"}]}]}),
    prop("descriptions of both", {"description": "d", "anyOf": [{**STRING, "description": "e"}]}, "ultra"),
    prop("defaults of both", {"default": "a", "anyOf": [{**STRING, "default": "b"}, NULL]}, "lite",
         {"default": "a", "anyOf": [STRING, NULL]}),
    prop("a default beside", {"default": None, "anyOf": [STRING, NULL]}, "ultra"),
    prop("true as a branch", {"anyOf": [STRING, True], "description": "d"}, "lite", {**ANYTHING, "description": "d"}),
    prop("false as a branch", {"anyOf": [STRING, False]}, "lite", {"anyOf": [STRING]}),
    prop("only false as a branch", {"anyOf": [False]}, "lite", NEVER),
    prop("no branches", {"anyOf": []}, "lite", ["has an empty anyOf"]),
    prop("a string as branches", {"anyOf": "string"}, "lite", ["as anyOf"]),
    prop("a string as a branch", {"anyOf": ["string"]}, "lite", ["as a branch of anyOf"]),
    prop("many branches", {"anyOf": [{**STRING, "const": str(number)} for number in range(501)]}, "lite",
         {"anyOf": [{"anyOf": [{**STRING, "const": str(number)} for number in range(500)]},
                    {"anyOf": [{**STRING, "const": "500"}]}]}),
    prop("oneOf", {"oneOf": [STRING, INTEGER]}, "ultra"),
    prop("allOf", {"allOf": [STRING, {"minLength": 1}]}, "ultra"),
]  # fmt: skip

REFERENCES = [
    prop("alone", {"$ref": "#/$defs/City"}, None),
    prop("with a description", {"$ref": "#/$defs/City", "description": "d"}, None,
         {"type": "string", "description": "d", "title": "City"}),
    prop("with a type", {"$ref": "#/$defs/City", "type": "string"}, "lite", {"type": "string", "title": "City"}),
    prop("with another type", {"$ref": "#/$defs/City", "type": "integer"}, "lite", NEVER),
    prop("with a limit", {"$ref": "#/$defs/City", "minLength": 1}, "ultra",
         {"type": "string", "minLength": 1, "title": "City"}),
    prop("of branches with a type", {"$ref": "#/$defs/Either", "type": "string"}, "lite", {"anyOf": [STRING]}),
    prop("with branches", {"$ref": "#/$defs/City", "anyOf": [{"minLength": 1}]}, "lite",
         {"anyOf": [{"type": "string", "minLength": 1}], "title": "City"}),
    prop("recursive with a description", {"$ref": "#/$defs/Node", "description": "d"}, None,
         {"anyOf": [{"$ref": "#/$defs/Node"}], "description": "d"}),
    prop("recursive with a type", {"$ref": "#/$defs/Node", "type": "object"}, "lite", {"$ref": "#/$defs/Node"}),
    prop("recursive with a limit", {"$ref": "#/$defs/Node", "minProperties": 1}, "ultra",
         {"allOf": [{"$ref": "#/$defs/Node"}, {"minProperties": 1}]}),
    prop("recursive with types", {"$ref": "#/$defs/Node", "type": ["object", "null"]}, "lite",
         {"$ref": "#/$defs/Node"}),
    prop("of a pattern with another", {"$ref": "#/$defs/Pattern", "pattern": "b"}, "lite",
         {"allOf": [{"$ref": "#/$defs/Pattern"}, {"pattern": "b"}]}),
    prop("to nowhere", {"$ref": "#/$defs/Nowhere"}, "lite", ["refers to #/$defs/Nowhere, which is not defined"]),
    prop("to another document", {"$ref": "https://example.com/a.json"}, "lite", ["which is not defined"]),
    prop("that is a number", {"$ref": 1}, "lite", ["as $ref"]),
    prop("in a branch", {"anyOf": [{"$ref": "#/$defs/City"}, NULL]}, None),
    prop("in items", {"type": "array", "items": {"$ref": "#/$defs/City"}}, None),
    prop("under not", {"type": "string", "not": {"$ref": "#/$defs/City"}}, "lite",
         {"type": "string", "not": {"anyOf": [{"$ref": "#/$defs/City"}]}}),
    prop("under a pattern", {"type": "object", "patternProperties": {"^a": {"$ref": "#/$defs/City"}}}, "lite",
         {"type": "object", "patternProperties": {"^a": {"anyOf": [{"$ref": "#/$defs/City"}]}}}),
]  # fmt: skip


def deep(depth: int) -> dict[str, Any]:
    schema = STRING
    for _ in range(depth):
        schema = obj({"a": schema})
    return schema


LIMITS = [
    root("deep properties", deep(31), "lite", SAME, "nested 31 deep"),
    root("many properties", obj({f"p{number}": STRING for number in range(3001)}), "lite", SAME, "3001 properties"),
    root("a long schema", obj({"a": {"type": "string", "description": "d" * 120_000}}), "lite", SAME, "bytes"),
]

SHAPES = {
    f"{part}: {shape.name}": shape
    for part, shapes in {
        "root": ROOTS, "enum": ENUMS, "type": TYPES, "items": ITEMS, "anyOf": BRANCHES, "$ref": REFERENCES,
        "limits": LIMITS,
    }.items()
    for shape in shapes
}  # fmt: skip

FOREIGN = frozenset(
    {
        "root: an empty list as properties",
        "root: empty lists as definitions",
        "root: the type of a root in capitals",
        "root: a reference within a part that was a root",
        "type: the type of draft 3 for all",
        "type: the type of draft 3 for all in a list",
        "type: a type in capitals",
        "type: types of Python",
    }
)
"""Shapes that JSON Schema does not allow, so it does not define which arguments they allow."""


def moonshot_schema(schema: Any, tool: str = "") -> Any:
    """Return the schema that is sent for the parameters of a tool."""
    return rewritten_schema(schema, tool)[0]
