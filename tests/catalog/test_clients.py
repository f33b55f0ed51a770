"""Each test runs with the sync and the async catalog."""

import inspect
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from langchain_kimi import AsyncCatalog, Catalog, ChatKimi
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
    KimiUnexpectedStatusError,
)
from langchain_kimi.testing import Emulator
from tests.catalog.serving import KEY, URL, Ask, Server, data, refusal

MODEL = {"id": "moonshotai/kimi-k2.6", "new": "field"}


@pytest.mark.parametrize(
    ("method", "arguments", "url", "row"),
    [
        ("endpoints", ("moonshotai/kimi-k2.6",), "/api/v1/models/moonshotai/kimi-k2.6/endpoints", MODEL),
        ("endpoints", ("moonshotai/kimi-k2:free",), "/api/v1/models/moonshotai/kimi-k2:free/endpoints", MODEL),
        ("endpoints", ("moonshotai/k?x#y",), "/api/v1/models/moonshotai/k%3Fx%23y/endpoints", MODEL),
        ("key", (), "/api/v1/key", {"limit": 1.0}),
        ("credits", (), "/api/v1/credits", {"total_credits": 2.0}),
        ("generation", ("gen-1 2",), "/api/v1/generation?id=gen-1+2", {"id": "gen-1 2"}),
        ("models", (), "/api/v1/models?limit=1000", [MODEL]),
        ("user_models", (), "/api/v1/models/user?limit=1000", [MODEL]),
        ("providers", (), "/api/v1/providers", [{"name": "Novita", "slug": "novita"}]),
        ("zdr_endpoints", (), "/api/v1/endpoints/zdr", [{"tag": "novita"}]),
        ("activity", (), "/api/v1/activity", [{"date": "2026-11-27"}]),
        ("activity", ("2026-11-27",), "/api/v1/activity?date=2026-11-27", [{"date": "2026-11-27"}]),
    ],
)
async def test_a_method_requests_its_url_and_returns_its_result(
    ask: Ask, method: str, arguments: tuple[str, ...], url: str, row: Any
) -> None:
    server = Server(data(row))
    result = await ask(server, method, *arguments)
    rows = result if isinstance(result, list) else [result]
    assert [one.model_dump(exclude_unset=True, mode="json") for one in rows] == (
        row if isinstance(row, list) else [row]
    )
    (request,) = server.requests
    assert request.method == "GET"
    assert request.url.raw_path.decode() == url
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert "content-type" not in request.headers
    assert "content-length" not in request.headers


async def test_models_are_listed_without_a_key(ask: Ask) -> None:
    server = Server(data([]))
    assert await ask(server, "models", key=None) == []
    assert "authorization" not in server.requests[0].headers


async def test_a_function_returns_the_key(ask: Ask) -> None:
    server = Server(data([]))
    await ask(server, "models", key=lambda: "fresh-key")
    assert server.requests[0].headers["authorization"] == "Bearer fresh-key"


def test_the_key_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "of-the-environment")
    server = Server(data({}))
    with httpx.Client(transport=httpx.MockTransport(server)) as client:
        Catalog(http_client=client).key()
    assert server.requests[0].headers["authorization"] == "Bearer of-the-environment"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, KimiInvalidRequestError),
        (401, KimiAuthenticationError),
        (403, KimiPermissionError),
        (404, KimiNotFoundError),
        (418, KimiUnexpectedStatusError),
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


async def test_a_failed_request_is_retried_like_a_call(ask: Ask) -> None:
    busy = httpx.Response(429, headers={"retry-after": "0"}, text="slow down")
    server = Server(busy, refusal(502), data({"limit": 3}))
    assert (await ask(server, "key", max_retries=2)).limit == 3
    assert (len(server.requests), len(ask.slept)) == (3, 2)


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
    [("key", b"<html>Sign in to the Wi-Fi</html>"), ("key", b"[]"), ("key", b'{"data": []}'), ("models", b"\xff\xfe")],
)
async def test_a_response_without_data_is_malformed(ask: Ask, method: str, body: bytes) -> None:
    with pytest.raises(KimiMalformedReplyError) as caught:
        await ask(Server(httpx.Response(200, content=body)), method)
    assert caught.value.response is not None


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError("refused"), KimiConnectionError),
        (httpx.ReadError(""), KimiConnectionError),
        (httpx.ReadTimeout("silence"), KimiTimeoutError),
        (httpx.ConnectTimeout("silence"), KimiTimeoutError),
    ],
)
async def test_httpx_exceptions_become_kimi_errors(ask: Ask, failure: httpx.HTTPError, kind: type[KimiError]) -> None:
    with pytest.raises(kind) as caught:
        await ask(Server(failure), "key")
    assert type(caught.value) is kind
    assert caught.value.__cause__ is failure


@pytest.mark.parametrize(
    "answer",
    [
        lambda: refusal(401, f"Bearer {KEY}"),
        lambda: httpx.ReadError("broken"),
        lambda: httpx.Response(502, text=f"<p>Bearer {KEY}</p>"),
    ],
    ids=["refused", "broken", "repeated"],
)
async def test_errors_do_not_contain_the_key(ask: Ask, answer: Callable[[], httpx.Response | Exception]) -> None:
    with pytest.raises(KimiError) as caught:
        await ask(Server(answer()), "key")
    assert KEY not in str(caught.value) + repr(caught.value) + json.dumps(vars(caught.value), default=repr)


@pytest.mark.parametrize("kind", [Catalog, AsyncCatalog])
@pytest.mark.parametrize("key", [KEY, SecretStr(KEY)])
def test_the_repr_does_not_contain_the_key(kind: type[Catalog | AsyncCatalog], key: str | SecretStr) -> None:
    catalog = kind(key, base_url=URL)
    assert repr(catalog) == f"{kind.__name__}('{URL.rstrip('/')}')"
    assert KEY not in str(vars(catalog))


def test_both_catalogs_have_the_same_methods() -> None:
    def signatures(kind: type) -> dict[str, str]:
        return {
            name: str(inspect.signature(method))
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert signatures(Catalog) == signatures(AsyncCatalog)


async def test_a_model_has_the_catalogs_of_its_server(openrouter: Emulator, model: ChatKimi) -> None:
    models = model.catalog().models(supported_parameters=["tools"], max_price=1.0)
    assert [one.id for one in await model.acatalog().models()][:2] == [one.id for one in models][:2]
    assert "moonshotai/kimi-k3" not in [one.id for one in models]
    assert model.catalog().base_url == openrouter.base_url
    assert openrouter.requests[0].sent_key("planted-key-that-opens-nothing")


async def test_the_cost_of_a_call_is_found_by_its_id(model: ChatKimi) -> None:
    reply = model.invoke("Hello.")
    record = model.catalog().generation(reply.response_metadata["id"])
    assert record.total_cost == reply.response_metadata["cost"]
    assert record.model in [one.model for one in model.catalog().activity()]


def test_a_model_sends_its_own_headers_and_uses_its_client() -> None:
    server = Server(data({}))
    with httpx.Client(transport=httpx.MockTransport(server)) as client:
        model = ChatKimi(api_key=KEY, base_url=URL, http_client=client, app_title="Mine", default_headers={"x-a": "b"})
        model.catalog().key()
    sent = server.requests[0].headers
    assert (sent["x-openrouter-title"], sent["x-a"], sent["authorization"]) == ("Mine", "b", f"Bearer {KEY}")
