from typing import Any

import pytest

from langchain_kimi._tokens.typescript import UntypedSchemaError, typescript_tools

CITY = {"type": "string", "description": "the city"}


def tool(parameters: Any, **function: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "look", "parameters": parameters, **function}}


def declared(parameters: Any) -> str:
    """The text for the parameters of a tool."""
    text = typescript_tools([tool(parameters)])
    head, tail = "# Tools\n\n## functions\nnamespace functions {\ntype look = (_: ", ") => any;\n}\n"
    assert text.startswith(head)
    assert text.endswith(tail)
    return text.removeprefix(head).removesuffix(tail)


def field(schema: Any, **more: Any) -> str:
    """The text for one optional parameter."""
    text = declared({"type": "object", "properties": {"it": schema}, **more})
    return text.removeprefix("{\n").removesuffix("\n}")


def test_a_whole_declaration() -> None:
    tools = [
        tool(
            {"type": "object", "properties": {"unit": {"type": "string"}, "city": CITY}, "required": ["city"]},
            name="weather",
            description="Tells the weather.\n\nEverywhere.",
        ),
        tool(None, name="now"),
        {"type": "openrouter:web_search"},
    ]
    assert typescript_tools(tools) == (
        "# Tools\n\n## functions\nnamespace functions {\n"
        "// Tells the weather.\n\n// Everywhere.\n"
        "type weather = (_: {\n  // the city\n  city: string,\n  unit?: string\n}) => any;\n"
        "type now = (_: {}) => any;\n}\n"
    )


@pytest.mark.parametrize("tools", [[], [{"type": "openrouter:web_search"}], [{"type": "function", "function": {}}]])
def test_no_function_is_no_declaration(tools: list[dict[str, Any]]) -> None:
    assert typescript_tools(tools) == ""


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "integer"}, "  it?: number"),
        ({"type": "number", "minimum": 1, "maximum": 5}, "  // maximum: 5, minimum: 1\n  it?: number"),
        ({"type": "string", "pattern": "a+", "minLength": 2}, "  // minLength: 2, pattern: a+\n  it?: string"),
        ({"type": "string", "default": "é"}, '  // Default: "é"\n  it?: string'),
        ({"type": "integer", "default": 3}, "  // Default: 3\n  it?: number"),
        ({"type": "boolean", "default": False}, "  // Default: False\n  it?: boolean"),
        ({"type": "array", "default": []}, "  // Default: []\n  it?: Array<any>"),
        ({"enum": ["a", 1, None], "description": "which"}, '  // which\n  it?: "a" | 1 | None'),
        ({"enum": ["a", None], "type": ["string", "null"]}, '  it?: "a" | None'),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "  it?: string | null"),
        ({"type": ["integer", "object", "array", "null"]}, "  it?: number | {} | Array<any> | null"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 1}, "  // minItems: 1\n  it?: Array<number>"),
        ({"type": "array", "items": CITY}, "  it?: Array<\n    // the city\n    string\n  >"),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, "  it?: {\n    a?: string\n  }"),
        ({"type": "object", "additionalProperties": True}, "  it?: {\n    [k: string]: any\n  }"),
        ({"type": "object", "additionalProperties": False}, "  it?: {\n    [k: string]: never\n  }"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "  it?: {\n    [k: string]: number\n  }"),
        (True, "  it?: any"),
        (False, "  it?: null"),
        ({}, "  it?: any"),
    ],
)
def test_a_parameter(schema: Any, text: str) -> None:
    assert field(schema) == text


def test_definitions_become_interfaces() -> None:
    text = typescript_tools(
        [
            tool(
                {
                    "type": "object",
                    "properties": {"to": {"$ref": "#/$defs/Place"}},
                    "$defs": {"Place": {"type": "object", "description": "Where.", "properties": {"city": CITY}}},
                }
            )
        ]
    )
    assert (
        "// Where.\ninterface Place {\n  // the city\n  city?: string\n}\ntype look = (_: {\n  to?: Place\n})" in text
    )


def test_a_schema_that_contains_itself_is_named() -> None:
    tree = {"type": "object", "properties": {"branches": {"type": "array", "items": {"$ref": "#"}}}}
    assert "interface parameters {\n  branches?: Array<parameters>\n}\ntype look = (_: parameters)" in typescript_tools(
        [tool(tree)]
    )


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/Missing"},
        {"$ref": "https://example.com/schema"},
        {"description": "of no type"},
        {"enum": [1], "type": "string"},
        {"enum": ["a"], "type": ["string", "integer"]},
        {"oneOf": [{"type": "string"}]},
    ],
)
def test_schemas_that_the_notation_cannot_express(schema: Any) -> None:
    with pytest.raises(UntypedSchemaError):
        field(schema)
