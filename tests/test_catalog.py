"""Each test runs with the sync and the async catalog."""

import inspect
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from pydantic import SecretStr

from langchain_kimi.catalog import AsyncCatalog, Catalog
from langchain_kimi.errors import (
    KimiAuthenticationError,
    KimiConnectionError,
    KimiError,
    KimiInvalidRequestError,
    KimiMalformedReplyError,
    KimiNotFoundError,
    KimiPermissionError,
    KimiRateLimitError,
    KimiServerError,
    KimiStatusError,
    KimiTimeoutError,
    KimiUsageError,
)

KEY = "sk-or-v1-planted"
URL = "https://router.example/api/v1/"


class Server:
    """A transport that returns each answer in turn, then repeats the last one, and records the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Ask:
    """Calls a method of a sync or async catalog, and records the sleeps."""

    def __init__(self, *, is_async: bool) -> None:
        self.is_async = is_async
        self.slept: list[float] = []

    async def __call__(
        self, server: Server, method: str, *arguments: str, key: str | None = KEY, **keywords: Any
    ) -> Any:
        secret = None if key is None else SecretStr(key)
        transport = httpx.MockTransport(server)
        if self.is_async:
            async with httpx.AsyncClient(transport=transport) as async_client:
                async_catalog = AsyncCatalog(async_client, secret, base_url=URL, sleep=self._sleep, now=lambda: 1000.0)
                return await getattr(async_catalog, method)(*arguments, **keywords)
        with httpx.Client(transport=transport) as client:
            catalog = Catalog(client, secret, base_url=URL, sleep=self.slept.append, now=lambda: 1000.0)
            return getattr(catalog, method)(*arguments, **keywords)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    return Ask(is_async=request.param == "async")


def data(value: object, **more: object) -> httpx.Response:
    return httpx.Response(200, json={"data": value, **more})


def refusal(status: int, message: str = "no") -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": status, "message": message}})


@pytest.mark.parametrize(
    ("method", "arguments", "url"),
    [
        ("endpoints", ("moonshotai/kimi-k2.6",), "/api/v1/models/moonshotai/kimi-k2.6/endpoints"),
        ("endpoints", ("moonshotai/kimi-k2:free",), "/api/v1/models/moonshotai/kimi-k2:free/endpoints"),
        ("endpoints", ("~moonshotai/kimi-latest",), "/api/v1/models/~moonshotai/kimi-latest/endpoints"),
        ("endpoints", ("moonshotai/k?x#y",), "/api/v1/models/moonshotai/k%3Fx%23y/endpoints"),
        ("key", (), "/api/v1/key"),
        ("credits", (), "/api/v1/credits"),
        ("generation", ("gen-1 2",), "/api/v1/generation?id=gen-1+2"),
    ],
)
async def test_a_method_requests_its_url_and_returns_the_data(
    ask: Ask, method: str, arguments: tuple[str, ...], url: str
) -> None:
    server = Server(data({"anything": [1, None], "new": "field"}))
    assert await ask(server, method, *arguments) == {"anything": [1, None], "new": "field"}
    (request,) = server.requests
    assert request.method == "GET"
    assert request.url.raw_path.decode().replace("%20", "+") == url
    assert request.headers["authorization"] == f"Bearer {KEY}"


async def test_models_are_returned_unchanged(ask: Ask) -> None:
    rows = [{"id": "moonshotai/kimi-k3", "pricing": {"prompt": "0.000003"}, "new_field": {}}]
    server = Server(data(rows))
    assert await ask(server, "models") == rows
    assert dict(server.requests[0].url.params) == {"limit": "1000"}


async def test_models_are_listed_without_a_key(ask: Ask) -> None:
    server = Server(data([]))
    assert await ask(server, "models", key=None) == []
    assert "authorization" not in server.requests[0].headers


async def test_models_are_listed_page_by_page_with_the_same_filters(ask: Ask) -> None:
    server = Server(
        data([{"id": "a"}, {"id": "b"}], total_count=3),
        data([{"id": "c"}], total_count=3),
    )
    assert await ask(server, "models", supported_parameters="tools") == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    assert [dict(request.url.params) for request in server.requests] == [
        {"supported_parameters": "tools", "limit": "1000"},
        {"supported_parameters": "tools", "limit": "1000", "offset": "2"},
    ]


async def test_an_empty_page_ends_the_list(ask: Ask) -> None:
    server = Server(data([{"id": "a"}], total_count=9), data([], total_count=9))
    assert await ask(server, "models") == [{"id": "a"}]
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, KimiInvalidRequestError),
        (401, KimiAuthenticationError),
        (403, KimiPermissionError),
        (404, KimiNotFoundError),
        (418, KimiStatusError),
        (429, KimiRateLimitError),
        (500, KimiServerError),
        (503, KimiServerError),
    ],
)
async def test_a_failing_status_raises_its_error(ask: Ask, status: int, kind: type[KimiError]) -> None:
    with pytest.raises(kind, match="not today") as caught:
        await ask(Server(refusal(status, "not today")), "key")
    assert caught.value.status == status
    assert caught.value.response is not None
    assert caught.value.response.json()["error"]["message"] == "not today"


async def test_a_retry_after_date_is_relative_to_now(ask: Ask) -> None:
    answer = httpx.Response(429, headers={"Retry-After": "Thu, 01 Jan 1970 00:17:10 GMT"}, text="slow down")
    with pytest.raises(KimiRateLimitError) as caught:
        await ask(Server(answer), "credits")
    assert caught.value.retry_after == 30.0


async def test_a_redirect_is_an_error(ask: Ask) -> None:
    with pytest.raises(KimiStatusError):
        await ask(Server(httpx.Response(302, headers={"location": "https://elsewhere.example"})), "key")


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("key", b"<html>Sign in to the Wi-Fi</html>"),
        ("key", b"[]"),
        ("key", b"{}"),
        ("key", b'{"data": null}'),
        ("key", b'{"data": []}'),
        ("models", b'{"data": {"id": "a"}}'),
        ("models", b"\xff\xfe"),
    ],
)
async def test_a_response_without_data_is_malformed(ask: Ask, method: str, body: bytes) -> None:
    with pytest.raises(KimiMalformedReplyError) as caught:
        await ask(Server(httpx.Response(200, content=body)), method)
    assert caught.value.response is not None
    assert caught.value.response.status_code == 200


async def test_a_missing_generation_is_requested_again(ask: Ask) -> None:
    server = Server(refusal(404), refusal(404), data({"id": "gen-1", "total_cost": 0.5}))
    assert await ask(server, "generation", "gen-1") == {"id": "gen-1", "total_cost": 0.5}
    assert ask.slept == [0.25, 0.5]
    assert {request.url.params["id"] for request in server.requests} == {"gen-1"}


@pytest.mark.parametrize(
    ("wait", "slept"),
    [(0, []), (0.1, [0.1]), (1, [0.25, 0.5, 0.25]), (5, [0.25, 0.5, 1.0, 2.0, 1.25])],
)
async def test_a_generation_that_stays_missing_is_an_error(ask: Ask, wait: float, slept: list[float]) -> None:
    server = Server(refusal(404, "Generation not found"))
    with pytest.raises(KimiNotFoundError, match="Generation not found"):
        await ask(server, "generation", "gen-1", wait=wait)
    assert ask.slept == slept
    assert len(server.requests) == len(slept) + 1


async def test_other_failures_are_not_retried(ask: Ask) -> None:
    server = Server(refusal(401))
    with pytest.raises(KimiAuthenticationError):
        await ask(server, "generation", "gen-1")
    assert ask.slept == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("slug", ["kimi-k2", "a/b/c", ""])
async def test_an_invalid_slug_is_refused_before_sending(ask: Ask, slug: str) -> None:
    server = Server(data({}))
    with pytest.raises(KimiUsageError, match="author/name"):
        await ask(server, "endpoints", slug)
    assert server.requests == []


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError("refused"), KimiConnectionError),
        (httpx.ReadError(""), KimiConnectionError),
        (httpx.DecodingError("bad gzip"), KimiConnectionError),
        (httpx.ReadTimeout("silence"), KimiTimeoutError),
        (httpx.ConnectTimeout("silence"), KimiTimeoutError),
    ],
)
async def test_httpx_exceptions_become_kimi_errors(ask: Ask, failure: httpx.HTTPError, kind: type[KimiError]) -> None:
    with pytest.raises(kind, match=type(failure).__name__) as caught:
        await ask(Server(failure), "key")
    assert type(caught.value) is kind
    assert caught.value.__cause__ is failure


@pytest.mark.parametrize(
    "answer",
    [lambda: refusal(401), lambda: httpx.ReadError("broken"), lambda: httpx.Response(200, text="no")],
    ids=["refused", "broken", "malformed"],
)
async def test_errors_do_not_contain_the_key(ask: Ask, answer: Callable[[], httpx.Response | Exception]) -> None:
    with pytest.raises(KimiError) as caught:
        await ask(Server(answer()), "key")
    assert KEY not in str(caught.value) + repr(caught.value) + json.dumps(vars(caught.value), default=repr)


@pytest.mark.parametrize("kind", [Catalog, AsyncCatalog])
@pytest.mark.parametrize("key", [KEY, SecretStr(KEY)])
def test_the_repr_does_not_contain_the_key(kind: type[Catalog | AsyncCatalog], key: str | SecretStr) -> None:
    client: Any = httpx.Client() if kind is Catalog else httpx.AsyncClient()
    catalog = kind(client, key)
    assert repr(catalog) == f"{kind.__name__}('https://openrouter.ai/api/v1')"
    assert KEY not in str(vars(catalog))


def test_the_client_never_contains_the_key() -> None:
    client = httpx.Client(transport=httpx.MockTransport(Server(data({}))))
    server = Server(data({}))
    Catalog(httpx.Client(transport=httpx.MockTransport(server)), KEY).key()
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    Catalog(client, SecretStr(KEY)).key()
    assert "authorization" not in client.headers


def test_both_catalogs_have_the_same_methods() -> None:
    def signatures(kind: type) -> dict[str, str]:
        return {
            name: str(inspect.signature(method))
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert signatures(Catalog) == signatures(AsyncCatalog)


def test_paths_are_quoted_once() -> None:
    server = Server(data({}))
    with httpx.Client(transport=httpx.MockTransport(server)) as client:
        Catalog(client).endpoints("moonshotai/käse")
    assert unquote(server.requests[0].url.raw_path.decode()) == "/api/v1/models/moonshotai/käse/endpoints"


@pytest.mark.parametrize("status", [400, 502])
def test_an_error_that_repeats_the_key_is_redacted(status: int) -> None:
    key = "planted-key-that-opens-nothing"
    server = Server(httpx.Response(status, text=f"<p>Bearer {key}</p>"))
    catalog = Catalog(httpx.Client(transport=httpx.MockTransport(server)), SecretStr(key))
    with pytest.raises(KimiError) as caught:
        catalog.models()
    assert key not in f"{caught.value} {vars(caught.value)}"
