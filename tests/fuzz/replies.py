"""Replies for property tests: the bytes that the emulator writes, and the messages that a model reads."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGenerationChunk

from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.wire import JSONObject, WireBody
from langchain_kimi._reply.plain import PlainMessage
from langchain_kimi._reply.streamed import StreamedMessage
from langchain_kimi._request.body import body_bytes, request_body
from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Behavior, Reply, ToolCall, payloads
from langchain_kimi.testing.answers import Answer, ChatRequest, compose
from langchain_kimi.testing.catalog import DEFAULT, find
from langchain_kimi.testing.responses import dump
from langchain_kimi.testing.tokens import PromptTokens

HEADERS = {"content-type": "text/event-stream", "x-generation-id": "gen-1-head"}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("search", "get_weather")]
BODY: Any = {"model": DEFAULT, "messages": [{"role": "user", "content": "Hello."}], "tools": TOOLS}

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\r\n\u2028 :{}<|"\\'), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
CALLS = st.builds(
    ToolCall,
    name=st.sampled_from(["search", "get_weather"]),
    arguments=st.dictionaries(st.text(max_size=4), JSON, max_size=3),
)
REPLIES = st.builds(
    Reply,
    text=st.none() | TEXTS,
    tool_calls=st.lists(CALLS, max_size=3),
    reasoning=st.none() | TEXTS.filter(bool),
    finish_reason=st.sampled_from([None, "stop", "length", "something_new"]),
)
BEHAVIOURS = st.builds(
    Behavior,
    call_ids=st.sampled_from(["name:index", "functions.name:index", "call", "hex", "repeated"]),
    arguments=st.sampled_from(["sliced", "whole"]),
    continuation=st.sampled_from(["bare", "typed", "null_id", "null_id_and_name", "empty_id_and_type", "repeated"]),
    trailing_arguments=st.sampled_from([None, "", "  "]),
    opening_arguments=st.booleans(),
    omits_empty_arguments=st.booleans(),
    all_index_zero=st.booleans(),
    usage_era=st.sampled_from(["A", "B", "C"]),
    delta_tokens=st.integers(1, 4),
    comments=st.booleans(),
    # No host was seen to do both, and nothing would then tell two calls of one tool apart.
).filter(lambda behavior: not (behavior.all_index_zero and behavior.call_ids == "repeated"))


@dataclass
class Written:
    """An answer of the emulator."""

    reply: Reply
    behavior: Behavior

    @cached_property
    def _answer(self) -> Answer:
        request = ChatRequest(BODY, DEFAULT, find(DEFAULT), self.behavior, PromptTokens(10, 0))
        return compose(self.reply, "", request)

    @cached_property
    def events(self) -> list[JSONObject]:
        """The JSON of the stream's events."""
        return payloads.stream_events(self._answer)

    @cached_property
    def plain(self) -> bytes:
        """The body of the plain reply."""
        return dump(payloads.plain_body(self._answer))

    @property
    def stream(self) -> bytes:
        """The bytes of the whole stream."""
        return stream_of(self.events, comments=self.behavior.comments)


def stream_of(events: Sequence[Any], *, comments: bool = False) -> bytes:
    """Write events and the end of a stream."""
    comment = b": OPENROUTER PROCESSING\n\n" if comments else b""
    return b"".join(b"%bdata: %b\n\n" % (comment, dump(event)) for event in events) + b"data: [DONE]\n\n"


WRITTEN = st.builds(Written, REPLIES, BEHAVIOURS)


def read_stream(pieces: Sequence[bytes]) -> AIMessage | KimiError:
    """Return the message of a stream, or its error with everything that is on it.

    Raises:
        Exception: any that is not ours; there must be none.
    """
    reader = StreamedMessage(ResponseHead(200, HEADERS, 0.0), cast("WireBody", BODY), idle=None, with_usage=True)
    chunks: list[ChatGenerationChunk] = []
    try:
        for piece in pieces:
            chunks.extend(reader.feed(piece, 0.0))
        chunks.extend(reader.close())
    except KimiError as error:
        chunks.extend(reader.explain(error))
        check_error(error, chunks)
        return error
    message = cast("AIMessage", _sum(chunks))
    check_message(message)
    return message


def read_plain(body: bytes) -> AIMessage | KimiError:
    """Return the message of a plain reply, or its error."""
    reader = PlainMessage(ResponseHead(200, HEADERS, 0.0), cast("WireBody", BODY), idle=None)
    try:
        reader.feed(body, 0.0)
        [result] = reader.close()
    except KimiError as error:
        reader.explain(error)
        check_error(error, [])
        return error
    for generation in result.generations:
        check_message(cast("AIMessage", generation.message))
    return cast("AIMessage", result.generations[0].message)


def _sum(chunks: Sequence[ChatGenerationChunk]) -> Any:
    total: Any = None
    for chunk in chunks:
        total = chunk.message if total is None else total + chunk.message
    return total


def check_error(error: KimiError, chunks: Sequence[ChatGenerationChunk]) -> None:
    """Check that an error has a message, that its parts are well-formed, and that none of its calls can be run."""
    assert error.reason
    assert str(error)
    for word in (error.provider, error.model, error.generation_id, error.error_type):
        assert word is None or isinstance(word, str)
    if error.partial is not None:
        assert error.partial.tool_calls == []
        check_message(error.partial)
    if (shown := _sum(chunks)) is not None:
        assert error.partial is not None
        # Text that the repairs have buffered is in the partial message only.
        assert error.partial.text.startswith(shown.text)
        # A call that was whole before the failure stays one; of the others none may look like it.
        whole = [
            repr(arguments) for piece in shown.tool_call_chunks if (arguments := parsed(piece["args"])) is not None
        ]
        assert all(repr(call["args"]) in whole for call in shown.tool_calls)


def parsed(text: str | None) -> Any:
    """Return the object in a call's arguments; None if they are not a complete object."""
    try:
        return json.loads(text or "", strict=False)
    except ValueError:
        return None


def check_message(message: AIMessage) -> None:
    """Check that LangChain and its users can work with a message, and that it can be sent again."""
    type(message).model_validate(message.model_dump())
    for call in message.tool_calls:
        assert isinstance(call["args"], dict)
        assert call["name"]
        assert call["id"]
    request = request_body([HumanMessage("Hello."), message], model=DEFAULT, settings={}, arguments={}, streamed=False)
    assert body_bytes(request)


def facts_of(message: AIMessage) -> dict[str, Any]:
    """Return the parts of a message that do not depend on the split of the stream."""
    return message.model_dump(exclude={"type", "id"})
