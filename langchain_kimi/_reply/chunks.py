"""The chunks of a stream, made without validating again what was just put together: most of a stream's time goes there.

A chunk is a copy of one that the constructors made, with its own content. At import the two ways are held against each
other; where a langchain-core or a pydantic is made in another way, the constructors are used.
"""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from langchain_core.messages import AIMessageChunk, InvalidToolCall, ToolCall, ToolCallChunk
from langchain_core.messages.tool import tool_call_chunk
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


def built_chunk(text: str, reasoning: str, calls: list[ToolCallChunk]) -> Chunk:
    """Make the chunk of one delta: text, reasoning, pieces of tool calls.

    What there is not, is not set: LangChain sets the id, and from the fifth field on the set of them takes 512 bytes
    more. It keeps all chunks to the end of a stream.
    """
    said: dict[str, Any] = {"content": text, "response_metadata": {"model_provider": PROVIDER}}
    if reasoning:
        said["additional_kwargs"] = {"reasoning_content": reasoning}
    if calls:
        said["tool_call_chunks"] = calls
    return ChatGenerationChunk(message=AIMessageChunk(**said))


def _state_of(made: Any) -> dict[str, Any]:
    """Give the fields of an object, as those of one whose fields were set one by one.

    Python keeps the names of such fields with the class if few objects of it were made before, and a copy of a message
    takes 160 bytes instead of 464 (3.11 and 3.12; 304 with 3.13).
    """
    same = _new(type(made))
    for name, value in vars(made).items():
        _set_state(same, name, value)
    state: dict[str, Any] = vars(same)
    return state


def _mould(made: Any, slots: Sequence[str]) -> Callable[[dict[str, Any]], Any]:
    """Give what makes objects like one that a constructor made, each with a state of its own."""
    kind, fields_set, has_extra = type(made), made.model_fields_set, made.model_extra is not None
    # Looked up here, inside the guard of `maker`: a pydantic without these slots gets the constructors.
    set_fields_set, set_extra, set_private = (vars(BaseModel)[slot].__set__ for slot in slots)

    def cast(state: dict[str, Any]) -> Any:
        copied = _new(kind)
        _set_state(copied, "__dict__", state)
        set_fields_set(copied, fields_set.copy())
        set_extra(copied, {} if has_extra else None)
        set_private(copied, None)
        return copied

    return cast


def copier(slots: Sequence[str] = SLOTS) -> Maker:
    """Return what makes the same chunks as `built_chunk`, by copying.

    Raises:
        KeyError: pydantic does not have these slots.
    """
    spoken, thought, calling = (built_chunk(*sample) for sample in SAMPLES[:3])
    spoken_state, calling_state, generation_state = map(_state_of, (spoken.message, calling.message, spoken))
    cast_spoken, cast_thought, cast_calling = (_mould(made.message, slots) for made in (spoken, thought, calling))
    cast_generation = _mould(spoken, slots)
    text_kind, new_text = type(spoken.text), str.__new__

    def copied(text: str, reasoning: str, calls: list[ToolCallChunk]) -> Chunk:
        if calls:
            if reasoning or (seen := _sorted(calls)) is None:
                return built_chunk(text, reasoning, calls)
            cast, state = cast_calling, calling_state.copy()
            state["tool_calls"], state["invalid_tool_calls"] = seen
        else:
            cast, state = cast_thought if reasoning else cast_spoken, spoken_state.copy()
            state["tool_calls"], state["invalid_tool_calls"] = [], []
        state["tool_call_chunks"] = calls
        state["content"] = text
        state["additional_kwargs"] = {"reasoning_content": reasoning} if reasoning else {}
        state["response_metadata"] = {"model_provider": PROVIDER}
        generation = generation_state.copy()
        generation["message"] = cast(state)
        generation["text"] = new_text(text_kind, text)
        chunk: Chunk = cast_generation(generation)
        return chunk

    return copied


def _sorted(pieces: list[ToolCallChunk]) -> tuple[list[ToolCall], list[InvalidToolCall]] | None:
    """Give the calls that langchain-core sees in pieces, and those that it cannot read yet.

    A piece without arguments is a call to it. Of arguments it tries to complete what is there, but it never takes
    anything from the beginning. None where it might see an object, or would not take a piece as it is.
    """
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for piece in pieces:
        name, args, call_id = piece["name"], piece["args"], piece["id"]
        if not (type(name) in TEXT and type(call_id) in TEXT and type(piece["index"]) in NUMBER):
            return None
        if not args and type(args) in TEXT:
            calls.append({"name": name or "", "args": {}, "id": call_id, "type": "tool_call"})
        elif type(args) is str and not args.lstrip().startswith("{"):
            invalid.append({"name": name, "args": args, "id": call_id, "error": None, "type": "invalid_tool_call"})
        else:
            return None
    return calls, invalid


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


def maker(make_copier: Callable[[], Maker] = copier) -> Maker:
    """Give the fast way of making chunks if it makes what the constructors make, and else the constructors'."""
    try:
        copied = make_copier()
        same = all(is_same(copied(*copy(sample)), built_chunk(*sample)) for sample in SAMPLES)
    except (AttributeError, KeyError, TypeError):
        return built_chunk
    return copied if same else built_chunk


new_chunk = maker()
"""Makes the chunk of one delta: text, reasoning, pieces of tool calls; see `built_chunk`."""
