"""Read the proxy and the certificates that the environment or the system configures."""

import importlib.util
import os
import ssl
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from langchain_kimi._openrouter.host import KEY_VARIABLES
from langchain_kimi._openrouter.http.connection import Connection
from langchain_kimi._openrouter.http.endpoint import PROXIES, check_proxy
from langchain_kimi._openrouter.variables import BASE_URL as BASE_URL_VARIABLE
from langchain_kimi._openrouter.variables import source_of, stripped, value_of
from langchain_kimi._patterns import lazy_pattern
from langchain_kimi.errors import (
    KimiAuthenticationError,
    KimiError,
    KimiMalformedReplyError,
    KimiNotFoundError,
    KimiUsageError,
)

CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
KEYS_VARIABLE = "SSLKEYLOGFILE"
_BRACKETS = lazy_pattern(r"\A\[([^]]*)\](/\d+)?\Z")
DEFAULT_PORTS = {"http": 80, "https": 443}


def system_proxy(url: str) -> str | None:
    """Return the proxy that the environment or the system configures for a URL, or None.

    Raises:
        KimiUsageError: The proxy cannot be used. The error names the variable, but never its value, which may contain a
            password.
    """
    name, value = _setting_for(url)
    if not value:
        return None
    variable = _proxy_variable(name).replace("the", "The", 1)
    try:
        proxy = check_proxy(value if "://" in value else f"http://{value}")
    except ValueError:
        raise KimiUsageError(
            f"{variable} is not the URL of a supported proxy.",
            advice=f"Set it to a URL with one of the schemes {', '.join(PROXIES)}, unset it, or list the host of "
            "base_url in NO_PROXY.",
        ) from None
    check_socks(proxy, variable)
    return proxy


def _setting_for(url: str) -> tuple[str, str]:
    """Return the name (in lower case) and the value of the variable with the proxy for a URL; empty without a proxy."""
    proxies = {name: stripped(value) for name, value in getproxies().items()}
    name = next((name for name in (urlsplit(url).scheme, "all") if proxies.get(name)), "all")
    if bypasses_proxy(url, proxies.get("no", "")):
        return name, ""
    return f"{name}_proxy", proxies.get(name, "")


def proxy_host(url: str, proxy: str | None = None) -> str | None:
    """Return the host and port of the proxy for a URL, without its password; None if there is no usable proxy.

    Args:
        url: The URL.
        proxy: The URL of the proxy; None: the proxy of the environment.
    """
    try:
        proxy = proxy or system_proxy(url)
    except KimiUsageError:
        return None
    return None if proxy is None else urlsplit(proxy).netloc.rpartition("@")[2]


def proxy_urls() -> list[str]:
    """Return all proxies of the environment or the system, which may contain passwords."""
    values = [stripped(value) for name, value in getproxies().items() if name != "no"]
    return [value if "://" in value else f"http://{value}" for value in values]


def settings_of_environment(error: KimiError, connection: Connection, key: str) -> str:
    """Return sentences that name the variables with the address, proxy, certificates and key of a failed call.

    Args:
        error: The error. Its class and its advice show which of these settings may be wrong.
        connection: The settings of the call.
        key: The key of the call, or an empty string.
    """
    is_shared = connection.http_client is None and connection.http_async_client is None
    may_be_elsewhere = isinstance(error, KimiNotFoundError | KimiMalformedReplyError)
    # For an http URL, the response may be that of the proxy instead of the server.
    is_readable = connection.base_url.startswith("http:")
    sources = []
    if may_be_elsewhere or "base_url" in error.advice:
        sources.append(("base_url", _source_of_base_url(connection)))
    if is_shared and (is_readable or "proxy" in error.advice):
        sources.append(("The proxy", _source_of_proxy(connection)))
    if is_shared and "verify" in error.advice:
        sources.append(("The set of trusted certificates", _source_of_certificates(connection)))
    if isinstance(error, KimiAuthenticationError):
        sources.append(("The key", _variable(source_of(key, KEY_VARIABLES))))
    return " ".join(f"{setting} comes from {source}." for setting, source in sources if source)


def _source_of_base_url(connection: Connection) -> str | None:
    value = value_of(BASE_URL_VARIABLE)
    is_used = value is not None and value.startswith(connection.base_url.rstrip("/"))
    return _variable(BASE_URL_VARIABLE) if is_used else None


def _source_of_proxy(connection: Connection) -> str | None:
    name, value = _setting_for(connection.base_url)
    return _proxy_variable(name) if value and connection.proxy is None else None


def _source_of_certificates(connection: Connection) -> str | None:
    names = [name for name in CERTIFICATE_VARIABLES if value_of(name)]
    return _variable(names[0]) if names and connection.verify is True else None


def _variable(name: str | None) -> str | None:
    return f"the environment variable {name}" if name else None


def check_socks(proxy: str | None, setting: str) -> None:
    """Check that the package for a SOCKS proxy is installed.

    Raises:
        KimiUsageError: It is not installed. The error names the setting that requires it.
    """
    if proxy is not None and proxy.lower().startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise KimiUsageError(
            f"{setting} is a SOCKS proxy, which requires the package socksio.",
            advice="Install it with: pip install 'httpx[socks]'.",
        )


def _proxy_variable(name: str) -> str:
    """Return the name of the source of a proxy: an environment variable (lowercase first) or the system settings."""
    names = [key for key in os.environ if key.lower() == name]
    return f"the environment variable {min(names, key=str.isupper)}" if names else "the proxy of the system settings"


def bypasses_proxy(url: str, no_proxy: str) -> bool:
    """Return whether `NO_PROXY` excludes a URL.

    Args:
        url: An http or https URL.
        no_proxy: Hosts, domains (with their subdomains), IP addresses and IP networks, separated by commas or blanks.
            `*` excludes all URLs, and `10.*` all addresses that begin with `10.`. Entries may have a scheme and a port;
            IPv6 addresses may have brackets.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    entries = no_proxy.replace(",", " ").lower().split()
    return any(_matches(entry, parts.scheme, host, port) for entry in entries)


def _matches(entry: str, scheme: str, host: str, port: int | None) -> bool:
    """Return whether an entry of `NO_PROXY` matches a URL."""
    if "://" in entry:
        entry_scheme, _, entry = entry.partition("://")
        if entry_scheme not in {scheme, "all"}:
            return False
        entry = entry.rstrip("/")
    if entry == "*":
        return True
    if (is_inside := _is_in_network(entry, host)) is not None:
        return is_inside
    name, _, entry_port = entry.rpartition(":")
    if not entry_port.isdigit():
        name, entry_port = entry, ""
    elif (is_inside := _is_in_network(name, host)) is not None:
        return is_inside and int(entry_port) == port
    if name.endswith(".*"):
        return host.startswith(name[:-1])
    name = name.removeprefix("*").strip(".")
    is_same = bool(name) and (host == name or host.endswith(f".{name}"))
    return is_same and (not entry_port or int(entry_port) == port)


def _is_in_network(entry: str, host: str) -> bool | None:
    """Return whether a host is an address of a network, or None when the entry is not an address or network."""
    try:
        network = ip_network(_BRACKETS.sub(r"\1\2", entry), strict=False)
    except ValueError:
        return None
    try:
        return ip_address(host) in network
    except ValueError:
        return False


def certificate_settings() -> tuple[str | None, ...]:
    """Return the values of the environment variables that determine the certificates for `verify=True`."""
    return tuple(map(value_of, CERTIFICATE_VARIABLES))


def tls_key(verify: bool | str) -> tuple[object, ...]:  # noqa: FBT001 - one setting with two types
    """Return the settings of a TLS context with the state of their files, which may be replaced at any time."""
    settings = certificate_settings() if verify is True else (verify,)
    return (verify, settings, tuple(_state_of(path) for path in settings if path and isinstance(path, str)))


def _state_of(path: str) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - a path object costs more
    except (OSError, ValueError):
        return None
    return (status.st_mtime_ns, status.st_ino, status.st_size)


def tls_context(verify: bool | str) -> ssl.SSLContext:  # noqa: FBT001 - one setting with two types
    """Return the TLS context for a `verify` setting.

    Raises:
        KimiUsageError: The certificates cannot be read. The error names the setting or the environment variable.
    """
    if verify is False:
        return _created(lambda: httpx.create_ssl_context(verify=False, trust_env=False))
    if isinstance(verify, str):
        return _context_of(verify, "verify")
    for name, value in zip(CERTIFICATE_VARIABLES, certificate_settings(), strict=True):
        if value:
            return _context_of(value, f"the environment variable {name}")
    return _created(lambda: httpx.create_ssl_context(trust_env=False))


def _created(create: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Return a new TLS context. Creating it opens the file that `SSLKEYLOGFILE` names, if it is set.

    Raises:
        KimiUsageError: That file cannot be written.
    """
    try:
        return create()
    except OSError as error:
        if not error.filename or error.filename != os.environ.get(KEYS_VARIABLE):
            raise
        raise KimiUsageError(
            f"The file of the environment variable {KEYS_VARIABLE} cannot be written ({error}).",
            advice="Set it to a file that can be written, or unset it.",
        ) from error


def _context_of(path: str, setting: str) -> ssl.SSLContext:
    """Return the TLS context for the certificates in a file or a directory."""
    try:
        # OpenSSL also accepts a list of directories.
        if any(Path(part).is_dir() for part in path.split(os.pathsep)):
            return _created(lambda: ssl.create_default_context(capath=path))
        return _created(lambda: ssl.create_default_context(cafile=path))
    except OSError as error:
        raise KimiUsageError(
            f"The certificates of {setting} cannot be read ({error}).",
            advice=f"Set {setting} to a file of PEM certificates or to a directory of them.",
        ) from error
