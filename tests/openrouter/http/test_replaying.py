from functools import partial
from typing import Any

import pytest

from langchain_kimi._openrouter.http.calls import Call
from langchain_kimi._openrouter.http.connection import Connection
from langchain_kimi._openrouter.http.replaying import StoredResponse, replay
from langchain_kimi._openrouter.reply.data import BytesReader
from langchain_kimi._openrouter.retries import Retries
from langchain_kimi.errors import KimiRateLimitError

KEY = "planted-key-that-opens-nothing"


def call() -> Call[Any]:
    headers = {"Authorization": f"Bearer {KEY}"}
    return Call(Connection(), headers, b"", partial(BytesReader, idle=None), Retries(5), model="m")


def test_a_stored_response_is_read() -> None:
    assert list(replay(call(), StoredResponse(200, b"body"))) == [b"body"]


def test_an_error_is_that_of_a_call_with_one_attempt() -> None:
    body = f'{{"error": {{"message": "no {KEY}", "code": 429}}}}'.encode()

    with pytest.raises(KimiRateLimitError) as raised:
        list(replay(call(), StoredResponse(429, body, {"retry-after": "2"})))

    assert (raised.value.model, raised.value.attempts, raised.value.retry_after) == ("m", (), 2)
    assert KEY not in str(raised.value)
