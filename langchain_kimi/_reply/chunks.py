"""Create the chunks of a stream without pydantic's validation, which takes most of a stream's time.

A chunk is a copy of one that the constructors created, with other content. At import both ways are compared. If they
differ, because langchain-core or pydantic changed, the constructors are used.
"""

import json
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, cast

from langchain_core.messages import AIMessageChunk, InvalidToolCall, ToolCall, ToolCallChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from pydantic import BaseModel

from langchain_kimi._openrouter.json import MULTILINE_DECODER
from langchain_kimi._openrouter.limits import MAX_JSON_DEPTH, is_text_too_deep

Chunk = ChatGenerationChunk
Maker = Callable[[str, str, list[ToolCallChunk]], Chunk]
PROVIDER = "openrouter"
"""The `model_provider` of each message and chunk. LangChain finds prices and block translators by it."""

SLOTS = ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
"""The slots in which pydantic stores everything that is not a field."""
SAMPLES: tuple[tuple[str, str, list[ToolCallChunk]], ...] = (
    ("Hello", "", []),
    ("", "Hm.", []),
    ("", "", [tool_call_chunk(name="f", args="", id="f:0", index=0)]),
    ("", "", [tool_call_chunk(args=' "a"', index=0), tool_call_chunk(name="g", args=None, id="g:1", index=1)]),
)
TEXT, NUMBER = (str, type(None)), (int, type(None))
_LONG = 1024
"""The number of characters from which arguments are checked: LangChain's parser may try all of their prefixes."""
_INVALID = "]"
"""Arguments that LangChain's parser rejects immediately."""
_new, _set_state = object.__new__, object.__setattr__


def built_chunk(text: str, reasoning: str, calls: list[ToolCallChunk]) -> Chunk:
    """Return the chunk for one delta, created by the constructors.

    Empty fields are not set. LangChain keeps all chunks until the end of a stream and sets the id of each. With a
    fifth field, the set of field names takes 512 bytes more.

    Args:
        text: The text of the delta, or "".
        reasoning: The reasoning of the delta, or "".
        calls: The pieces of tool calls in the delta.
    """
    fields: dict[str, Any] = {"content": text, "response_metadata": {"model_provider": PROVIDER}}
    if reasoning:
        fields["additional_kwargs"] = {"reasoning_content": reasoning}
    broken = [number for number, call in enumerate(calls) if _is_long_and_broken(call["args"] or "")]
    if calls:
        fields["tool_call_chunks"] = _without(broken, calls) if broken else calls
    message = AIMessageChunk(**fields)
    if broken:
        invalid = [call for call in message.invalid_tool_calls if call["args"] == _INVALID]
        texts = [call["args"] for number, call in enumerate(calls) if number in broken or call["args"] == _INVALID]
        for one, text_of_call in zip(invalid, texts, strict=False):
            one["args"] = text_of_call
        for number in broken:
            message.tool_call_chunks[number]["args"] = calls[number]["args"]
    return ChatGenerationChunk(message=message)


def _without(broken: list[int], calls: list[ToolCallChunk]) -> list[ToolCallChunk]:
    """Return the pieces with short invalid arguments in the place of long ones."""
    return [
        cast("ToolCallChunk", {**call, "args": _INVALID}) if number in broken else call
        for number, call in enumerate(calls)
    ]


def _is_long_and_broken(text: str) -> bool:
    """Return whether LangChain's parser of partial JSON would try all prefixes of a text, in quadratic time."""
    if len(text) < _LONG:
        return False
    try:
        MULTILINE_DECODER.decode(text)
    except json.JSONDecodeError as error:
        # An error at the end means truncated JSON, which the parser completes.
        is_truncated = error.pos >= len(text) - len("false") or error.msg.startswith("Unterminated string")
        return not is_truncated or is_text_too_deep(text, MAX_JSON_DEPTH)
    except (RecursionError, ValueError):
        # Nested too deeply, or an integer of more digits than Python parses.
        return True
    return False


def _state_of(sample: Any) -> dict[str, Any]:
    """Return the `__dict__` of an object whose fields were set one by one.

    Python then shares the field names between the objects of the class (PEP 412), if only few were created before. A
    copy of a message takes 160 bytes instead of 464 (Python 3.11 and 3.12; 304 with 3.13).
    """
    same = _new(type(sample))
    for name, value in vars(sample).items():
        _set_state(same, name, value)
    state: dict[str, Any] = vars(same)
    return state


def _factory(sample: Any, slots: Sequence[str]) -> Callable[[dict[str, Any]], Any]:
    """Return a function that creates objects like the sample from a `__dict__`."""
    kind, fields_set, has_extra = type(sample), sample.model_fields_set, sample.model_extra is not None
    # A pydantic without these slots raises here, and `maker` then returns the constructors.
    set_fields_set, set_extra, set_private = (vars(BaseModel)[slot].__set__ for slot in slots)

    def create(state: dict[str, Any]) -> Any:
        copied = _new(kind)
        _set_state(copied, "__dict__", state)
        set_fields_set(copied, fields_set.copy())
        set_extra(copied, {} if has_extra else None)
        set_private(copied, None)
        return copied

    return create


def copier(slots: Sequence[str] = SLOTS) -> Maker:
    """Return a function that creates the same chunks as `built_chunk`, by copying samples.

    Raises:
        KeyError: pydantic does not have these slots.
    """
    text_sample, reasoning_sample, call_sample = (built_chunk(*sample) for sample in SAMPLES[:3])
    text_state, call_state, generation_state = map(_state_of, (text_sample.message, call_sample.message, text_sample))
    new_text_message, new_reasoning_message, new_call_message = (
        _factory(sample.message, slots) for sample in (text_sample, reasoning_sample, call_sample)
    )
    new_generation = _factory(text_sample, slots)
    text_kind, new_text = type(text_sample.text), str.__new__

    def copied(text: str, reasoning: str, calls: list[ToolCallChunk]) -> Chunk:
        if calls:
            if reasoning or (parsed := _parsed(calls)) is None:
                return built_chunk(text, reasoning, calls)
            new_message, state = new_call_message, call_state.copy()
            state["tool_calls"], state["invalid_tool_calls"] = parsed
        else:
            new_message, state = new_reasoning_message if reasoning else new_text_message, text_state.copy()
            state["tool_calls"], state["invalid_tool_calls"] = [], []
        state["tool_call_chunks"] = calls
        state["content"] = text
        state["additional_kwargs"] = {"reasoning_content": reasoning} if reasoning else {}
        state["response_metadata"] = {"model_provider": PROVIDER}
        generation = generation_state.copy()
        generation["message"] = new_message(state)
        generation["text"] = new_text(text_kind, text)
        chunk: Chunk = new_generation(generation)
        return chunk

    return copied


def _parsed(pieces: list[ToolCallChunk]) -> tuple[list[ToolCall], list[InvalidToolCall]] | None:
    """Return the valid and invalid calls that langchain-core derives from pieces, or None if this is not certain.

    For langchain-core, a piece without arguments is a valid call. It tries to complete partial arguments at their end
    but never at their beginning, so arguments that do not begin with "{" are invalid.
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
    """Return whether two chunks have equal fields in the same order, of the same types, and equal private state."""
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
    """Return the fast function if it creates the same chunks as `built_chunk`, otherwise `built_chunk`."""
    try:
        copied = make_copier()
        same = all(is_same(copied(*copy(sample)), built_chunk(*sample)) for sample in SAMPLES)
    except (AttributeError, KeyError, TypeError):
        return built_chunk
    return copied if same else built_chunk


new_chunk = maker()
"""Return the chunk for one delta; see `built_chunk`."""
