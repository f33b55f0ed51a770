"""Plants six secrets in calls, lets servers repeat them, and searches all that the package writes or raises.

The secrets are the key, a header's value, the password of a proxy, a key in a URL, a key of another service and the id
of an organization.
"""

import base64
import json
import logging
import pickle
import ssl
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.load import dumps

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.error_messages import MAX_MESSAGE
from langchain_kimi._openrouter.reply.bodies import MAX_ERROR_BYTES
from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, Fault, RawReply, Reply, faults
from langchain_kimi.testing.faults import CONNECTIONS, HOSTILE, HostileConnection, listening
from langchain_kimi.testing.http1 import Response
from langchain_kimi.testing.responses import dump, raw_response
from tests.conftest import KEY
from tests.faults import replies, statuses, streams, transfers
from tests.faults.cases import ANSWER, Case
from tests.faults.relay import certificate
from tests.faults.test_secrets import Everything, texts_of
from tests.faults.ways import WAYS, ask, model_of

HEADER = "planted-header-value"
PASSWORD = "planted-proxy-password"
IN_URL = "planted-key-in-the-url"
OTHER = "gsk_" + "planted0" * 4
ORGANIZATION = "org_" + "Planted0" * 3
SENT = (KEY, HEADER)
SECRETS = (*SENT, PASSWORD, IN_URL, OTHER, ORGANIZATION)
ECHO = (
    f"Bearer {KEY}, {HEADER}, http://me:{PASSWORD}@proxy, /v1?api_key={IN_URL}, {OTHER} of {ORGANIZATION}: {PASSWORD}"
)
HEADERS = {"x-echo": ECHO, "x-generation-id": "gen-1"}
ERROR = {"message": ECHO, "code": 502, "metadata": {"raw": json.dumps({"error": {"message": ECHO}}), ECHO: ECHO}}
CASES = (*statuses.CASES, *replies.CASES, *streams.CASES, *transfers.CASES)


def echo(status: int, body: bytes, kind: str = "application/json") -> Fault:
    return Fault(
        f"{status} {kind} {body[:20]!r}",
        lambda _: raw_response(RawReply(status, {**HEADERS, "content-type": kind}, body)),
    )


def chunk(text: str, **more: Any) -> bytes:
    return b"data: %b\n\n" % dump(
        {"id": "gen-1", "provider": "x", "choices": [{"index": 0, "delta": {"content": text}, **more}]}
    )


ECHOES = (
    echo(200, dump({"error": ERROR})),
    echo(200, f"<p>{ECHO}</p>".encode(), "text/html"),
    echo(200, dump({"choices": [{"message": ECHO}]})),
    echo(200, b"data: %b\n\n" % ECHO.encode(), "text/event-stream"),
    echo(200, chunk("one") + b"data: %b\n\n" % dump({"error": ERROR, "user_id": ORGANIZATION}), "text/event-stream"),
    echo(200, b"event: error\ndata: %b\n\n" % ECHO.encode(), "text/event-stream"),
    # The model itself repeats the secrets of the call, and then the stream breaks.
    echo(200, chunk(f"{KEY} {HEADER} {PASSWORD}"), "text/event-stream"),
    echo(407, ECHO.encode(), "text/plain"),
    echo(400, dump({"error": ERROR, "user_id": ORGANIZATION})),
    echo(429, dump({"error": {**ERROR, "code": 429}})),
    echo(302, b""),
    Fault("encoded", lambda _: Response(200, {**HEADERS, "content-encoding": "snappy"}, (b"x",), chunked=False)),
)


class WithoutTokens(Everything):
    """Records all callbacks but those with the words of the model."""

    def on_llm_new_token(self, *args: Any, **more: Any) -> None:
        """Record nothing."""

    def on_llm_error(self, *args: Any, **_: Any) -> None:
        """Record the error without the chunks before it."""
        self.events.append(str(args))


def searched(
    openrouter: Emulator, way: str, monkeypatch: pytest.MonkeyPatch, caplog: Any, **settings: Any
) -> list[str]:
    """Make a call with all secrets, and return the texts that the package wrote or raised."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@127.0.0.1:9")
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    handler = WithoutTokens()
    model = model_of(
        openrouter,
        default_headers={"X-Own": HEADER},
        callbacks=[handler],
        **{"max_retries": 1, **settings},
    )
    outcome = ask(model, way)
    texts = [*(record.getMessage() for record in caplog.records), *(repr(vars(record)) for record in caplog.records)]
    texts += [repr(model), str(model), dumps(model), pickle.dumps(model).decode("latin-1")]
    texts += handler.events
    if outcome.error is not None:
        assert isinstance(outcome.error, KimiError)
        texts += [*texts_of(outcome.error), pickle.dumps(outcome.error).decode("latin-1"), repr(outcome.error.partial)]
    model.close()
    return texts


def found_in(texts: list[str], secrets: tuple[str, ...] = SECRETS) -> list[str]:
    return [
        f"{secret} in {text[max(0, text.index(secret) - 200) :][:300]}"
        for text in texts
        for secret in secrets
        if secret in text
    ]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", ECHOES, ids=lambda fault: fault.name)
def test_secrets_that_a_server_repeats_are_shown_nowhere(
    openrouter: Emulator, fault: Fault, way: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    openrouter.script(fault, times=None)
    assert found_in(searched(openrouter, way, monkeypatch, caplog)) == []
    assert openrouter.requests[0].sent_key(KEY)


def planted(case: Case) -> Iterator[Any]:
    number = CASES.index(case)
    for way in WAYS:
        # Every other case, in one way.
        is_quick = number % 2 == 0 and way == [*WAYS][number // 2 % 4] and not case.is_slow
        yield pytest.param(case, way, id=f"{case.what}-{way}", marks=[] if is_quick else [pytest.mark.long])


@pytest.mark.parametrize(("case", "way"), [row for case in CASES for row in planted(case)])
def test_no_failure_of_the_table_shows_a_secret(
    openrouter: Emulator, case: Case, way: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    *first, last = case.script
    openrouter.behave(**case.behavior)
    openrouter.script(*first)
    openrouter.script(last, times=None)
    settings = {**case.settings, "max_retries": 0}
    assert found_in(searched(openrouter, way, monkeypatch, caplog, **settings)) == []


@pytest.mark.parametrize("name", [name for name, fault in HOSTILE.items() if fault.client != "stops"][::8])
def test_no_hostile_reply_shows_a_secret(
    openrouter: Emulator, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fault = HOSTILE[name].on(ANSWER)
    openrouter.script(fault, times=None)
    for way in ("invoke", "astream"):
        assert found_in(searched(openrouter, way, monkeypatch, caplog, max_retries=0)) == []


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"))


def hostile_connections() -> Iterator[Any]:
    for number, hostile in enumerate(CONNECTIONS.values()):
        for way in WAYS:
            # Those that repeat the request are likelier to show a secret.
            is_quick = way == [*WAYS][number % 4] and (hostile.name.startswith("repeats") or number % 4 == 0)
            marks = [] if is_quick and hostile.client != "stops" else [pytest.mark.long]
            yield pytest.param(hostile, way, id=f"{hostile.name}-{way}", marks=marks)


@pytest.mark.parametrize(("hostile", "way"), list(hostile_connections()))
def test_no_hostile_connection_shows_a_secret(  # noqa: PLR0913 - the table's columns and fixtures
    openrouter: Emulator,
    certified: tuple[Path, ssl.SSLContext],
    *,
    hostile: HostileConnection,
    way: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file, context = certified
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with listening(hostile, context if hostile.tls == "served" else None) as port:
        settings: dict[str, Any] = {
            "base_url": f"{'http' if hostile.tls == 'none' else 'https'}://127.0.0.1:{port}/v1",
            "verify": str(file) if hostile.tls == "served" else True,
            "timeout": {"connect": 0.4, "idle": 0.4, "total": 1.0} if hostile.client == "stops" else 60.0,
            "max_retries": 0,
        }
        assert found_in(searched(openrouter, way, monkeypatch, caplog, **settings)) == []


def in_other_forms(text: str) -> Iterator[bytes]:
    """Yield bodies that contain a text encoded, wrapped or truncated."""
    for form in (
        base64.b64encode(f"user:{text}".encode()).decode(),
        "".join(f"%{byte:02X}" for byte in text.encode()),
        text.replace("-", "&#45;"),
        f"{text[:12]}\n{text[12:]}",
        f"{text[:12]}<wbr>{text[12:]}",
        "x" * (MAX_MESSAGE - 14) + text,
    ):
        yield dump({"error": {"message": form, "code": 502}})
    yield ("x" * 60 + text).encode()
    yield ("x" * (MAX_ERROR_BYTES - 14) + text).encode()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("every", [6, pytest.param(1, marks=pytest.mark.long)], ids=["some", "all"])
def test_secrets_in_other_forms_are_shown_nowhere(
    openrouter: Emulator, way: str, every: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [(secret, status, body) for secret in SENT for body in in_other_forms(secret) for status in (200, 400)]
    for secret, status, body in rows[[*WAYS].index(way) % every :: every]:
        sent = b"data: %b\n\n" % body if way.endswith("stream") and status == 200 else body
        openrouter.script(echo(status, sent))
        texts = searched(openrouter, way, monkeypatch, caplog, max_retries=0)
        encoded = base64.b64encode(f"user:{secret}".encode()).decode()[8:24]
        parts = (secret[:10], secret[-10:], encoded, f"%{ord(secret[0]):02X}%", "&#45;")
        assert found_in(texts, parts) == []


@pytest.mark.parametrize("way", WAYS)
def test_no_frame_of_a_traceback_shows_a_secret(openrouter: Emulator, way: str) -> None:
    for transport in ("httpx", "httptools", "aiohttp"):
        settings: dict[str, Any] = {"transport": transport, "max_retries": 0, "default_headers": {"X-Own": HEADER}}
        for fault in (*ECHOES[:2], ECHOES[4], faults.unanswered(reset=True)):
            openrouter.script(fault)
            with model_of(openrouter, **settings) as model:
                error = ask(model, way).error
            assert error is not None
            lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
            shown = [line for line in lines if "langchain_kimi" in line or "httpcore" in line]
            assert shown
            assert found_in(shown, (*SENT, IN_URL)) == []


def test_the_attributes_of_a_model_show_no_secret() -> None:
    proxy = f"http://me:{PASSWORD}@127.0.0.1:9"
    model = ChatKimi(api_key=KEY, proxy=proxy, default_headers={"X-Own": HEADER})
    assert found_in([repr(vars(model)), repr(vars(model.model_copy(deep=True)))]) == []
    assert (model.proxy, model.default_headers) == (proxy, {"X-Own": HEADER})


def test_the_answer_itself_is_unchanged(openrouter: Emulator) -> None:
    openrouter.script(Reply(text=f"The key is {KEY}."))
    outcome = ask(model_of(openrouter), "invoke")
    assert outcome.message is not None
    assert outcome.message.text == f"The key is {KEY}."
