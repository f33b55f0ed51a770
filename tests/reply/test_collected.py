"""The message of a streaming model is the same whether somebody sees the chunks or not."""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.outputs.chat_generation import merge_chat_generation_chunks

from langchain_kimi import ChatKimi
from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._reply.collected import CollectedMessage
from langchain_kimi._reply.streamed import StreamedMessage
from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, Reply
from tests.conftest import KEY
from tests.kimi.corpus.cases import Case
from tests.recordings.exchanges import STREAMED, Exchange, name_of, needs_recordings
from tests.reply.test_events import CASES, STREAMS, TOOLS, parts_of, stream_of
from tests.reply.test_streamed import BODY, event, head
from tests.rows import each_row


def outcome(kind: type[StreamedMessage], pieces: list[bytes], body: Any, opened: ResponseHead, **more: Any) -> Any:
    """Return the sum of the chunks, and the facts of the error if there is one."""
    reader = kind(opened, body, idle=None, with_usage=True, **more)
    chunks: list[Any] = []
    try:
        chunks.extend(parts_of(reader, pieces))
    except KimiError as error:
        return reader.has_begun, type(error), str(error), error.partial, error.usage
    return reader.has_begun, merge_chat_generation_chunks(chunks)


def check(pieces: list[bytes], body: Any = BODY, opened: ResponseHead | None = None, **more: Any) -> None:
    """Compare both ways."""
    opened = opened or head()
    expected = outcome(StreamedMessage, pieces, body, opened, **more)
    assert outcome(CollectedMessage, pieces, body, opened, **more) == expected


@each_row("name", STREAMS)
def test_the_sum_is_the_same(name: str) -> None:
    stream = STREAMS[name]
    for body in (BODY, {**BODY, **TOOLS}):
        check(stream, body)
        check([b"".join(stream)], body)
        check(stream, body, repair_options=RepairOptions(frozenset()))


@each_row("case", CASES[::12], ids=lambda case: case.name)
def test_some_replies_with_repairs(case: Case) -> None:
    check_repaired(case)


@pytest.mark.long
@pytest.mark.uncovered
@each_row("case", CASES, ids=lambda case: case.name)
def test_replies_with_repairs(case: Case) -> None:
    check_repaired(case)


def check_repaired(case: Case) -> None:
    body = {"model": "moonshotai/kimi-k2-0905", "messages": [], **case.body}
    stream = stream_of(case, case.deltas)
    check(stream, body, repair_options=RepairOptions(call_ids=lambda: case.taken))
    check(stream[: (len(stream) - 1) // 2], body)


@needs_recordings
@pytest.mark.uncovered
@each_row("exchange", STREAMED, ids=name_of)
def test_recorded_streams(exchange: Exchange) -> None:
    opened = ResponseHead(exchange.reply.status, exchange.reply.headers, 0.0)
    pieces = [part + b"\n\n" for part in exchange.reply.body.split(b"\n\n")]
    check(pieces, {"messages": [], **exchange.request}, opened)


def test_a_long_text_is_one_chunk() -> None:
    pieces = [event({"content": text}) for text in "abcdef"] + [event(finish="stop")]
    chunks = list(parts_of(CollectedMessage(head(), BODY, idle=None, with_usage=True), pieces))
    assert [chunk.text for chunk in chunks] == ["a", "bcdef", ""]


class Seen(BaseCallbackHandler):
    """A handler that keeps the chunks."""

    def __init__(self) -> None:
        self.chunks: list[Any] = []

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **_: Any) -> None:
        self.chunks.append(chunk)


class Yielded(ChatKimi):
    """A subclass that counts the chunks."""

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        for chunk in super()._stream(*args, **kwargs):
            COUNTED.append(chunk)
            yield chunk


COUNTED: list[Any] = []
TEXT = "A text of several words. " * 5


def model_of(openrouter: Emulator, kind: type[ChatKimi] = ChatKimi, **settings: Any) -> ChatKimi:
    openrouter.script(*[Reply(text=TEXT, reasoning="Hm, " * 5)] * 4)
    return kind(api_key=KEY, base_url=openrouter.base_url, streaming=True, **settings)


def without_id(message: Any) -> Any:
    metadata = {key: value for key, value in message.response_metadata.items() if key not in ("id", "created")}
    return message.model_copy(update={"id": None, "response_metadata": metadata})


async def test_callbacks_see_every_delta_and_the_message_is_the_same(openrouter: Emulator) -> None:
    model, seen = model_of(openrouter), Seen()
    # The emulator's usage of a first prompt has no cached tokens.
    model.invoke("hi")
    watched = model.invoke("hi", {"callbacks": [seen]})
    assert len(seen.chunks) > 10
    for message in (model.invoke("hi"), await model.ainvoke("hi")):
        assert message.text == TEXT
        assert without_id(message) == without_id(watched)


def test_a_stream_has_every_delta(openrouter: Emulator) -> None:
    assert len(list(model_of(openrouter).stream("hi"))) > 10


def test_a_subclass_sees_every_delta(openrouter: Emulator) -> None:
    COUNTED.clear()
    assert model_of(openrouter, Yielded).invoke("hi").text == TEXT
    assert len(COUNTED) > 10


def test_content_blocks_are_numbered_by_their_deltas(openrouter: Emulator) -> None:
    model, seen = model_of(openrouter, output_version="v1"), Seen()
    unseen = model.invoke([HumanMessage("hi")])
    assert unseen.content == model.invoke([HumanMessage("hi")], {"callbacks": [seen]}).content
