import copy
import pickle
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.load import dumpd, dumps
from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.outputs.chat_generation import merge_chat_generation_chunks

from langchain_kimi._reply.chunk_sums import (
    BreakingMessage,
    FirstChunk,
    FirstMessage,
    LastMessage,
    last_message,
    sum_of,
    with_first,
    with_joined_arguments,
    with_joined_texts,
)
from langchain_kimi._reply.messages import breaking_chunk_from
from tests.reply.streams import START, STREAMS, part
from tests.structured.cases import call_piece


@pytest.mark.parametrize("name", [name for name in STREAMS if name != "nothing"])
def test_the_sum_equals_that_of_langchain(name: str) -> None:
    chunks = STREAMS[name]
    before = [chunk.model_copy(deep=True) for chunk in chunks]
    assert sum_of(chunks) == add_ai_message_chunks(*chunks)
    assert sum_of(chunks).tool_call_chunks == reduce(add, chunks).tool_call_chunks
    assert sum_of(chunks).text == reduce(add, chunks).text
    assert chunks == before


FACTS: dict[str, Any] = {
    "response_metadata": {"model_provider": "openrouter", "finish_reason": "stop", "logprobs": None},
    "usage_metadata": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3, "input_token_details": {"audio": 1}},
    "chunk_position": "last",
    "id": "lc_run--1",
}


@pytest.mark.parametrize(
    ("change", "last_change"),
    [
        ({}, {}),
        ({}, {"additional_kwargs": {"annotations": [1]}}),
        ({"additional_kwargs": {"reasoning_content": "Hm."}}, {"usage_metadata": None}),
        ({"additional_kwargs": {"reasoning_content": "Hm."}}, {"additional_kwargs": {"reasoning_content": "Ah."}}),
        ({}, {"content": "!"}),
        ({}, {"response_metadata": {"finish_reason": "stop"}}),
        ({"id": None}, {}),
        ({"id": "gen-1"}, {"id": "gen-2"}),
        ({"content": ["a"]}, {}),
        ({"response_metadata": {"model_provider": "other"}}, {"response_metadata": {"finish_reason": "stop"}}),
        ({"response_metadata": {"model_name": "k"}}, {"response_metadata": {"model_name": "i"}}),
    ],
)
def test_the_sum_of_a_text_and_facts_has_the_state_of_that_of_langchain(
    change: dict[str, Any], last_change: dict[str, Any]
) -> None:
    text = {"content": "Hi", "id": "lc_run--1", "response_metadata": {"model_provider": "openrouter"}, **change}
    chunks = [AIMessageChunk(**text), AIMessageChunk(**{"content": "", **FACTS, **last_change})]
    before = copy.deepcopy(chunks)

    ours, theirs = sum_of(chunks), add_ai_message_chunks(*chunks)

    assert (repr(ours), ours.model_dump(), list(vars(ours))) == (repr(theirs), theirs.model_dump(), list(vars(theirs)))
    assert ours.model_fields_set == theirs.model_fields_set
    assert ours.usage_metadata is None or ours.usage_metadata is not chunks[1].usage_metadata
    assert chunks == before


def test_the_sum_of_nothing_is_empty() -> None:
    assert sum_of([]) == AIMessageChunk(content="")


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_pieces_of_arguments_are_joined_before_adding(count: int) -> None:
    chunks = [START, *(part(0, "x") for _ in range(count)), part(0, "", chunk_position="last")]
    start, arguments, end = with_joined_arguments(chunks)
    assert (start, end.chunk_position, end.tool_call_chunks) == (START, "last", [])
    assert arguments.tool_call_chunks == part(0, "x" * count).tool_call_chunks


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_texts_are_joined_before_adding(count: int) -> None:
    def chunk(content: str, **more: Any) -> AIMessageChunk:
        return AIMessageChunk(content=content, response_metadata={"model_provider": "openrouter"}, **more)

    reasoning = [chunk("", additional_kwargs={"reasoning_content": "x"}) for _ in range(count)]
    joined, end = with_joined_texts([*reasoning, *[chunk("y")] * count, chunk("", chunk_position="last")])
    assert joined == chunk("y" * count, additional_kwargs={"reasoning_content": "x" * count})
    assert end.chunk_position == "last"


def test_chunks_are_unchanged_if_there_is_nothing_to_join() -> None:
    chunks = [AIMessageChunk(content="a"), AIMessageChunk(content="", chunk_position="last")]
    assert all(one is other for one, other in zip(with_joined_texts(chunks), chunks, strict=True))
    assert list(with_joined_texts([])) == []


def generations(chunks: list[AIMessageChunk], **more: Any) -> list[ChatGenerationChunk]:
    # Copies, because `with_first` changes the class of a message.
    return [ChatGenerationChunk(message=chunk.model_copy(), **more) for chunk in chunks]


@pytest.mark.parametrize("info", [{}, {"generation_info": {"a": 1}}], ids=["", "with information"])
@pytest.mark.parametrize("name", [name for name in STREAMS if name != "nothing"])
def test_the_first_chunk_adds_like_langchain(name: str, info: dict[str, Any]) -> None:
    chunks = generations(STREAMS[name], **info)
    first, *others = [FirstChunk(**vars(chunks[0])), *chunks[1:]]
    expected = merge_chat_generation_chunks(chunks)
    total = merge_chat_generation_chunks([first, *others])
    assert total is not None
    assert expected == ChatGenerationChunk(**vars(total))
    if others:
        assert type(total) is ChatGenerationChunk
        assert first + others[0] == chunks[0] + chunks[1]


@pytest.mark.parametrize("odd", [["a"], [*generations([START]), "a"], "a"])
def test_only_chunks_can_be_added(odd: Any) -> None:
    with pytest.raises(TypeError):
        FirstChunk(message=START) + odd


def test_dumps_do_not_show_the_class_of_the_first_chunk() -> None:
    chunks = generations(STREAMS["one call"])
    first, *others = with_first(iter(chunks))
    assert type(first) is FirstChunk
    assert first.message.model_dump() == chunks[0].message.model_dump()
    assert others == chunks[1:]
    assert dumpd(first) == dumpd(chunks[0])
    assert list(with_first([])) == []


VALID: Any = {"type": "tool_call", "name": "g", "args": {}, "id": "g:1"}
INVALID: Any = {"type": "invalid_tool_call", "name": "f", "args": '{"a": "b', "id": "f:0", "error": "Truncated."}
BROKEN: list[AIMessageChunk] = [
    call_piece(0, "f", '{"a": ').model_copy(update={"content": "Wait."}),
    part(0, '"b'),
    call_piece(1, "g", "{}"),
    part(0, '"]'),
]
LAST = AIMessageChunk(content="", chunk_position="last", response_metadata={"cost": 1.5}, id="lc_run--1")


def broken_stream(*, content: Any = "Wait.", has_tools: bool = True) -> list[AIMessageChunk]:
    chunks = [BROKEN[0].model_copy(update={"content": content}), *BROKEN[1:], last_message(LAST, [VALID], [INVALID])]
    messages: list[Any] = [chunk.message for chunk in with_first(generations(chunks), has_tools=has_tools)]
    return messages


SUMS: dict[str, Any] = {
    "a list": lambda chunks: chunks[0] + chunks[1:],
    "a tuple": lambda chunks: chunks[0] + tuple(chunks[1:]),
    "one by one": lambda chunks: reduce(add, chunks),
    "sum_of": sum_of,
    "generations, a list": lambda chunks: (FirstChunk(message=chunks[0]) + generations(chunks[1:])).message,
    "generations, one by one": lambda chunks: reduce(add, generations(chunks)).message,
    "copies": lambda chunks: reduce(add, copy.deepcopy(chunks)),
    "pickles": lambda chunks: reduce(add, pickle.loads(pickle.dumps(chunks))),  # noqa: S301 - pickled here
}


@pytest.mark.parametrize("how", SUMS)
def test_every_sum_has_the_calls_of_the_reply(how: str) -> None:
    total = SUMS[how](broken_stream())
    assert type(total) is AIMessageChunk
    assert (total.tool_calls, total.invalid_tool_calls) == ([VALID], [INVALID])
    assert (total.content, total.chunk_position, total.response_metadata) == ("Wait.", "last", {"cost": 1.5})
    message = message_chunk_to_message(total)
    assert type(message) is AIMessage
    assert (message.tool_calls, message.invalid_tool_calls) == ([VALID], [INVALID])
    assert [piece["args"] for piece in total.tool_call_chunks] == ['{"a": "b"]', "{}"]
    # A sum that is validated again does not turn the invalid call into a valid one.
    again = AIMessageChunk(**total.model_dump(exclude={"tool_calls", "invalid_tool_calls"}))
    assert [call["name"] for call in again.tool_calls] == ["g"]


def test_a_sum_of_content_blocks_has_the_invalid_calls() -> None:
    pieces: Any = [
        {"type": "text", "text": "Wait."},
        {"type": "tool_call_chunk", "id": "f:0", "args": '{"a"', "index": 3},
    ]
    total = SUMS["a list"](broken_stream(content=[*pieces, "odd"]))
    assert total.content == [pieces[0], {**INVALID, "index": 3}, "odd"]


def test_a_stream_without_tools_has_plain_messages() -> None:
    chunks = generations([AIMessageChunk(content="a"), last_message(LAST, [VALID], [])])
    first, last = with_first(chunks)
    assert (type(first.message), last.message) == (AIMessageChunk, LAST)
    [only] = with_first(generations([LAST]), has_tools=True)
    assert type(only.message) is AIMessageChunk
    assert type(broken_stream(has_tools=False)[0]) is FirstMessage


def test_special_messages_are_dumped_and_shown_like_usual_ones() -> None:
    first, *_, last = broken_stream()
    assert (type(first), type(last)) == (FirstMessage, LastMessage)
    assert dumps(first) == dumps(BROKEN[0])
    assert dumps(last) == dumps(LAST)
    assert last.model_dump() == LAST.model_dump()
    assert (first.text, first.tool_call_chunks, first.id) == (BROKEN[0].text, BROKEN[0].tool_call_chunks, BROKEN[0].id)
    with pytest.raises(TypeError):
        first + 5


def test_a_breaking_message_shows_invalid_calls_and_its_sums_show_pieces() -> None:
    call: Any = {"index": 0, "id": "f:0", "function": {"name": "f", "arguments": "NaN"}}
    chunk: Any = breaking_chunk_from([call], ended=True)
    breaking = chunk.message
    assert type(breaking) is BreakingMessage
    for same in (breaking, breaking.model_copy(), pickle.loads(pickle.dumps(breaking))):  # noqa: S301 - our own bytes
        [block] = same.content_blocks
        assert (block["type"], block["id"], block["args"]) == ("invalid_tool_call", "f:0", "NaN")
        assert "NaN is not JSON" in block["error"]
    assert dumpd(breaking)["id"] == dumpd(AIMessageChunk(content=""))["id"]
    total = breaking + AIMessageChunk(content="")
    assert [block["type"] for block in total.content_blocks] == ["tool_call_chunk"]
