import copy
import pickle
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.load import dumps
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_kimi._reply import content_blocks
from langchain_kimi._reply.chunks import SAMPLES, SLOTS, built_chunk, copier, is_same, maker, new_chunk
from tests.rows import each_row

content_blocks.register()
CASES: dict[str, tuple[str, str, list[Any]]] = {
    "text": ("Hello", "", []),
    "reasoning": ("", "Hm.", []),
    "both": ("Hello", "Hm.", []),
    "nothing": ("", "", []),
    "odd characters": ("\ud83d\ude00\x00\u2028é", "\n", []),
    "a call begins": ("", "", [tool_call_chunk(name="f", args="", id="f:0", index=0)]),
    "a call goes on": ("", "", [tool_call_chunk(args=' "a": 1', index=0)]),
    "a call ends": ("", "", [tool_call_chunk(args='"}', index=0)]),
    "a call at once": ("", "", [tool_call_chunk(name="f", args='{"a": 1}', id="f:0", index=0)]),
    "half a call": ("", "", [tool_call_chunk(name="f", args=' {"a": [1', id="f:0", index=0)]),
    "a list": ("", "", [tool_call_chunk(name="f", args="[{}]", id="f:0", index=0)]),
    "a whole value": ("", "", [tool_call_chunk(name="f", args='"{}"', id="f:0", index=0)]),
    "no arguments, no name": ("", "", [tool_call_chunk(args=None, index=3)]),
    "two calls": ("x", "y", [tool_call_chunk(args="1", index=0), tool_call_chunk(name="g", id="g:1", index=1)]),
    "a number as the id": ("", "", [tool_call_chunk(name="f", args="1", id="f:0", index=True)]),
}
parametrized = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def both(case: tuple[str, str, list[Any]]) -> tuple[ChatGenerationChunk, ChatGenerationChunk]:
    return new_chunk(*copy.deepcopy(case)), built_chunk(*copy.deepcopy(case))


def test_the_fast_function_is_used_with_the_installed_versions() -> None:
    assert new_chunk is not built_chunk


@parametrized
def test_a_fast_chunk_equals_a_constructed_one(case: Any) -> None:
    fast, built = both(case)
    assert is_same(fast, built)
    assert repr(fast) == repr(built)
    assert fast.message.text == built.message.text
    assert fast.message.content_blocks == built.message.content_blocks


@parametrized
def test_a_fast_chunk_is_dumped_like_a_constructed_one(case: Any) -> None:
    fast, built = both(case)
    assert dumps(fast) == dumps(built)
    options: Any
    for options in ({}, {"exclude_unset": True}, {"exclude_defaults": True}):
        assert fast.model_dump(**options) == built.model_dump(**options)
        assert fast.message.model_dump(**options) == built.message.model_dump(**options)


@parametrized
def test_copies_and_pickles_are_equal(case: Any) -> None:
    fast, built = both(case)
    assert is_same(pickle.loads(pickle.dumps(fast)), pickle.loads(pickle.dumps(built)))  # noqa: S301 - our own
    assert is_same(copy.deepcopy(fast), built)
    assert is_same(fast.model_copy(), built)
    assert is_same(fast.model_copy(deep=True), built)


@parametrized
@each_row("second", CASES.values(), ids=CASES.keys())
def test_fast_chunks_add_up_like_constructed_ones(case: Any, second: Any) -> None:
    (fast, built), (other_fast, other_built) = both(case), both(second)
    assert is_same(fast + other_fast, built + other_built)
    assert is_same(fast + other_built, built + other_fast)
    assert is_same(fast.__add__([other_fast, built]), built.__add__([other_built, fast]))
    last = AIMessageChunk(content="", chunk_position="last", response_metadata={"model_provider": "openrouter"})
    assert fast.message + last == built.message + last


@parametrized
def test_fields_can_be_set(case: Any) -> None:
    for chunk in both(case):
        chunk.message.id = "lc_run-1"
        chunk.message.response_metadata = {"model_provider": "openrouter", "more": 1}
        chunk.message.additional_kwargs["more"] = 2
        chunk.message.extra_field = 3  # type: ignore[attr-defined]  # langchain-core's messages allow it
    fast, built = both(case)
    fast.message.id = built.message.id = "lc_run-1"
    assert is_same(fast, built)
    assert "id" in fast.message.model_fields_set


@parametrized
def test_chunks_share_no_mutable_objects(case: Any) -> None:
    first, second = new_chunk(*copy.deepcopy(case)), new_chunk(*copy.deepcopy(case))
    for chunk in (first, first.message):
        for key, value in vars(chunk).items():
            if isinstance(value, dict | list):
                assert value is not getattr(second.message, key)
        assert chunk.model_fields_set is not (second if chunk is first else second.message).model_fields_set
    assert first.message.model_extra is not second.message.model_extra


@given(args=st.text(alphabet='{}[]":,\\ \n\t\u00a0a1tn', max_size=12))
def test_pieces_of_arguments_are_parsed_as_the_constructor_does(args: str) -> None:
    case = ("", "", [tool_call_chunk(name="f", args=args, id="f:0", index=0)])
    assert is_same(*both(case))


def test_values_that_the_constructor_refuses_are_refused() -> None:
    piece: Any = tool_call_chunk(name="f", args="1", id="f:0", index=0) | {"index": "first"}
    with pytest.raises(ValueError, match="index"):
        new_chunk("", "", [piece])


def _other_text(text: str, reasoning: str, calls: list[Any]) -> ChatGenerationChunk:
    return built_chunk(f"{text}.", reasoning, calls)


def _failing(text: str, reasoning: str, calls: list[Any]) -> ChatGenerationChunk:
    raise KeyError(text)


@pytest.mark.parametrize("other", [_other_text, _failing])
def test_the_constructors_are_used_if_copies_differ(other: Any) -> None:
    assert maker(lambda: other) is built_chunk


def test_the_constructors_are_used_without_the_slots_of_pydantic() -> None:
    assert maker(partial(copier, ["__pydantic_gone__", *SLOTS[1:]])) is built_chunk
    assert maker(partial(copier, SLOTS)) is not built_chunk


def test_the_samples_cover_each_kind_of_chunk() -> None:
    assert {(bool(text), bool(reasoning), len(calls)) for text, reasoning, calls in SAMPLES} == {
        (True, False, 0), (False, True, 0), (False, False, 1), (False, False, 2),
    }  # fmt: skip


def test_long_invalid_arguments_are_an_invalid_call_of_their_chunk() -> None:
    text = '{"a": x' + "1, " * 500
    pieces = [tool_call_chunk(name="f", args=args, id="a", index=index) for index, args in enumerate(["]", text, "{}"])]
    message = built_chunk("", "", pieces).message
    assert isinstance(message, AIMessageChunk)
    assert [call["args"] for call in message.tool_call_chunks] == ["]", text, "{}"]
    assert [call["args"] for call in message.invalid_tool_calls] == ["]", text]
    assert [call["args"] for call in message.tool_calls] == [{}]


@pytest.mark.parametrize("text", ['{"a": "' + "x" * 2000, '{"a": [' + "1, " * 500, '{"a": ["' + 'x", "' * 500])
def test_long_truncated_arguments_are_completed_in_their_chunk(text: str) -> None:
    message = built_chunk("", "", [tool_call_chunk(name="f", args=text, id="a", index=0)]).message
    assert isinstance(message, AIMessageChunk)
    assert [list(call["args"]) for call in message.tool_calls] == [["a"]]


@pytest.mark.parametrize("text", ['{"a":' * 600, '{"a":' * 5000, '{"a":' * 5000 + "1" + "}" * 5000])
def test_very_deep_arguments_are_invalid(text: str) -> None:
    message = built_chunk("", "", [tool_call_chunk(name="f", args=text, id="a", index=0)]).message
    assert isinstance(message, AIMessageChunk)
    assert [call["args"] for call in message.invalid_tool_calls] == [text]
    assert [call["args"] for call in message.tool_call_chunks] == [text]


def test_long_valid_arguments_are_a_call_of_their_chunk() -> None:
    args = '{"a": "' + "x" * 2000 + '"}'
    message = built_chunk("", "", [tool_call_chunk(name="f", args=args, id="a", index=0)]).message
    assert isinstance(message, AIMessageChunk)
    assert [call["args"] for call in message.tool_calls] == [{"a": "x" * 2000}]
