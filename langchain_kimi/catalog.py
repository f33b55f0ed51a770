"""OpenRouter's other endpoints: models, their providers, API keys, credits and the cost of past calls.

See https://openrouter.ai/docs/api-reference for the fields of the responses.
"""

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
from langchain_kimi._openrouter.redaction import Redactor, secrets_of
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.errors import KimiConnectionError, KimiNotFoundError, KimiTimeoutError, KimiUsageError, RawReply

PAGE = 1000
"""The largest page of models that OpenRouter returns."""


class ModelPricing(TypedDict, total=False):
    """Prices as decimal strings, in US dollars per token."""

    prompt: str
    completion: str
    input_cache_read: str
    input_cache_write: str


class ModelArchitecture(TypedDict, total=False):
    """Content types of the input and the output: `text`, `image`, `video`, `audio`, `file`."""

    input_modalities: list[str]
    output_modalities: list[str]


class TopProvider(TypedDict, total=False):
    """The limits of the provider that OpenRouter prefers, in tokens."""

    context_length: int | None
    max_completion_tokens: int | None


class ModelReasoning(TypedDict, total=False):
    """The reasoning settings of a model. `supported_efforts` is None when every effort is accepted."""

    mandatory: bool
    supported_efforts: list[str] | None
    default_effort: str | None


class ListedModel(TypedDict, total=False):
    """A model of `GET /models`. Further keys of the response are kept."""

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
    """The shared part of `Catalog` and `AsyncCatalog`: everything except I/O and sleep."""

    def __init__(self, api_key: SecretStr | str | None, base_url: str, now: Callable[[], float]) -> None:
        self.base_url = base_url.rstrip("/")
        self._api_key = SecretStr(api_key) if isinstance(api_key, str) else api_key
        self._now = now

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def _headers(self) -> dict[str, str]:
        """Return the headers of one request. They contain the key, so that the client never does."""
        headers = {"accept": "application/json"}
        if self._api_key is not None:
            headers["authorization"] = f"Bearer {self._api_key.get_secret_value()}"
        return headers

    def _reply(self, response: httpx.Response, shape: type) -> JSONObject:
        """Return the JSON object of a response, whose `data` has the given type, or raise its error."""
        raw_reply = RawReply(response.status_code, dict(response.headers), response.text)
        if not response.is_success:
            failure = error_from_response(response.status_code, raw_reply.headers, raw_reply.text, now=self._now())
            Redactor(secrets_of(self._headers())).error(failure)
            raise failure
        try:
            reply = response.json()
        except ValueError as error:
            raise malformed("The response is not JSON.", raw_reply) from error
        if not isinstance(reply, dict) or not isinstance(reply.get("data"), shape):
            raise malformed("The response does not contain the expected `data`.", raw_reply)
        return reply


class Catalog(_Reader):
    """A client for OpenRouter's models, providers, keys, credits and past calls.

    All methods return the `data` of the response unchanged. They raise a `KimiError`: by status when the request was
    refused, `KimiTimeoutError` or `KimiConnectionError` when no response arrived, `KimiMalformedReplyError` when the
    response has no `data`.

    Args:
        client: The HTTP client. Its timeouts apply, and it is never closed here.
        api_key: The API key, sent with each request. Models and providers can be listed without one.
        base_url: The base URL of the API.
        sleep: Waits a number of seconds before a retry.
        now: Returns the seconds since the epoch.
    """

    def __init__(
        self,
        client: httpx.Client,
        api_key: SecretStr | str | None = None,
        *,
        base_url: str = BASE_URL,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(api_key, base_url, now)
        self._client = client
        self._sleep = sleep

    def models(self, **filters: str) -> list[ListedModel]:
        """Return all models, fetched page by page.

        Args:
            **filters: OpenRouter's filters, such as `supported_parameters="tools"`.
        """
        models: list[ListedModel] = []
        more = True
        while more:
            more = _add_page(models, self._fetch("/models", _page_query(models, filters), list))
        return models

    def endpoints(self, slug: str) -> JSONObject:
        """Return the providers of a model, with their limits, prices and health.

        Args:
            slug: The model as `author/name`.

        Raises:
            KimiUsageError: The slug has another form.
        """
        return self._get(_endpoints_path(slug))

    def key(self) -> JSONObject:
        """Return the limit and the usage of the API key, in US dollars."""
        return self._get("/key")

    def credits(self) -> JSONObject:
        """Return the credits that the account has bought and used. This requires a management key."""
        return self._get("/credits")

    def generation(self, generation_id: str, *, wait: float = 5.0) -> JSONObject:
        """Return the record of one call, such as its cost, also of an interrupted stream.

        OpenRouter usually has the record only some time after the call has ended, so a 404 is retried.

        Args:
            generation_id: The id of the call, `gen-...`.
            wait: The seconds to spend on retries.

        Raises:
            KimiNotFoundError: There is no such record after `wait` seconds.
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
        with _translated_errors():
            response = self._client.get(self.base_url + path, params=query, headers=self._headers())
        return self._reply(response, shape)


class AsyncCatalog(_Reader):
    """The async version of `Catalog`, for an `httpx.AsyncClient`."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        api_key: SecretStr | str | None = None,
        *,
        base_url: str = BASE_URL,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(api_key, base_url, now)
        self._client = client
        self._sleep = sleep

    async def models(self, **filters: str) -> list[ListedModel]:
        """Return all models, fetched page by page; see `Catalog.models`."""
        models: list[ListedModel] = []
        more = True
        while more:
            more = _add_page(models, await self._fetch("/models", _page_query(models, filters), list))
        return models

    async def endpoints(self, slug: str) -> JSONObject:
        """Return the providers of a model; see `Catalog.endpoints`."""
        return await self._get(_endpoints_path(slug))

    async def key(self) -> JSONObject:
        """Return the limit and the usage of the API key, in US dollars."""
        return await self._get("/key")

    async def credits(self) -> JSONObject:
        """Return the credits that the account has bought and used. This requires a management key."""
        return await self._get("/credits")

    async def generation(self, generation_id: str, *, wait: float = 5.0) -> JSONObject:
        """Return the record of one call; see `Catalog.generation`."""
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
        with _translated_errors():
            response = await self._client.get(self.base_url + path, params=query, headers=self._headers())
        return self._reply(response, shape)


def _page_query(models: list[ListedModel], filters: Mapping[str, str]) -> dict[str, str]:
    return {**filters, "limit": str(PAGE), **({"offset": str(len(models))} if models else {})}


def _add_page(models: list[ListedModel], reply: JSONObject) -> bool:
    """Add the models of a page to `models` and return whether there are more pages."""
    rows, total = reply["data"], reply.get("total_count")
    models.extend(rows)
    # Older servers send no total and ignore the offset. Their first page contains all models.
    return bool(rows) and isinstance(total, int) and len(models) < total


def _endpoints_path(slug: str) -> str:
    if slug.count("/") != 1:
        raise KimiUsageError(f"{slug!r} is not a model slug of the form author/name.")
    return f"/models/{quote(slug, safe='/~:')}/endpoints"


def _delays(wait: float) -> Iterator[float]:
    """Yield the seconds to wait between attempts, which double until their sum is `wait`."""
    delay = 0.25
    while wait > 0:
        yield min(delay, wait)
        wait -= delay
        delay *= 2


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        raise KimiTimeoutError(f"OpenRouter did not respond in time: {_described(error)}") from error
    except httpx.HTTPError as error:
        raise KimiConnectionError(f"No response from OpenRouter: {_described(error)}") from error


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
