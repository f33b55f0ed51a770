"""Content blocks for the server tools that OpenRouter ran within a reply.

OpenRouter reports a call and its result together, as an entry of `reasoning_details` with the type
`reasoning.server_tool_call`. Not every tool is reported: web searches appear only in citations and in the usage.
"""

from collections.abc import Iterator
from typing import Any

from langchain_kimi._openrouter.json import parse_strict
from langchain_kimi._openrouter.wire import SERVER_TOOL_CALL, JSONObject


def server_tool_blocks(details: object) -> Iterator[JSONObject]:
    """Yield a `server_tool_call` and a `server_tool_result` block for each call in `reasoning_details`."""
    for position, detail in enumerate(details if isinstance(details, list) else ()):
        if isinstance(detail, dict) and detail.get("type") == SERVER_TOOL_CALL:
            yield from _blocks(detail, position)


def _blocks(detail: JSONObject, position: int) -> Iterator[JSONObject]:
    call_id = str(detail.get("tool_call_id") or detail.get("id") or f"server_tool_{position}")
    arguments = _parsed(detail.get("arguments"))
    call: JSONObject = {
        "type": "server_tool_call",
        "id": call_id,
        "name": str(detail.get("tool_name") or ""),
        "args": arguments if isinstance(arguments, dict) else {},
    }
    if arguments and not isinstance(arguments, dict):
        call["extras"] = {"arguments": arguments}
    yield call
    if detail.get("result") is not None:
        output = _parsed(detail["result"])
        failed = isinstance(output, dict) and bool(output.get("error"))
        yield {
            "type": "server_tool_result",
            "tool_call_id": call_id,
            "status": "error" if failed else "success",
            "output": output,
        }


def _parsed(text: Any) -> Any:
    """Return the value of JSON text, or the text itself if it is not JSON."""
    if not isinstance(text, str):
        return text
    try:
        return parse_strict(text)
    except ValueError:
        return text
