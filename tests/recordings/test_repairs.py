"""Every recorded reply comes out the same with repairs on and off, and nothing is counted as repaired."""

from functools import reduce
from operator import add
from typing import Any, cast

import pytest

from langchain_kimi._messages.readers import PlainMessage, StreamedMessage
from langchain_kimi.errors import KimiError
from langchain_kimi.kimi.mend import Mending
from langchain_kimi.openrouter.reading import Opened
from langchain_kimi.openrouter.wire import WireBody
from tests.recordings.exchanges import EXCHANGES, Exchange, name_of, needs_recordings

pytestmark = needs_recordings


@pytest.mark.parametrize("exchange", [one for one in EXCHANGES if one.reply.status == 200], ids=name_of)
def test_healthy_recordings_are_not_repaired(exchange: Exchange) -> None:
    mended, left = read(exchange, Mending()), read(exchange, Mending(frozenset()))
    assert mended == left
    told = mended.get("response_metadata", {}).get("kimi", {})
    # A hint is about the request, not about what was repaired.
    assert not set(told) - {"hint"}


def read(exchange: Exchange, mending: Mending) -> dict[str, Any]:
    """The message, or the error's partial one, as a dictionary."""
    body = cast("WireBody", {"messages": [], **exchange.request})
    opened = Opened(exchange.reply.status, exchange.reply.headers, 0.0)
    reader: Any = (
        StreamedMessage(opened, body, idle=None, with_usage=True, mending=mending)
        if exchange.is_stream
        else PlainMessage(opened, body, idle=None, mending=mending)
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
