"""Convert tools, tool choices and response formats from the forms that LangChain accepts to the wire format."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from langchain_core.utils.function_calling import convert_to_openai_function, convert_to_openai_tool
from pydantic import PydanticUserError

from langchain_kimi._openrouter.json_schema import check_nesting, walk
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._schemas.output import Schema, is_type_of_values, output_schema, wire_name, without_nulls
from langchain_kimi._schemas.strict import is_recursive, strict_function, without_titles
from langchain_kimi.errors import KimiUsageError

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    Tool: TypeAlias = Mapping[str, Any] | type | Callable[..., Any] | BaseTool
    ToolChoice: TypeAlias = str | bool | Mapping[str, Any] | type | Callable[..., Any] | BaseTool
else:
    # See `_base_tool`.
    Tool = ToolChoice = Any
Strict: TypeAlias = bool | None
"""Whether the host must enforce the schema; None leaves the choice to the host and is not sent."""

_CHOICES = {"auto": "auto", "none": "none", "any": "required", "required": "required"}
_RESPONSE_FORMATS = ("text", "json_object", "json_schema", "grammar", "python")
# A JSON schema has the type `object`.
_FUNCTION_TYPES = ("function", "object")


def tools_to_wire(tools: Sequence[Tool], *, strict: Strict, deferred: bool = False) -> list[JSONObject]:
    """Return tools in the wire format; tools that already have this format are not changed.

    Args:
        tools: Functions, `BaseTool`s, pydantic classes, TypedDicts, JSON schemas, OpenAI or Anthropic tools, and
            OpenRouter's server tools.
        strict: The value to set on every function; None: it is not set.
        deferred: Whether tools with `extras={"defer_loading": True}` are marked as deferred.

    Raises:
        KimiUsageError: A tool cannot be converted, or has no name.
    """
    wire = [_tool_to_wire(tool, strict) for tool in tools]
    return [_deferred(*pair) for pair in zip(tools, wire, strict=True)] if deferred else wire


def tool_choice_to_wire(tool_choice: ToolChoice | None, tools: Sequence[JSONObject]) -> str | JSONObject | None:
    """Return the tool choice in the wire format; None if there is nothing to send.

    Args:
        tool_choice: `auto`, `none`, `any` or `required`, the name of a tool, True for the only tool, the tool itself,
            or OpenAI's or Anthropic's dict.
        tools: The offered tools, in the wire format.

    Raises:
        KimiUsageError: The tool is not offered, or the choice is True and there is not exactly one tool.
    """
    if tool_choice is None or tool_choice is False:
        return None
    if tool_choice is True:
        return _only(tools)
    if isinstance(tool_choice, Mapping):
        return _dict_choice(tool_choice, tools)
    if not isinstance(tool_choice, str):
        return _named(_name_of(_tool_to_wire(tool_choice, None)), tools)
    return _CHOICES.get(tool_choice) or _named(tool_choice, tools)


def response_format_to_wire(schema: Schema, strict: Strict) -> JSONObject:
    """Return the response format in the wire format.

    Args:
        schema: Any schema (see `output_schema`), or a response format in the wire format. In the latter, only a missing
            `strict` is added and an invalid name is replaced.
        strict: Whether the host must enforce the schema; None: it is not sent. A `strict` in the schema overrides it.
    """
    if not isinstance(schema, Mapping):
        return output_schema(schema).response_format(strict=strict)
    if schema.get("type") in _RESPONSE_FORMATS:
        json_schema = schema.get("json_schema")
        return {**schema, "json_schema": _named_format(json_schema, strict)} if json_schema else dict(schema)
    if "name" in schema and "schema" in schema:
        return {"type": "json_schema", "json_schema": _named_format(schema, strict)}
    return output_schema(schema).response_format(strict=strict)


def bind_arguments(  # noqa: PLR0913 - the parameters of LangChain's `bind_tools`
    tools: Sequence[Tool],
    *,
    tool_choice: ToolChoice | None = None,
    strict: Strict = None,
    parallel_tool_calls: bool | None = None,
    response_format: Schema | None = None,
    deferred: bool = False,
    **kwargs: Any,
) -> dict[str, Any]:
    """Return the arguments that `bind_tools` binds: parameters in the wire format, and `kwargs` unchanged.

    Tools with `extras={"defer_loading": True}` are marked as deferred if `deferred` is true. Parameters that are None
    are left out. Without tools, `tool_choice` and `parallel_tool_calls` are ignored, because agents may bind an empty
    list.

    Raises:
        KimiUsageError: See `tools_to_wire` and `tool_choice_to_wire`.
    """
    arguments = dict(kwargs)
    if wire_tools := tools_to_wire(tools, strict=strict, deferred=deferred):
        choice = tool_choice_to_wire(tool_choice, wire_tools)
        chosen = {"tools": wire_tools, "tool_choice": choice, "parallel_tool_calls": parallel_tool_calls}
        arguments |= {key: value for key, value in chosen.items() if value is not None}
    if response_format is not None:
        arguments["response_format"] = response_format_to_wire(response_format, strict)
    return arguments


def _tool_to_wire(tool: Tool, strict: Strict) -> JSONObject:
    """Return one tool in the wire format; see `tools_to_wire`."""
    if isinstance(tool, Mapping):
        check_nesting(tool, f"the tool {_name_in(tool)}")
    elif _is_base_tool(tool) and isinstance(tool.args_schema, Mapping):
        check_nesting(tool.args_schema, f"the tool {tool.name}")
    try:
        wire = _dict_tool(dict(tool), strict) if isinstance(tool, Mapping) else _object_tool(tool, strict)
    except (AttributeError, KeyError, NameError, TypeError, ValueError, PydanticUserError) as error:
        raise KimiUsageError(f"Cannot make a tool from {tool!r:.100}: {error}") from error
    if "function" in wire:
        name = wire["function"].get("name")
        if not (isinstance(name, str) and name.strip()):
            raise KimiUsageError(f"A tool has the name {name!r}.", advice="Give each tool a name that is not empty.")
    return wire


@cache
def _base_tool() -> "type[BaseTool]":
    # Programs without tools do not import it, which takes 4 of the 80 ms of the import.
    from langchain_core.tools import BaseTool  # noqa: PLC0415 - imported when needed

    return BaseTool


def _is_base_tool(tool: object) -> "TypeGuard[BaseTool]":
    return isinstance(tool, _base_tool())


def _object_tool(tool: Any, strict: Strict) -> JSONObject:
    """Return a tool that is not a dict: a class, a `BaseTool` or a function."""
    if isinstance(tool, type) or is_type_of_values(tool):
        if isinstance(tool, type) and issubclass(tool, dict) and hasattr(tool, "tool_type"):
            raise ValueError(f"it is the class of a server tool; pass an object, {tool.__name__}()")
        # LangChain's description of a class loses recursive parts and optional keys.
        schema = output_schema(tool)
        function = schema.tool(strict=strict)["function"]
        return {"type": "function", "function": {**function, "name": schema.function["name"]}}
    wire = _tool_with_definitions(tool) or convert_to_openai_tool(tool)
    if "function" in wire:
        wire = {**wire, "function": _with_strict(_with_recursion(wire["function"], tool), strict)}
    return {**wire, **_cache_control(tool.extras if _is_base_tool(tool) else None)}


def _tool_with_definitions(tool: Any) -> JSONObject | None:
    """Return a tool whose schema has definitions or references, or None.

    LangChain replaces each reference by its definition, which multiplies the size of large schemas and loses recursion.
    It takes each member `$ref` for a reference, also a property or a default, and knows no references but pointers.
    """
    schema = tool.tool_call_schema if _is_base_tool(tool) else None
    if not isinstance(schema, dict) or not ({"$defs", "definitions"} & set(schema) or _has_member(schema, "$ref")):
        return None
    parameters = without_titles({keyword: value for keyword, value in schema.items() if keyword != "description"})
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}


def _has_member(value: Any, name: str) -> bool:
    """Return whether an object at any depth has a member."""
    if isinstance(value, Mapping):
        return name in value or any(_has_member(inner, name) for inner in value.values())
    return isinstance(value, list) and any(_has_member(inner, name) for inner in value)


def _with_recursion(function: JSONObject, tool: Any) -> JSONObject:
    """Return a function whose recursive arguments are described; LangChain writes {} where a class contains itself."""
    if all(schema for _, schema in walk(function.get("parameters") or {"type": "object"})):
        return function
    if _is_base_tool(tool):
        model = tool.tool_call_schema
    else:
        from langchain_core.tools import create_schema_from_function  # noqa: PLC0415 - see `_base_tool`

        model = create_schema_from_function(
            "arguments",
            tool,
            filter_args=(),
            parse_docstring=True,
            error_on_invalid_docstring=False,
            include_injected=False,
        )
    if not isinstance(model, type) or not is_recursive((schema := output_schema(model)).definition):
        return function
    return {**function, "parameters": schema.tool()["function"]["parameters"]}


def _name_in(tool: Mapping[str, Any]) -> Any:
    function = tool.get("function")
    return (function if isinstance(function, Mapping) else tool).get("name", tool.get("title"))


def _dict_tool(tool: JSONObject, strict: Strict) -> JSONObject:
    """Return a function in OpenAI's form; tools of other kinds, such as server tools, are not changed.

    A schema that is null becomes the schema of an object without properties. Other members that are null are left out.
    """
    if "inputSchema" in tool:
        # The tool of an MCP server, as its SDK and its protocol write it; LangChain would leave out the schema.
        tool = {"input_schema": tool["inputSchema"], **tool}
    tool = _without_null(_without_null(tool, "parameters"), "input_schema")
    if isinstance(tool.get("function"), Mapping):
        function = without_nulls(_without_null(dict(tool["function"]), "parameters"))
        return {"type": "function", **without_nulls(tool), "function": _with_strict(function, strict)}
    if tool.get("type", "function") not in _FUNCTION_TYPES and "input_schema" not in tool:
        return tool
    function = _with_strict(without_nulls(convert_to_openai_function(tool)), strict)
    return {"type": "function", "function": function, **_cache_control(tool)}


def _without_null(function: JSONObject, keyword: str) -> JSONObject:
    empty = {"type": "object", "properties": {}}
    return {**function, keyword: empty} if keyword in function and function[keyword] is None else function


def _with_strict(function: JSONObject, strict: Strict) -> JSONObject:
    """Return a function with `strict` and a matching schema; a function with its own `strict` is not changed."""
    if strict is None or "strict" in function:
        return function
    return strict_function(function) if strict else {**function, "strict": False}


def _deferred(tool: Tool, wire: JSONObject) -> JSONObject:
    if not (_is_base_tool(tool) and (tool.extras or {}).get("defer_loading") is True):
        return wire
    return {**wire, "function": {**wire["function"], "defer_loading": True}}


def _cache_control(extras: Mapping[str, Any] | None) -> JSONObject:
    return {"cache_control": extras["cache_control"]} if extras and extras.get("cache_control") else {}


def _only(tools: Sequence[JSONObject]) -> JSONObject:
    if len(tools) != 1:
        raise KimiUsageError(
            f"tool_choice=True needs exactly one tool, but there are {len(tools)}: {_offered(tools)}.",
            advice='Name the tool, or pass "any".',
        )
    return _choice_of(tools[0])


def _named(name: str, tools: Sequence[JSONObject]) -> JSONObject:
    for tool in tools:
        if name == _name_of(tool):
            return _choice_of(tool)
    raise KimiUsageError(f"tool_choice names {name!r}, but the offered tools are: {_offered(tools)}.")


def _dict_choice(choice: Mapping[str, Any], tools: Sequence[JSONObject]) -> str | JSONObject:
    kind = choice.get("type", "function")
    if kind in {"auto", "none", "any"}:
        return _CHOICES[kind]
    if kind in {"function", "tool"}:
        return _named(choice.get("function", choice).get("name", ""), tools)
    # The choice of a server tool, which may have a short name, or a form that is newer than this package.
    return dict(choice)


def _choice_of(tool: JSONObject) -> JSONObject:
    if "function" in tool:
        return {"type": "function", "function": {"name": tool["function"]["name"]}}
    return {"type": tool["type"]}


def _name_of(tool: JSONObject) -> Any:
    """Return the name of a function, or the type of a server tool, which identifies it in a tool choice."""
    return tool["function"]["name"] if "function" in tool else tool.get("type")


def _offered(tools: Sequence[JSONObject]) -> str:
    return ", ".join(str(_name_of(tool)) for tool in tools) or "none"


def _named_format(json_schema: Mapping[str, Any], strict: Strict) -> JSONObject:
    name = json_schema.get("name") or json_schema.get("schema", {}).get("title") or ""
    own = {"strict": strict} if strict is not None else {}
    return {**own, **without_nulls(dict(json_schema)), "name": wire_name(name)}
