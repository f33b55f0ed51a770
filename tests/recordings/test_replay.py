"""Every recorded response through ChatKimi over a socket: plain and streamed, sync and async, with several splits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiError
from tests.recordings.conversation import messages_of, model_of, settings_of
from tests.recordings.exchanges import FOLDER, PLAIN, STREAMED, Exchange, name_of, needs_recordings
from tests.recordings.expected import (
    Failure,
    JSONObject,
    deep_without_empty,
    failure_of,
    kwargs_without_empty,
    message_of,
    reply_of,
    without_empty,
)
from tests.recordings.replay import ReplayServer, Split
from tests.rows import Test, each_row

pytestmark = needs_recordings


def splits_for(exchange: Exchange) -> list[Split]:
    recorded: list[Split] = ["network"] if exchange.head.get("network_chunks") else []
    return ["whole", "bytes", "odd", *recorded]


def each(exchanges: list[Exchange], short: Split, half: int) -> Callable[[Test], Test]:
    """Parametrize a test with each exchange in each split. One split of every other exchange is not long."""
    cases = [
        pytest.param(
            exchange,
            split,
            id=f"{exchange.name}-{split}",
            marks=() if split == short and number % 2 == half else pytest.mark.long,
        )
        for number, exchange in enumerate(exchanges)
        for split in splits_for(exchange)
    ]
    return each_row("exchange, split", cases)


# One loop for all: the connection of a call is the next one's too.
on_one_loop = pytest.mark.asyncio(loop_scope="module")


def model_for(server: ReplayServer, exchange: Exchange, split: Split, **settings: Any) -> ChatKimi:
    server.serve(exchange.reply, split)
    return ChatKimi(model=model_of(exchange), api_key="planted", base_url=server.url, max_retries=0, **settings)


@contextmanager
def errors_of(exchange: Exchange) -> Iterator[None]:
    """Compare the error of a call with the one of the exchange."""
    try:
        yield
    except KimiError as error:
        check_error(exchange, error)


@each(PLAIN, "whole", half=0)
def test_invoke_gives_the_recorded_reply(server: ReplayServer, exchange: Exchange, split: Split) -> None:
    model = model_for(server, exchange, split)
    with errors_of(exchange):
        message = model.invoke(messages_of(exchange), **settings_of(exchange))
        check_message(exchange, message)
    assert not server.received[0].get("stream")


@each(PLAIN, "odd", half=1)
@on_one_loop
async def test_ainvoke_gives_the_recorded_reply(server: ReplayServer, exchange: Exchange, split: Split) -> None:
    model = model_for(server, exchange, split)
    with errors_of(exchange):
        message = await model.ainvoke(messages_of(exchange), **settings_of(exchange))
        check_message(exchange, message)
    assert not server.received[0].get("stream")


@each(STREAMED, "whole", half=0)
def test_stream_gives_the_recorded_reply(server: ReplayServer, exchange: Exchange, split: Split) -> None:
    model = model_for(server, exchange, split)
    with errors_of(exchange):
        message: Any = reduce(add, model.stream(messages_of(exchange), **settings_of(exchange)))
        check_message(exchange, message)
    assert server.received[0]["stream"] is True


@each(STREAMED, "odd", half=1)
@on_one_loop
async def test_astream_gives_the_recorded_reply(server: ReplayServer, exchange: Exchange, split: Split) -> None:
    model = model_for(server, exchange, split)
    with errors_of(exchange):
        chunks: list[Any] = [chunk async for chunk in model.astream(messages_of(exchange), **settings_of(exchange))]
        check_message(exchange, reduce(add, chunks))
    assert server.received[0]["stream"] is True


@pytest.mark.long
@each_row("exchange", STREAMED, ids=name_of)
def test_invoke_of_a_streaming_model_gives_the_recorded_reply(server: ReplayServer, exchange: Exchange) -> None:
    model = model_for(server, exchange, "odd", streaming=True)
    with errors_of(exchange):
        message = model.invoke(messages_of(exchange), **settings_of(exchange))
        check_message(exchange, message)
    assert server.received[0]["stream"] is True


def test_every_exchange_is_replayed() -> None:
    recorded = {path.name for path in FOLDER.iterdir()}
    assert recorded
    assert {exchange.name for exchange in (*PLAIN, *STREAMED)} == recorded
    assert not {exchange.name for exchange in PLAIN} & {exchange.name for exchange in STREAMED}


def check_message(exchange: Exchange, message: AIMessage) -> None:
    reply = exchange.reply
    assert failure_of(reply) is None
    assert facts_of(message) == message_of(reply_of(reply))


def check_error(exchange: Exchange, error: KimiError) -> None:
    expected = failure_of(exchange.reply)
    assert expected is not None, error
    assert type(error).__name__ == expected.kind
    assert (error.status, error.code, error.provider) == (expected.status, expected.code, expected.provider)
    assert (dict(error.metadata), error.raw) == (expected.metadata, expected.raw)
    assert expected.reason in error.reason
    # The text of an error is one line.
    assert " ".join(expected.reason.split()) in str(error)
    assert error.usage == expected.usage
    assert error.generation_id == expected.generation_id
    assert error.model == expected.model or expected.model is None
    assert error.response is not None
    assert error.response.status_code == expected.http_status
    if not exchange.is_stream:
        # Ids of users are redacted, also those that the recording has already replaced.
        body = exchange.reply.body.decode().replace("user_REDACTED", "[redacted]")
        assert error.response.text.strip() in (body.strip(), exchange.reply.body.decode().strip())
    check_partial(error.partial, expected)


def check_partial(partial: AIMessage | None, expected: Failure) -> None:
    if expected.partial is None:
        assert partial is None or not (partial.content or partial.additional_kwargs)
        return
    assert partial is not None
    facts = facts_of(partial)
    for key in ("content", "tool_calls", "invalid_tool_calls", "additional_kwargs", "usage_metadata"):
        assert facts[key] == expected.partial[key]


def facts_of(message: AIMessage) -> JSONObject:
    """Return a message in the form of the expectations."""
    metadata = dict(message.response_metadata)
    metadata["logprobs"] = deep_without_empty(metadata.get("logprobs"))
    if hint := metadata.get("kimi", {}).get("hint"):
        assert "raise max_tokens" in hint
        metadata["hint"] = {"thought": hint.startswith("Reasoning")}
        del metadata["kimi"]
    return {
        "content": message.content,
        "tool_calls": [bare(call) for call in message.tool_calls],
        "invalid_tool_calls": [bare(call) for call in message.invalid_tool_calls],
        "additional_kwargs": kwargs_without_empty(message.additional_kwargs),
        "response_metadata": without_empty(metadata),
        "usage_metadata": None if message.usage_metadata is None else dict(message.usage_metadata),
    }


def bare(call: Any) -> JSONObject:
    return {key: call[key] for key in ("name", "args", "id")}
