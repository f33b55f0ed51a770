import logging
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_kimi._request import unknown
from langchain_kimi._request.messages import messages_to_wire
from langchain_kimi._request.unknown import is_reasoning, text_in


def nested(depth: int) -> dict[str, Any]:
    return {"type": "x", "content": [nested(depth - 1)]} if depth else {"type": "x", "text": "deep"}


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({"type": "x"}, ""),
        ({}, ""),
        ({"type": "x", "text": "a", "content": "b"}, "a"),
        ({"type": "x", "text": "", "content": "b"}, "b"),
        ({"type": "x", "content": [{"type": "text", "text": "a"}, "b", {"type": "image"}, 5]}, "a\nb"),
        ({"type": "x", "output": {"text": "a"}}, "a"),
        ({"type": "x", "x": "a"}, "a"),
        ({"type": "x", "x": {"code": "a"}}, "a"),
        ({"type": "x", "x": {"y": "a"}}, "a"),
        ({"type": ["x"], "x": "a"}, ""),
        ({"type": "type"}, ""),
        ({"text": "a"}, "a"),
        ({"guardContent": {"text": {"text": "a"}}}, "a"),
        ({"cachePoint": {"type": "default"}}, ""),
        ({"type": "document_url", "document_url": "https://files.test/a.pdf"}, ""),
        ({"type": "blob", "blob": "data:text/plain;base64,YQ=="}, ""),
        ({"type": "x", "text": 5, "content": None}, ""),
        ({"type": "compaction", "content": "A summary.", "encrypted_content": "x"}, "A summary."),
        ({"type": "image_file", "image_file": {"file_id": "file-1"}}, ""),
        ({"SDK_UNKNOWN_MEMBER": {"name": "newBlock"}}, ""),
        ({"video": {"s3Location": {"uri": "s3://bucket/a.mp4"}}}, ""),
        (nested(3), "deep"),
        (nested(30), ""),
    ],
)
def test_the_text_of_an_unknown_block(block: Any, text: str) -> None:
    assert text_in(block) == text


def test_a_block_that_contains_itself_has_no_text() -> None:
    block: dict[str, Any] = {"type": "x"}
    block["content"] = [block]
    assert text_in(block) == ""


@pytest.mark.parametrize(
    ("block", "reasoning"),
    [
        ({"type": "reasoning_content"}, True),
        ({"reasoningContent": {"reasoningText": {"text": "a"}}}, True),
        ({"type": "interleaved_thinking"}, True),
        ({"type": "executable_code"}, False),
        ({"a": 1, "b": 2}, False),
    ],
)
def test_the_type_of_a_block_says_whether_it_is_reasoning(block: Any, *, reasoning: bool) -> None:
    assert is_reasoning(block) is reasoning


def test_a_type_is_logged_once_for_each_role(caplog: pytest.LogCaptureFixture) -> None:
    unknown._log.cache_clear()
    block = {"type": "hologram\nforged", "text": "secret"}
    with caplog.at_level(logging.WARNING, logger="langchain_kimi"):
        for _ in range(3):
            messages_to_wire([HumanMessage([block, block]), AIMessage([block])])
        messages_to_wire([HumanMessage([{"type": "x" * 500}])])
    lines = caplog.messages
    assert len(lines) == 3
    assert "type 'hologram\\nforged' are unknown in messages of role 'user'" in lines[0]
    assert "of role 'assistant'" in lines[1]
    assert "secret" not in caplog.text
    assert len(lines[2]) < 250


@pytest.mark.parametrize(
    ("block", "content"),
    [
        ({"type": "text", "text": {"value": "Hello.", "annotations": []}}, "Hello."),
        ({"type": "text", "citations": []}, None),
        ({"type": "text", "text": None}, None),
    ],
)
def test_text_blocks_without_text_are_unknown_blocks(block: Any, content: str | None) -> None:
    assert messages_to_wire([AIMessage([block])]) == ([{"role": "assistant", "content": content}] if content else [])
