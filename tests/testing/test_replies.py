import pytest

from langchain_kimi.testing import Reply, ToolCall


@pytest.mark.parametrize(
    ("arguments", "json"), [({"a": "é"}, '{"a": "é"}'), ("{broken", "{broken"), ({}, "{}"), ("", "")]
)
def test_arguments_become_json(arguments: dict[str, str] | str, json: str) -> None:
    assert ToolCall("a", arguments).json == json


def test_calls_can_be_mappings() -> None:
    reply = Reply(tool_calls=[{"name": "a", "arguments": {"b": 1}}, ToolCall("c", id="d")])
    assert reply.calls == [ToolCall("a", {"b": 1}), ToolCall("c", id="d")]
    assert Reply().calls == []
