"""Searches for a planted key in the texts, logs, traces, pickles and dumps of every kind of failure."""

import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumps

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.http.calls import Call
from langchain_kimi._openrouter.http.connection import Connection
from langchain_kimi._openrouter.reply.bodies import ErrorBodyReader
from langchain_kimi._openrouter.retries import Retries
from langchain_kimi.errors import KimiError, KimiUsageError
from langchain_kimi.testing import Emulator, RawReply, Reply, faults
from tests.conftest import KEY
from tests.faults.ways import WAYS, ask, model_of

HEADER, PASSWORD = "planted-header-value", "planted-proxy-password"
SECRETS = (KEY, HEADER, PASSWORD)
ECHO = RawReply(407, {"content-type": "text/html"}, f"<p>You sent Authorization: Bearer {KEY}</p>".encode())
WRONG = (
    Reply(text="All is well."), faults.unauthorized(), faults.bad_gateway(), faults.stream_error(), faults.silence(),
    faults.connection_cut(), faults.invalid_json(), faults.choices_null(), ECHO,
)  # fmt: skip


class Everything(BaseCallbackHandler):
    """Records all callbacks of LangChain."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def on_chat_model_start(self, *args: Any, **more: Any) -> None:
        self.events.append(f"{args} {more}")

    def on_llm_new_token(self, *args: Any, **more: Any) -> None:
        self.events.append(f"{args} {more}")

    def on_llm_end(self, *args: Any, **more: Any) -> None:
        self.events.append(f"{args} {more}")

    def on_llm_error(self, *args: Any, **more: Any) -> None:
        self.events.append(f"{args} {more}")

    def on_retry(self, *args: Any, **more: Any) -> None:
        self.events.append(f"{args} {more}")


def texts_of(error: BaseException) -> list[str]:
    """Return all texts of an error and its causes."""
    texts = [str(error), repr(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)]
    for source in (error.__cause__, error.__context__, *getattr(error, "attempts", ())):
        if source is not None:
            texts += texts_of(source)
    return texts


def found_in(*texts: str) -> list[str]:
    return [f"{secret} in {text[:200]}" for text in texts for secret in SECRETS if secret in text]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: getattr(wrong, "name", type(wrong).__name__))
def test_no_error_log_or_callback_shows_a_secret(wrong: Any, way: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    handler = Everything()
    with Emulator() as openrouter:
        openrouter.script(wrong, times=None)
        model = model_of(
            openrouter,
            default_headers={"X-Own": HEADER},
            timeout=0.1,
            max_retries=1,
            callbacks=[handler],
            verbose=False,
        )
        outcome = ask(model, way)
        assert openrouter.requests[0].sent_key(KEY)
        # The layers below httpx log too, so there is text to search.
        assert model.transport != "httpx" or "httpcore" in {record.name.partition(".")[0] for record in caplog.records}
        assert found_in(*(record.getMessage() for record in caplog.records), *handler.events) == []
        assert found_in(*(repr(vars(record)) for record in caplog.records)) == []
        assert found_in(repr(model), str(model), json.dumps(model.model_dump(), default=str), dumps(model)) == []
        assert found_in(pickle.dumps(model).decode("latin-1"), repr(outcome.shown)) == []
        if outcome.error:
            assert isinstance(outcome.error, KimiError)
            assert found_in(*texts_of(outcome.error), pickle.dumps(outcome.error).decode("latin-1")) == []
        model.close()


def test_no_error_shows_the_password_of_a_proxy() -> None:
    model = ChatKimi(api_key=KEY, proxy=f"http://me:{PASSWORD}@127.0.0.1:9", max_retries=0)
    error = ask(model, "invoke").error
    assert isinstance(error, KimiError)
    assert found_in(*texts_of(error), repr(model), dumps(model), pickle.dumps(model).decode("latin-1")) == []


def test_the_parts_of_a_call_do_not_show_the_key() -> None:
    # Crash reporters store the reprs of the local variables of each frame.
    call: Any = Call(
        Connection(), {"Authorization": f"Bearer {KEY}"}, b"{}", lambda opened: ErrorBodyReader(opened, {}), Retries()
    )
    assert found_in(repr(call), repr(Connection(proxy=f"http://me:{PASSWORD}@127.0.0.1:9"))) == []


EVIL = ("line\r\nX-Evil: 1", "line\nX-Evil: 1", "nul\x00", "a\u2028b", "\xe9")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("evil", EVIL)
def test_headers_cannot_be_injected(evil: str, way: str) -> None:
    with Emulator() as openrouter:
        for settings in ({"api_key": evil}, {"app_title": evil}, {"default_headers": {"X-Own": evil}}):
            with pytest.raises(ValueError, match="header"):
                model_of(openrouter, **settings)
        model = model_of(openrouter)
        for headers in ({"X-Own": evil}, {evil: "x"}):
            error = ask(model, way, extra_headers=headers).error
            assert isinstance(error, KimiUsageError)
        assert openrouter.requests == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["Transfer-Encoding", "content-length", "CONNECTION", "Upgrade"])
def test_headers_that_frame_a_request_are_refused(name: str, way: str) -> None:
    with Emulator() as openrouter:
        error = ask(model_of(openrouter), way, extra_headers={name: "5"}).error
        assert isinstance(error, KimiUsageError)
        assert name.lower() in str(error).lower()
        assert openrouter.requests == []


def depths_and_ways() -> Iterator[Any]:
    """Yield each depth in each way. Those that are not long are one plain and one streamed way of each depth."""
    for number, depth in enumerate((50, 400, 800, 940, 975, 4_000, 20_000)):
        quick = (("invoke", "astream"), ("ainvoke", "stream"))[number % 2]
        for way in WAYS:
            is_quick = way in quick and depth < 20_000
            yield pytest.param(depth, way, id=f"{depth}-{way}", marks=[] if is_quick else [pytest.mark.long])


@pytest.mark.parametrize(("depth", "way"), depths_and_ways())
def test_a_deeply_nested_error_is_reported(depth: int, way: str) -> None:
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    raw = json.dumps(deep.decode()).encode()
    bodies = (
        deep,
        b'{"error": {"code": 400, "message": "No.", "metadata": {"raw": ' + deep + b"}}}",
        b'{"error": {"code": 400, "message": "Provider returned error", "metadata": {"raw": ' + raw + b"}}}",
        b'{"error": ' + deep + b"}",
    )
    with Emulator() as openrouter, model_of(openrouter) as model:
        for status in (200, 400):
            for body in bodies:
                openrouter.script(RawReply(status, {"content-type": "application/json"}, body), times=1)
                error = ask(model, way, max_retries=0).error
                assert isinstance(error, KimiError)
                assert str(error)
