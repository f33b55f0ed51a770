"""The chunks of a stream, made without validating again what was just put together: most of a stream's time goes there.

A chunk is a copy of one that the constructors made, with its own content. At import the two ways are held against each
other; where a langchain-core is made in another way, the constructors are used.
"""

from collections.abc import Callable
from copy import copy
from typing import Any

from langchain_core.messages import AIMessageChunk, InvalidToolCall, ToolCall, ToolCallChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from pydantic import BaseModel

Chunk = ChatGenerationChunk
Maker = Callable[[str, str, list[ToolCallChunk]], Chunk]
PROVIDER = "openrouter"
"""The provider's name in the metadata of each chunk."""

SLOTS = ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
"""Where pydantic keeps what is not a field."""
SAMPLES: tuple[tuple[str, str, list[ToolCallChunk]], ...] = (
    ("Hello", "", []),
    ("", "Hm.", []),
    ("", "", [tool_call_chunk(name="f", args="", id="f:0", index=0)]),
    ("", "", [tool_call_chunk(args=' "a"', index=0), tool_call_chunk(name="g", args=None, id="g:1", index=1)]),
)
TEXT, NUMBER = (str, type(None)), (int, type(None))
_new, _set_state = object.__new__, object.__setattr__
_set_fields_set, _set_extra, _set_private = (vars(BaseModel)[slot].__set__ for slot in SLOTS)


def built_chunk(text: str, reasoning: str, calls: list[ToolCallChunk]) -> Chunk:
    """Make the chunk of one delta: text, reasoning, pieces of tool calls."""
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content=text,
            additional_kwargs={"reasoning_content": reasoning} if reasoning else {},
            tool_call_chunks=calls,
            response_metadata={"model_provider": PROVIDER},
        )
    )


class _Mould:
    """One model object that a constructor made, and what is the same in all others of its kind."""

    def __init__(self, made: Any) -> None:
        self.kind = type(made)
        self.state: dict[str, Any] = vars(made)
        self._fields_set: set[str] = made.model_fields_set
        self._has_extra = made.model_extra is not None

    def cast(self, state: dict[str, Any]) -> Any:
        """Make an object of that kind with this state."""
        made = _new(self.kind)
        _set_state(made, "__dict__", state)
        _set_fields_set(made, self._fields_set.copy())
        _set_extra(made, {} if self._has_extra else None)
        _set_private(made, None)
        return made


class Copier:
    """Makes the same chunks as `built_chunk`, by copying."""

    def __init__(self) -> None:
        spoken, calling = built_chunk(*SAMPLES[0]), built_chunk(*SAMPLES[2])
        self._generation = _Mould(spoken)
        self._spoken, self._calling = _Mould(spoken.message), _Mould(calling.message)
        self._text_kind = type(spoken.text)

    def __call__(self, text: str, reasoning: str, calls: list[ToolCallChunk]) -> Chunk:
        """Make the chunk of one delta."""
        if calls and not all(map(_is_plain, calls)):
            return built_chunk(text, reasoning, calls)
        mould = self._calling if calls else self._spoken
        state = mould.state.copy()
        state["content"] = text
        state["additional_kwargs"] = {"reasoning_content": reasoning} if reasoning else {}
        state["response_metadata"] = {"model_provider": PROVIDER}
        state["tool_call_chunks"] = calls
        state["tool_calls"] = [] if not calls else _calls_of(calls)
        state["invalid_tool_calls"] = [] if not calls else _invalid_calls_of(calls)
        generation = self._generation.state.copy()
        generation["message"] = mould.cast(state)
        generation["text"] = str.__new__(self._text_kind, text)
        chunk: Chunk = self._generation.cast(generation)
        return chunk


def _calls_of(pieces: list[ToolCallChunk]) -> list[ToolCall]:
    """Give the calls that langchain-core sees in pieces: those without arguments."""
    return [tool_call(name=piece["name"] or "", args={}, id=piece["id"]) for piece in pieces if not piece["args"]]


def _invalid_calls_of(pieces: list[ToolCallChunk]) -> list[InvalidToolCall]:
    """Give the calls that it cannot read yet."""
    return [
        invalid_tool_call(name=piece["name"], args=piece["args"], id=piece["id"], error=None)
        for piece in pieces
        if piece["args"]
    ]


def _is_plain(call: ToolCallChunk) -> bool:
    """Say whether langchain-core would take a piece as it is, and could not take its arguments for an object.

    It tries to complete what is there, but it never takes anything from the beginning.
    """
    args = call["args"]
    return (
        type(call["name"]) in TEXT
        and type(call["id"]) in TEXT
        and type(call["index"]) in NUMBER
        and (args is None or (type(args) is str and not args.lstrip().startswith("{")))
    )


def is_same(one: Chunk, other: Chunk) -> bool:
    """Say whether two chunks have the same fields in the same order, of the same types, and the same private state."""
    pairs = ((one, other), (one.message, other.message))
    return all(
        type(left) is type(right)
        and list(vars(left)) == list(vars(right))
        and all(type(vars(left)[key]) is type(vars(right)[key]) for key in vars(left))
        and all(getattr(left, slot, slot) == getattr(right, slot, slot) for slot in SLOTS)
        and left == right
        for left, right in pairs
    )


def maker(copier: Callable[[], Maker] = Copier) -> Maker:
    """Give the fast way of making chunks if it makes what the constructors make, and else the constructors'."""
    try:
        copied = copier()
        same = all(is_same(copied(*copy(sample)), built_chunk(*sample)) for sample in SAMPLES)
    except (AttributeError, KeyError, TypeError):
        return built_chunk
    return copied if same else built_chunk


new_chunk = maker()
"""Makes the chunk of one delta: text, reasoning, pieces of tool calls; see `built_chunk`."""
