"""Read the tool calls and results that other providers put into the content of messages, in their own forms."""

from collections.abc import Mapping
from typing import Any, NamedTuple

_OUTPUT = "_call_output"
"""The end of the types of results in OpenAI's Responses API, such as `function_call_output`."""


class Result(NamedTuple):
    """The result of a tool call: the call's id, which may be missing, and a string or a list of blocks."""

    call_id: str | None
    content: Any


def result_of(block: Any) -> Result | None:
    """Return the result in a block, or None.

    Anthropic sends `tool_result` blocks, OpenAI's Responses API items such as `function_call_output` and
    `computer_call_output`, and Bedrock blocks with the only key `toolResult`.
    """
    if not isinstance(block, Mapping):
        return None
    kind = block.get("type")
    if kind == "tool_result":
        return Result(_string(block.get("tool_use_id")), block.get("content"))
    if isinstance(kind, str) and kind.endswith(_OUTPUT) and block.get("call_id"):
        output = block.get("output")
        return Result(_string(block["call_id"]), output if isinstance(output, str | list | None) else [output])
    if kind is None and isinstance(inner := block.get("toolResult"), Mapping):
        return Result(_string(inner.get("toolUseId")), _bedrock_content(inner.get("content")))
    return None


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _bedrock_content(content: Any) -> Any:
    """Return the content of a result of Bedrock, whose blocks have no type."""
    return [_with_type(block) for block in content] if isinstance(content, list) else content


def _with_type(block: Any) -> Any:
    kind = next((key for key in ("text", "json") if isinstance(block, Mapping) and set(block) == {key}), None)
    return {"type": kind, **block} if kind else block


def provider_call(block: Mapping[str, Any]) -> tuple[Any, str | None, Any, bool] | None:
    """Return id, name, arguments of the call in a block of another provider, and whether it needs a result to be sent.

    They are Bedrock's blocks with the only key `toolUse`, and the calls of OpenAI's own tools in the Responses API.
    Those are named after their type, such as `computer_call`.
    """
    kind = block.get("type")
    if kind is None and isinstance(inner := block.get("toolUse"), Mapping):
        return inner.get("toolUseId"), inner.get("name"), inner.get("input"), False
    if not (isinstance(kind, str) and kind.endswith("_call") and block.get("call_id")):
        return None
    arguments = {key: value for key, value in block.items() if key not in _NOT_ARGUMENTS and value}
    return block["call_id"], block.get("name") or kind.removesuffix("_call"), arguments, True


_NOT_ARGUMENTS = frozenset({"type", "id", "call_id", "name", "status", "index", "caller", "extras"})
"""Keys of a call in the Responses API that describe the call."""
