from typing import Any

import httpx
import pytest

from langchain_kimi import ChatKimi, KimiConnectionError, KimiError, KimiServerError, KimiTimeoutError, KimiUsageError
from langchain_kimi._openrouter.http.calls import CLOCK
from langchain_kimi._openrouter.reply.data import BytesReader
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi.batch.program import program_of
from langchain_kimi.batch.requests import Operation, RefusalRetries, Send, arun, call_of, run, was_refused
from langchain_kimi.catalog.operations import Wait
from langchain_kimi.errors import KimiMalformedReplyError, KimiRateLimitError
from tests.batch.driving import KEY, Drive
from tests.catalog.serving import Server


def caused_by(error: KimiError, cause: Exception) -> KimiError:
    error.__cause__ = cause
    return error


REFUSED: dict[str, tuple[KimiError, bool]] = {
    "not connected": (caused_by(KimiTimeoutError("no"), httpx.ConnectTimeout("no")), True),
    "broken": (caused_by(KimiConnectionError("no"), httpx.ReadError("no")), False),
    "too many requests": (KimiRateLimitError("no", status=429), True),
    "a timeout of the server": (KimiServerError("no", status=408), False),
    "a failure of the server": (KimiServerError("no", status=502), False),
    "an unreadable acceptance": (KimiMalformedReplyError("no", status=202), False),
    "not sent": (KimiUsageError("no"), True),
}


@pytest.mark.parametrize("name", REFUSED)
def test_only_certain_refusals_are_repeated(name: str) -> None:
    error, is_refused = REFUSED[name]

    assert was_refused(error) is is_refused
    wait = RefusalRetries(2, chance=lambda: 1.0).wait_after(error, 1, None)
    assert (wait is not None) is (is_refused and error.is_retryable)


def test_a_call_has_the_models_settings() -> None:
    model = ChatKimi(api_key=KEY, max_retries=5, default_headers={"X-Own": "a"}).bind(extra_headers={"X-Call": "b"})
    send = Send("POST", "/files", {"a": "1"}, b"content", "text/plain", is_object=False, is_repeatable=False)

    call = call_of(program_of(model), send, KEY, CLOCK)

    assert call.url == "https://openrouter.ai/api/v1/files?a=1"
    assert (call.headers["Content-Type"], call.headers["X-Own"], call.headers["X-Call"]) == ("text/plain", "a", "b")
    assert isinstance(call.retries, RefusalRetries)
    assert call.retries.max_retries == 5
    assert isinstance(call.new_reader(ResponseHead(200, {}, 0.0)), BytesReader)
    assert "Content-Type" not in call_of(program_of(model), Send("GET", "/batches"), KEY, CLOCK).headers
    assert KEY not in repr(call)


def steps() -> Operation[Any]:
    first = yield Send("GET", "/a")
    yield Wait(3)
    second = yield Send("GET", "/b", is_object=False)
    return first, second


async def test_steps_are_made_in_order(drive: Drive) -> None:
    server = Server(httpx.Response(200, json={"a": 1}), httpx.Response(200, content=b"bytes"))
    transport = httpx.MockTransport(server)

    async with httpx.AsyncClient(transport=transport) as other:
        with httpx.Client(transport=transport) as client:
            program = program_of(ChatKimi(api_key=KEY, http_client=client, http_async_client=other))
            if drive.is_async:
                result = await arun(steps(), program, drive.clock)
            else:
                result = run(steps(), program, drive.clock)

    assert result == ({"a": 1}, b"bytes")
    assert drive.slept == [3]
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
