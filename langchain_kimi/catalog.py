"""OpenRouter's other endpoints: which models and hosts there are, what a key may spend, what a call did cost."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypedDict
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from langchain_kimi._openrouter.errors import error_from_response, malformed
from langchain_kimi._openrouter.http.connection import BASE_URL
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.errors import KimiConnectionError, KimiNotFoundError, KimiTimeoutError, KimiUsageError, RawReply

PAGE = 1000
"""The most models that OpenRouter lists at once."""


class ModelPricing(TypedDict, total=False):
    """Prices as OpenRouter writes them: decimal strings, US dollars for a single token."""

    prompt: str
    completion: str
    input_cache_read: str
    input_cache_write: str


class ModelArchitecture(TypedDict, total=False):
    """The kinds of content that go in and come out: `text`, `image`, `video`, `audio`, `file`."""

    input_modalities: list[str]
    output_modalities: list[str]


class TopProvider(TypedDict, total=False):
    """The limits, in tokens, at the host that OpenRouter prefers."""

    context_length: int | None
    max_completion_tokens: int | None


class ModelReasoning(TypedDict, total=False):
    """How a model's thinking can be set; `supported_efforts` is None where every effort is accepted."""

    mandatory: bool
    supported_efforts: list[str] | None
    default_effort: str | None


class ListedModel(TypedDict, total=False):
    """A row of `GET /models`; more keys may come, and all are kept."""

    id: str
    canonical_slug: str
    alias_target: str | None
    name: str
    created: int
    """Seconds since the epoch."""
    context_length: int | None
    hugging_face_id: str | None
    architecture: ModelArchitecture
    pricing: ModelPricing
    top_provider: TopProvider
    supported_parameters: list[str]
    reasoning: ModelReasoning | None
    expiration_date: str | None


class _Reader:
    """What the sync and the async catalog share: everything but sending and waiting."""

    def __init__(self, api_key: SecretStr | None, base_url: str, now: Callable[[], float]) -> None:
        self.base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._now = now

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def _headers(self) -> dict[str, str]:
        """Make the headers of one request: the key goes with each, so that the client never holds it."""
        headers = {"accept": "application/json"}
        if self._api_key is not None:
            headers["authorization"] = f"Bearer {self._api_key.get_secret_value()}"
        return headers

    def _reply(self, response: httpx.Response, shape: type) -> JSONObject:
        """Read the reply's envelope, whose `data` is of the shape, an object or a list; raise the error it tells."""
        raw_reply = RawReply(response.status_code, dict(response.headers), response.text)
        if not response.is_success:
            raise error_from_response(response.status_code, raw_reply.headers, raw_reply.text, now=self._now())
        try:
            reply = response.json()
        except ValueError as error:
            raise malformed("The reply is not JSON.", raw_reply) from error
        if not isinstance(reply, dict) or not isinstance(reply.get("data"), shape):
            raise malformed("The reply does not hold the `data` that was asked for.", raw_reply)
        return reply


class Catalog(_Reader):
    """Asks OpenRouter about models, hosts, keys and past calls.

    All methods return the reply's `data` as it came and raise `KimiError`s: by status where the request was refused,
    `KimiConnectionError` where none came about, `KimiMalformedReplyError` where the reply has no `data`.

    Args:
        client: Sends the requests; its time limits count, and closing it is the caller's business.
        api_key: Sent with each request. Listing models and hosts works without one.
        base_url: Where the API lives.
        sleep: Waits the given seconds before another attempt.
        now: Tells the seconds since the epoch.
    """

    def __init__(
        self,
        client: httpx.Client,
        api_key: SecretStr | None = None,
        *,
        base_url: str = BASE_URL,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(api_key, base_url, now)
        self._client = client
        self._sleep = sleep

    def models(self, **filters: str) -> list[ListedModel]:
        """List all models, page by page; `filters` are OpenRouter's own, such as `supported_parameters="tools"`."""
        models: list[ListedModel] = []
        more = True
        while more:
            more = _add_page(models, self._fetch("/models", _page_query(models, filters), list))
        return models

    def endpoints(self, slug: str) -> JSONObject:
        """Tell the hosts of a model: their limits, prices, health. The slug is `author/name`."""
        return self._get(_endpoints_path(slug))

    def key(self) -> JSONObject:
        """Tell what the key may spend and has spent."""
        return self._get("/key")

    def credits(self) -> JSONObject:
        """Tell what the account has bought and used; needs a management key."""
        return self._get("/credits")

    def generation(self, generation_id: str, *, wait: float = 5.0) -> JSONObject:
        """Look up one call by its `gen-…` id, of an interrupted stream too.

        OpenRouter commonly knows a call only a moment after it ended, so a 404 is tried again for up to `wait` seconds.
        """
        query = {"id": generation_id}
        for delay in _delays(wait):
            try:
                return self._get("/generation", query)
            except KimiNotFoundError:
                self._sleep(delay)
        return self._get("/generation", query)

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> JSONObject:
        data: JSONObject = self._fetch(path, query, dict)["data"]
        return data

    def _fetch(self, path: str, query: Mapping[str, str] | None, shape: type) -> JSONObject:
        with _httpx_errors_as_ours():
            response = self._client.get(self.base_url + path, params=query, headers=self._headers())
        return self._reply(response, shape)


class AsyncCatalog(_Reader):
    """Asks OpenRouter about models, hosts, keys and past calls, without blocking; see `Catalog`."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        api_key: SecretStr | None = None,
        *,
        base_url: str = BASE_URL,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(api_key, base_url, now)
        self._client = client
        self._sleep = sleep

    async def models(self, **filters: str) -> list[ListedModel]:
        """List all models, page by page; see `Catalog.models`."""
        models: list[ListedModel] = []
        more = True
        while more:
            more = _add_page(models, await self._fetch("/models", _page_query(models, filters), list))
        return models

    async def endpoints(self, slug: str) -> JSONObject:
        """Tell the hosts of a model: their limits, prices, health. The slug is `author/name`."""
        return await self._get(_endpoints_path(slug))

    async def key(self) -> JSONObject:
        """Tell what the key may spend and has spent."""
        return await self._get("/key")

    async def credits(self) -> JSONObject:
        """Tell what the account has bought and used; needs a management key."""
        return await self._get("/credits")

    async def generation(self, generation_id: str, *, wait: float = 5.0) -> JSONObject:
        """Look up one call by its `gen-…` id; see `Catalog.generation`."""
        query = {"id": generation_id}
        for delay in _delays(wait):
            try:
                return await self._get("/generation", query)
            except KimiNotFoundError:
                await self._sleep(delay)
        return await self._get("/generation", query)

    async def _get(self, path: str, query: Mapping[str, str] | None = None) -> JSONObject:
        data: JSONObject = (await self._fetch(path, query, dict))["data"]
        return data

    async def _fetch(self, path: str, query: Mapping[str, str] | None, shape: type) -> JSONObject:
        with _httpx_errors_as_ours():
            response = await self._client.get(self.base_url + path, params=query, headers=self._headers())
        return self._reply(response, shape)


def _page_query(models: list[ListedModel], filters: Mapping[str, str]) -> dict[str, str]:
    return {**filters, "limit": str(PAGE), **({"offset": str(len(models))} if models else {})}


def _add_page(models: list[ListedModel], reply: JSONObject) -> bool:
    """Add a page's rows to `models` and tell whether there are more."""
    rows, total = reply["data"], reply.get("total_count")
    models.extend(rows)
    # Older servers send no total and ignore the offset: then the first page is all.
    return bool(rows) and isinstance(total, int) and len(models) < total


def _endpoints_path(slug: str) -> str:
    if slug.count("/") != 1:
        raise KimiUsageError(f"{slug!r} is not a slug of the form author/name.")
    return f"/models/{quote(slug, safe='/~:')}/endpoints"


def _delays(wait: float) -> Iterator[float]:
    """Yield the seconds to wait between attempts, doubling, until `wait` is used up."""
    delay = 0.25
    while wait > 0:
        yield min(delay, wait)
        wait -= delay
        delay *= 2


@contextmanager
def _httpx_errors_as_ours() -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        raise KimiTimeoutError(f"OpenRouter did not answer in time: {_named(error)}") from error
    except httpx.HTTPError as error:
        raise KimiConnectionError(f"No reply came from OpenRouter: {_named(error)}") from error


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
