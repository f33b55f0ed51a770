"""Keys from the environment, the constructor and functions, in every way of calling."""

import copy
import json
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest
from langchain_core.load import dumps
from pydantic import SecretStr, ValidationError

from langchain_kimi import ChatKimi
from langchain_kimi._keys import aresolve, is_key, key_of_environment, plain_key, resolve
from langchain_kimi._openrouter.host import COMPATIBLE, OPENROUTER
from langchain_kimi.errors import KimiAuthenticationError, KimiUsageError
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask
from tests.conftest import KEY

ASYNC_WAYS = [way for way in WAYS if way.startswith("a")]
SYNC_WAYS = [way for way in WAYS if not way.startswith("a")]


def sync_key() -> str:
    return KEY


async def async_key() -> str:
    return KEY


class Recorder(BaseHTTPRequestHandler):
    """A server that records the keys of requests; the emulator does not show them."""

    keys: ClassVar[list[str | None]] = []

    def do_POST(self) -> None:
        self.keys.append(self.headers["Authorization"])
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = "delta" if body.get("stream") else "message"
        choice = {"index": 0, "finish_reason": "stop", name: {"role": "assistant", "content": "Hello."}}
        content = json.dumps({"id": "1", "model": "m", "choices": [choice]})
        if body.get("stream"):
            content = f"data: {content}\n\ndata: [DONE]\n\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if body.get("stream") else "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def recorder() -> Iterator[str]:
    Recorder.keys.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/v1"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("key", [KEY, f" {KEY}\n", f"\t{KEY}\r\n", SecretStr(f"{KEY}\n")], ids=repr)
async def test_white_space_around_a_key_is_not_sent(recorder: str, way: Way, key: Any) -> None:
    await ask(ChatKimi(api_key=key, base_url=recorder), way)
    assert set(Recorder.keys) == {f"Bearer {KEY}"}


@pytest.mark.parametrize(
    "arguments", [{}, {"api_key": None}, {"api_key": ""}, {"api_key": " \n"}, {"api_key": SecretStr("")}]
)
def test_without_a_key_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any]) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", f"{KEY}\r\n")
    assert plain_key(ChatKimi(**arguments).openrouter_api_key) == KEY


@pytest.mark.parametrize("arguments", [{}, {"base_url": None}, {"base_url": ""}])
def test_without_a_base_url_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any]) -> None:
    monkeypatch.setenv("OPENROUTER_API_BASE", " https://eu.openrouter.ai/api/v1\n")
    assert ChatKimi(api_key=KEY, **arguments).openrouter_api_base == "https://eu.openrouter.ai/api/v1"


@pytest.mark.parametrize("way", WAYS)
async def test_a_function_returns_the_key_of_each_call(recorder: str, way: Way) -> None:
    keys = iter(["first-key", SecretStr(" second-key\n")])
    model = ChatKimi(api_key=lambda: next(keys), base_url=recorder)
    await ask(model, way)
    await ask(model, way)
    assert Recorder.keys == [
        "Bearer first-key",
        "Bearer second-key",
    ]


@pytest.mark.parametrize("way", ASYNC_WAYS)
async def test_an_async_function_serves_async_calls(recorder: str, way: Way) -> None:
    await ask(ChatKimi(api_key=async_key, base_url=recorder), way)
    await ask(ChatKimi(api_key=partial(async_key), base_url=recorder), way)
    assert set(Recorder.keys) == {f"Bearer {KEY}"}


@pytest.mark.parametrize("way", SYNC_WAYS)
async def test_an_async_function_is_refused_in_sync_calls(openrouter: Emulator, way: Way) -> None:
    with pytest.raises(KimiUsageError, match="async function"):
        await ask(ChatKimi(api_key=async_key, base_url=openrouter.base_url), way)
    assert openrouter.requests == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("returned", "kind", "error"),
    [
        (None, KimiUsageError, "returned NoneType instead of a text"),
        (7, KimiUsageError, "returned int"),
        ("line\nbreak", KimiUsageError, "api_key must be printable ASCII"),
        ("", KimiAuthenticationError, "There is no key"),
    ],
)
async def test_a_function_that_returns_no_key(
    openrouter: Emulator, way: Way, returned: Any, kind: type[Exception], error: str
) -> None:
    with pytest.raises(kind, match=error):
        await ask(ChatKimi(api_key=lambda: returned, base_url=openrouter.base_url), way)
    assert openrouter.requests == []


def test_a_function_is_neither_shown_nor_dumped_nor_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "other-key")
    model = ChatKimi(api_key=sync_key)
    assert "sync_key" not in repr(model) + dumps(model) + model.model_dump_json(exclude={"openrouter_api_key"})
    assert copy.deepcopy(model).openrouter_api_key is sync_key
    assert model.model_copy().openrouter_api_key is sync_key
    loaded = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    assert plain_key(loaded.openrouter_api_key) == "other-key"


@pytest.mark.parametrize("key", [7, ["key"], b"key"])
def test_other_kinds_of_keys_are_refused(key: Any) -> None:
    with pytest.raises(ValidationError, match="api_key must be a text, a SecretStr, or a function"):
        ChatKimi(api_key=key)


@pytest.mark.parametrize("function", [resolve, aresolve])
async def test_hosts_that_need_no_key(function: Callable[..., Any]) -> None:
    result = function(None, COMPATIBLE)
    assert (result if isinstance(result, str) else await result) == ""
    with pytest.raises(KimiAuthenticationError, match="OPENROUTER_API_KEY"):
        await function(None, OPENROUTER)


def test_the_environment_may_have_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert key_of_environment(None) is None
    monkeypatch.setenv("A_KEY", " ")
    assert key_of_environment("A_KEY") is None


@pytest.mark.parametrize("name", ["api_key", "openai_api_key", "openrouter_api_key", "base_url"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_key_is_not_sent_as_a_parameter(openrouter: Emulator, way: Way, name: str) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url)
    with pytest.raises(KimiUsageError, match=f"{name} is not a parameter"):
        await ask(model.bind(**{name: "planted"}), way)
    assert openrouter.requests == []
    await ask(model.bind(**{name: None}), way)
    assert name not in openrouter.bodies[0]


def test_names_of_keys() -> None:
    assert all(map(is_key, ("api_key", "openai_api_key", "OPENAI_API_KEY", "access_token")))
    assert not any(map(is_key, ("prompt_cache_key", "max_tokens", "session_id", "top_k")))
