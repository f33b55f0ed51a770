"""Every recorded response becomes the same message with repairs on and off, and no repair is counted."""

from functools import reduce
from operator import add
from typing import Any, cast

from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.wire import WireBody
from langchain_kimi._reply.plain import PlainMessage
from langchain_kimi._reply.streamed import StreamedMessage
from langchain_kimi.errors import KimiError
from tests.recordings.exchanges import EXCHANGES, Exchange, name_of, needs_recordings
from tests.rows import each_row

pytestmark = needs_recordings


@each_row("exchange", [one for one in EXCHANGES if one.reply.status == 200], ids=name_of)
def test_healthy_recordings_are_not_repaired(exchange: Exchange) -> None:
    repaired, left = read(exchange, RepairOptions()), read(exchange, RepairOptions(frozenset()))
    assert repaired == left
    report = repaired.get("response_metadata", {}).get("kimi", {})
    # A hint is about the request, not about what was repaired.
    assert not set(report) - {"hint"}


def read(exchange: Exchange, repair_options: RepairOptions) -> dict[str, Any]:
    """Return the message, or the partial one of the error, as a dictionary."""
    body = cast("WireBody", {"messages": [], **exchange.request})
    opened = ResponseHead(exchange.reply.status, exchange.reply.headers, 0.0)
    reader: Any = (
        StreamedMessage(opened, body, idle=None, with_usage=True, repair_options=repair_options)
        if exchange.is_stream
        else PlainMessage(opened, body, idle=None, repair_options=repair_options)
    )
    try:
        parts = [*reader.feed(exchange.reply.body, 0.0), *reader.close()]
    except KimiError as error:
        reader.explain(error)
        return error.partial.model_dump() if error.partial else {"error": str(error)}
    if not exchange.is_stream:
        [result] = parts
        return cast("dict[str, Any]", result.generations[0].message.model_dump())
    return cast("dict[str, Any]", reduce(add, parts).message.model_dump())
