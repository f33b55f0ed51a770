"""How a catalog reaches its server: the connection, the headers, the key and the retries of a model or its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from langchain_kimi._calls import connection
from langchain_kimi._keys import Key, key_of_environment
from langchain_kimi._openrouter.host import Host, host_for
from langchain_kimi._openrouter.http.calls import CLOCK, Call, Clock
from langchain_kimi._openrouter.http.connection import Connection, Timeout
from langchain_kimi._openrouter.http.endpoint import attribution_headers, check_base_url, request_headers
from langchain_kimi._openrouter.reply.data import DataReader
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.retries import Retries, number_of_attempts
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._settings import KimiSettings, chosen_host
from langchain_kimi.catalog.operations import Get


@dataclass(frozen=True, slots=True)
class Access:
    """The settings of a catalog's requests. The repr contains no secrets."""

    connection: Connection
    host: Host
    key: Key = field(default=None, repr=False)
    attribution: Mapping[str, str] = field(default_factory=dict)
    default_headers: Mapping[str, str] | None = field(default=None, repr=False)
    retries: Retries = field(default_factory=Retries)
    clock: Clock = CLOCK

    def call(self, get: Get, key: str) -> Call[JSONObject]:
        """Return the call of a request."""
        headers = request_headers(key, self.attribution, self.default_headers, streamed=False)
        idle = self.connection.timeout.idle

        def new_reader(head: ResponseHead) -> DataReader:
            return DataReader(head, get.shape, idle)

        url = self.connection.base_url.rstrip("/") + get.path
        return Call(
            connection=self.connection,
            headers={name: one for name, one in headers.items() if name != "Content-Type" and one != "Bearer "},
            body=b"",
            new_reader=new_reader,
            retries=self.retries,
            clock=self.clock,
            method="GET",
            url=f"{url}?{urlencode(get.query)}" if get.query else url,
        )


def access_of(settings: KimiSettings) -> Access:
    """Return the access of a model: the same server, key, headers, time limits, proxy and retries."""
    return Access(
        connection(settings),
        _without_required_key(chosen_host(settings)),
        settings.openrouter_api_key,
        attribution_headers(settings.app_url, settings.app_title, settings.app_categories),
        settings.default_headers,
        settings._retries(),  # noqa: SLF001 - the model's own rule
    )


def new_access(  # noqa: PLR0913 - the settings of a catalog, by name
    api_key: Key,
    *,
    base_url: str,
    timeout: Any,
    max_retries: int,
    http_client: Any,
    http_async_client: Any,
    verify: Any,
    proxy: str | None,
    default_headers: Mapping[str, str] | None,
    clock: Clock,
) -> Access:
    """Return the access of a catalog that stands alone. The key is by default that of the environment.

    Raises:
        ValueError: The base URL is invalid.
        KimiUsageError: Another setting is invalid.
    """
    check_base_url(base_url)
    host = _without_required_key(host_for(None, base_url))
    return Access(
        Connection(
            base_url=base_url,
            timeout=Timeout.of(timeout),
            http_client=http_client,
            http_async_client=http_async_client,
            verify=verify,
            proxy=proxy,
        ),
        host,
        key_of_environment(host.key_variable) if api_key is None else api_key,
        {},
        default_headers,
        Retries(number_of_attempts("max_retries", max_retries)),
        clock,
    )


def _without_required_key(host: Host) -> Host:
    """Return the host for lists that need no key; the server refuses the rest itself."""
    return replace(host, needs_key=False)
