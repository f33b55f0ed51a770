"""Secrets that a server repeats appear in no text, log, trace or pickle of the error."""

import json
import logging
import pickle
import traceback
from typing import Any

import httpx
import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, RawReply
from tests.chat.asking import WAYS, Tracer, Way, ask
from tests.conftest import KEY

TENANT = "tenant-secret-0123456789"
OTHER_KEY = "sk-ant-api03-planted0123456789"
ECHO = f"Bearer {KEY} {TENANT} {OTHER_KEY}"
ERROR = {"code": 400, "message": f"Denied: {ECHO}", "metadata": {"raw": ECHO, ECHO: [ECHO]}}


def page(status: int, content_type: str, body: str, **headers: str) -> RawReply:
    return RawReply(status=status, headers={"content-type": content_type, **headers}, body=body.encode())


REPLIES = {
    "an error status": page(400, "application/json", json.dumps({"error": ERROR})),
    "an error inside a 200": page(200, "application/json", json.dumps({"error": ERROR})),
    "an error in a stream": page(
        200,
        "text/event-stream",
        'data: {"choices": [{"delta": {"content": "Hel"}}]}\n\ndata: ' + json.dumps({"error": ERROR}) + "\n\n",
    ),
    "a page with status 200": page(200, "text/html", f"<html>{ECHO}</html>"),
    "a page with an error status": page(502, "text/html", f"<html>{ECHO}</html>", **{"x-echo": TENANT}),
}


def texts_of(error: KimiError) -> list[str]:
    return [
        str(error),
        repr(error),
        repr(error.args),
        repr(vars(error)),
        "".join(traceback.format_exception(error)),
        repr(vars(pickle.loads(pickle.dumps(error)))),  # noqa: S301 - our own pickle
        *(repr(vars(cause)) for cause in (error.__cause__, error.__context__) if cause is not None),
    ]


@pytest.mark.waits
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES.keys())
async def test_repeated_secrets_are_removed(
    openrouter: Emulator, reply: RawReply, way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    openrouter.script(reply, reply)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=1, default_headers={"X-Tenant": TENANT})
    tracer = Tracer()
    with pytest.raises(KimiError) as caught:
        await ask(model, way, "hi", {"callbacks": [tracer]})
    runs = [json.dumps(run.error) for run in tracer.runs]
    texts = [*texts_of(caught.value), caplog.text, *runs]
    assert [text for text in texts for secret in (KEY, TENANT, OTHER_KEY) if secret in text] == []


@pytest.mark.parametrize("way", WAYS)
async def test_the_request_of_a_users_own_client_contains_no_key(openrouter: Emulator, way: Way) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"broken {request.headers['authorization']}", request=request)

    transport = httpx.MockTransport(fail)
    clients: dict[str, Any] = {
        "http_client": httpx.Client(transport=transport),
        "http_async_client": httpx.AsyncClient(transport=transport),
    }
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0, **clients)
    with pytest.raises(KimiError) as caught:
        await ask(model, way)
    cause: Any = caught.value.__cause__
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in repr(cause.request.headers.raw)


FORGED = "line\nFAKE ERROR root: \x1b[31mred\x00\u202eback " + "x" * 100_000


@pytest.mark.parametrize("way", WAYS)
async def test_an_upstream_message_is_one_printable_short_line(
    openrouter: Emulator, model: ChatKimi, way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    error = {"code": 502, "message": FORGED, "metadata": {"provider_name": "P" * 100_000}}
    reply = page(502, "application/json", json.dumps({"error": error}))
    openrouter.script(reply, reply)
    with pytest.raises(KimiError) as caught:
        await ask(model, way, max_retries=1)
    for text in (str(caught.value), repr(caught.value), *(record.getMessage() for record in caplog.records)):
        assert text.isprintable()
        assert len(text) < 5000
    assert caught.value.response is not None
    assert caught.value.response.json()["error"]["message"] == FORGED
