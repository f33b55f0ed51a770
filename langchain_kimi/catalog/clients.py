"""The sync and the async catalog. Each method runs one operation (see `operations`)."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from langchain_kimi._keys import Key, aresolve, resolve
from langchain_kimi._kimi import facts
from langchain_kimi._kimi.facts import Facts
from langchain_kimi._openrouter.http.calls import CLOCK, Clock
from langchain_kimi._openrouter.http.endpoint import is_loopback
from langchain_kimi._openrouter.http.transport import aexchange, exchange
from langchain_kimi._settings import KimiSettings
from langchain_kimi.catalog import operations
from langchain_kimi.catalog.access import Access, access_of, new_access, with_positional
from langchain_kimi.catalog.operations import Get, Operation, T, Wait
from langchain_kimi.catalog.results import (
    Activity,
    Credits,
    Endpoint,
    Generation,
    KeyInfo,
    ListedModel,
    ModelEndpoints,
    Provider,
)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The result of `refresh`.

    Attributes:
        source: The URL of the list of models.
        date: The day, `YYYY-MM-DD`.
        models: The slugs of the models.
        file: The file that later processes read; None if nothing was written.
    """

    source: str
    date: str
    models: tuple[str, ...]
    file: Path | None


class _Base:
    """The shared part of both catalogs: their settings."""

    def __init__(  # noqa: PLR0913 - the settings, by name
        self,
        *key_and_client: Any,
        api_key: Key = None,
        base_url: str | None = None,
        timeout: Any = None,
        max_retries: int = 2,
        http_client: Any = None,
        http_async_client: Any = None,
        verify: Any = True,
        proxy: str | None = None,
        default_headers: Mapping[str, str] | None = None,
        allow_insecure_http: bool = False,
        clock: Clock = CLOCK,
    ) -> None:
        by_name = {"api_key": api_key, "http_client": http_client, "http_async_client": http_async_client}
        self._access: Access = new_access(
            **with_positional(key_and_client, by_name),
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            verify=verify,
            proxy=proxy,
            default_headers=default_headers,
            allow_insecure_http=allow_insecure_http,
            clock=clock,
        )

    @classmethod
    def of_model(cls, settings: KimiSettings) -> Self:
        """Return the catalog of a model's server, with the model's key, headers, time limits, proxy and retries."""
        catalog = cls.__new__(cls)
        vars(catalog)["_access"] = access_of(settings)
        return catalog

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    @property
    def base_url(self) -> str:
        """The base URL of the API."""
        return self._access.connection.base_url.rstrip("/")

    @property
    def _source(self) -> str:
        return f"{self.base_url}/models"

    def _today(self) -> str:
        return datetime.fromtimestamp(self._access.clock.epoch(), tz=UTC).date().isoformat()

    def _use(self, fetched: Facts) -> Refreshed:
        try:
            file = facts.use(fetched, is_local=is_loopback(self.base_url))
        except OSError as error:
            warnings.warn(f"The refreshed facts could not be kept: {error}.", stacklevel=3)
            file = None
        return Refreshed(fetched["source"], fetched["date"], tuple(fetched["models"]), file)


class Catalog(_Base):
    """OpenRouter's models, hosts, keys, credits and past calls.

    `ChatKimi.catalog()` returns one with the model's settings. All methods raise the errors of a call: a `KimiError`
    by status, `KimiTimeoutError` or `KimiConnectionError` when no response arrived, `KimiMalformedReplyError` for a
    response of another form. Failed requests are retried like calls.

    Args:
        *key_and_client: The API key and an HTTP client, in any order.
        api_key: The API key, or a function that returns it; by default `OPENROUTER_API_KEY`. Models, hosts and
            providers can be listed without one.
        base_url: The base URL of the API; by default the environment variable `OPENROUTER_API_BASE`, or OpenRouter's.
        timeout: Seconds without content before a request fails, or `{"connect": ..., "idle": ..., "total": ...}`.
        max_retries: The maximum number of retries after a failed attempt.
        http_client: An `httpx.Client`, which is never closed here.
        http_async_client: An `httpx.AsyncClient`, which is never closed here.
        verify: TLS verification, as in `ChatKimi`.
        proxy: The URL of a proxy; by default, environment variables apply.
        default_headers: Additional headers for every request.
        allow_insecure_http: Whether `base_url` may be plain http on another machine, as in `ChatKimi`.
        clock: The source of time.

    Example:
        ```python
        from langchain_kimi import Catalog

        for host in Catalog().endpoints("moonshotai/kimi-k2.6").endpoints:
            print(host.tag, host.pricing.per_million("prompt"), host.uptime_last_1d)
        ```
    """

    def models(self, **filters: Any) -> list[ListedModel]:
        """List all models, page by page.

        Args:
            **filters: OpenRouter's filters, such as `supported_parameters=["tools"]`, `q="kimi"`, `context=200_000` (at
                least), `max_price=1.0` (US dollars per million input tokens), `model_authors="moonshotai"`,
                `input_modalities="image"`, `zdr=True` and `sort="pricing-low-to-high"`.
        """
        return self._run(operations.models(filters))

    def user_models(self) -> list[ListedModel]:
        """List the models that the settings of the account and the key allow. This needs a key."""
        return self._run(operations.models({}, "/models/user"))

    def endpoints(self, slug: str) -> ModelEndpoints:
        """Return a model with its hosts: their prices, limits, health and supported parameters.

        Args:
            slug: The model as `author/name`.

        Raises:
            KimiUsageError: The slug has another form.
            KimiNotFoundError: There is no such model. The error names the nearest ones.
        """
        return self._run(operations.endpoints(slug))

    def zdr_endpoints(self) -> list[Endpoint]:
        """List the endpoints with zero data retention."""
        return self._run(operations.endpoints_without_retention())

    def key(self) -> KeyInfo:
        """Return the limits and the usage of the API key, in US dollars."""
        return self._run(operations.key())

    def credits(self) -> Credits:
        """Return the credits of the account, in US dollars. OpenRouter requires a management key for it."""
        return self._run(operations.account_credits())

    def generation(self, generation_id: str, *, wait: float = 5.0) -> Generation:
        """Return the record of one call, such as its cost, also of an interrupted stream.

        Args:
            generation_id: The id of the call, `gen-...`, as in `response_metadata["id"]`.
            wait: The seconds to spend on retries, because OpenRouter has the record only some time after the call.

        Raises:
            KimiNotFoundError: There is no such record after `wait` seconds.
        """
        return self._run(operations.generation(generation_id, wait))

    def providers(self) -> list[Provider]:
        """List all providers with their locations and policies."""
        return self._run(operations.providers())

    def activity(self, date: str | None = None) -> list[Activity]:
        """List the usage by day, model and endpoint. OpenRouter requires a management key for it.

        Args:
            date: A UTC day of the last 30, `YYYY-MM-DD`; None for all of them.
        """
        return self._run(operations.activity(date))

    def refresh(self, *slugs: str) -> Refreshed:
        """Fetch the profiles and prices of all Kimi models, and use them in this process from now on.

        They are also written to a file, from which later processes read them: in the directory that `KIMI_CACHE_DIR`
        names, or in the user's cache directory if the package `platformdirs` is installed (the extra `cache`). Data of
        a server on this machine is written only if `KIMI_CACHE_DIR` is set.

        Args:
            *slugs: Models whose hosts are fetched, too, for the highest price of a call.

        Raises:
            KimiNotFoundError: One of the models does not exist. Nothing was changed.
        """
        return self._use(self._run(operations.refreshed(slugs, self._source, self._today())))

    def _run(self, operation: Operation[T]) -> T:
        key = resolve(self._access.key, self._access.host)
        return operations.run(operation, partial(self._do, key))

    def _do(self, key: str, step: Get | Wait) -> Any:
        if isinstance(step, Wait):
            return self._access.clock.sleep(step.seconds)
        [reply] = exchange(self._access.call(step, key))
        return reply


class AsyncCatalog(_Base):
    """The async version of `Catalog`, with the same arguments and methods."""

    async def models(self, **filters: Any) -> list[ListedModel]:
        """List all models, page by page; see `Catalog.models`."""
        return await self._run(operations.models(filters))

    async def user_models(self) -> list[ListedModel]:
        """List the models that the settings of the account and the key allow. This needs a key."""
        return await self._run(operations.models({}, "/models/user"))

    async def endpoints(self, slug: str) -> ModelEndpoints:
        """Return a model with its hosts; see `Catalog.endpoints`."""
        return await self._run(operations.endpoints(slug))

    async def zdr_endpoints(self) -> list[Endpoint]:
        """List the endpoints with zero data retention."""
        return await self._run(operations.endpoints_without_retention())

    async def key(self) -> KeyInfo:
        """Return the limits and the usage of the API key, in US dollars."""
        return await self._run(operations.key())

    async def credits(self) -> Credits:
        """Return the credits of the account, in US dollars. OpenRouter requires a management key for it."""
        return await self._run(operations.account_credits())

    async def generation(self, generation_id: str, *, wait: float = 5.0) -> Generation:
        """Return the record of one call, such as its cost, also of an interrupted stream; see `Catalog.generation`."""
        return await self._run(operations.generation(generation_id, wait))

    async def providers(self) -> list[Provider]:
        """List all providers with their locations and policies."""
        return await self._run(operations.providers())

    async def activity(self, date: str | None = None) -> list[Activity]:
        """List the usage by day, model and endpoint; see `Catalog.activity`."""
        return await self._run(operations.activity(date))

    async def refresh(self, *slugs: str) -> Refreshed:
        """Fetch the profiles and prices of all Kimi models; see `Catalog.refresh`."""
        return self._use(await self._run(operations.refreshed(slugs, self._source, self._today())))

    async def _run(self, operation: Operation[T]) -> T:
        key = await aresolve(self._access.key, self._access.host)
        return await operations.arun(operation, partial(self._do, key))

    async def _do(self, key: str, step: Get | Wait) -> Any:
        if isinstance(step, Wait):
            return await self._access.clock.async_sleep(step.seconds)
        [reply] = [part async for part in aexchange(self._access.call(step, key))]
        return reply
