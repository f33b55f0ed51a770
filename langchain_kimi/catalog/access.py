"""The access of a catalog to its server: connection, headers, key and retries, of a model or its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from inspect import iscoroutinefunction
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from langchain_kimi._calls import connection
from langchain_kimi._keys import Key, key_of_environment, plain_key
from langchain_kimi._openrouter.host import Host, host_for
from langchain_kimi._openrouter.http.calls import CLOCK, Call, Clock
from langchain_kimi._openrouter.http.connection import BASE_URL, Connection, Timeout
from langchain_kimi._openrouter.http.endpoint import (
    attribution_headers,
    check_base_url,
    check_encrypted,
    check_header,
    check_proxy,
    request_headers,
)
from langchain_kimi._openrouter.reply.data import DataReader
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.retries import Retries, number_of_attempts
from langchain_kimi._openrouter.variables import BASE_URL as BASE_URL_VARIABLE
from langchain_kimi._openrouter.variables import about, stripped, value_of
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._settings import KimiSettings, chosen_host
from langchain_kimi.catalog.operations import Get
from langchain_kimi.errors import KimiUsageError


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


def with_positional(arguments: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return the key and the HTTP clients of a catalog.

    Args:
        arguments: A key, a sync and an async HTTP client, in any order.
        named: The same by their names.

    Raises:
        KimiUsageError: There are two of one kind.
    """
    result = dict(named)
    for argument in arguments:
        send = getattr(argument, "send", None)
        name = "api_key" if send is None else "http_async_client" if iscoroutinefunction(send) else "http_client"
        if result[name] is not None:
            raise KimiUsageError(f"{name} is passed twice.")
        result[name] = argument
    return result


def new_access(  # noqa: PLR0913 - the settings of a catalog, by name
    *,
    api_key: Key,
    base_url: str | None,
    timeout: Any,
    max_retries: int,
    http_client: Any,
    http_async_client: Any,
    verify: Any,
    proxy: str | None,
    default_headers: Mapping[str, str] | None,
    allow_insecure_http: bool,
    clock: Clock,
) -> Access:
    """Return the access of a catalog that stands alone. The key and the base URL are by default of the environment.

    Raises:
        KimiUsageError: A setting is invalid.
    """
    sources = {} if base_url else {"base_url": BASE_URL_VARIABLE}
    base_url = _checked_base_url(base_url, sources, api_key, proxy, default_headers or {})
    host = _without_required_key(host_for(None, base_url))
    key = api_key if callable(api_key) else stripped(plain_key(api_key)) or key_of_environment(host.key_variable)
    if not allow_insecure_http and (key or default_headers):
        try:
            check_encrypted(base_url)
        except ValueError as error:
            raise KimiUsageError(str(about(sources, error))) from None
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
        key,
        {},
        default_headers,
        Retries(number_of_attempts("max_retries", max_retries)),
        clock,
    )


def _checked_base_url(
    base_url: str | None, sources: Mapping[str, str], key: object, proxy: str | None, headers: Mapping[str, str]
) -> str:
    """Check the settings of a catalog and return its base URL.

    Raises:
        KimiUsageError: A setting is invalid.
    """
    base_url = stripped(base_url or value_of(BASE_URL_VARIABLE) or BASE_URL)
    try:
        check_base_url(base_url)
        check_proxy(proxy)
        for name, value in headers.items():
            check_header(name, value)
    except ValueError as error:
        raise KimiUsageError(str(about(sources, error))) from None
    if not (key is None or callable(key) or isinstance(key, str | SecretStr)):
        raise KimiUsageError(f"api_key must be a text, a SecretStr, or a function, not {type(key).__name__}.")
    return base_url


def _without_required_key(host: Host) -> Host:
    """Return the host for lists that need no key; the server refuses the rest itself."""
    return replace(host, needs_key=False)
