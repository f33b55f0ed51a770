from typing import Any

from langchain_kimi._reply.server_tools import server_tool_blocks
from tests.rows import each_row

TYPE = "reasoning.server_tool_call"


def call(call_id: str, name: str, args: Any, **more: Any) -> dict[str, Any]:
    return {"type": "server_tool_call", "id": call_id, "name": name, "args": args, **more}


def result(call_id: str, output: Any, status: str = "success") -> dict[str, Any]:
    return {"type": "server_tool_result", "tool_call_id": call_id, "status": status, "output": output}


@each_row(
    "detail, blocks",
    [
        (
            {"tool_name": "openrouter:fusion", "arguments": '{"a": 1}', "result": '{"b": [2]}', "tool_call_id": "c"},
            [call("c", "openrouter:fusion", {"a": 1}), result("c", {"b": [2]})],
        ),
        ({"tool_name": "t", "arguments": "", "result": "text", "id": "d"}, [call("d", "t", {}), result("d", "text")]),
        (
            {"tool_name": "t", "arguments": "[1]", "result": '{"error": "no"}'},
            [
                call("server_tool_1", "t", {}, extras={"arguments": [1]}),
                result("server_tool_1", {"error": "no"}, "error"),
            ],
        ),
        ({"arguments": {"a": 1}, "tool_call_id": "c"}, [call("c", "", {"a": 1})]),
        (
            {"tool_name": "t", "arguments": "[" * 100_000, "tool_call_id": "c"},
            [call("c", "t", {}, extras={"arguments": "[" * 100_000})],
        ),
    ],
)
def test_a_call_and_its_result_are_two_blocks(detail: dict[str, Any], blocks: list[Any]) -> None:
    thought = {"type": "reasoning.text", "text": "Hm."}
    assert list(server_tool_blocks([thought, {"type": TYPE, **detail}])) == blocks


@each_row("details", [None, [], "x", ["x", None], [{"type": "reasoning.text", "text": "Hm."}]])
def test_other_details_are_no_server_tools(details: object) -> None:
    assert list(server_tool_blocks(details)) == []
