"""Build the request headers, and check the settings for headers, base URL, certificates and proxy."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, BeforeValidator

from langchain_kimi._version import __version__

USER_AGENT = f"langchain-kimi-openrouter/{__version__}"
FRAMING = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)
"""Headers that determine the end of a request and the use of its connection. With a second value, a server and a proxy
could disagree about them."""
LONGEST_LABEL = 63
"""The maximum number of characters between two dots of a host name (RFC 1035)."""
ALIASES = {"x-title": "x-openrouter-title"}
"""Header names that OpenRouter treats as equal. A user's header replaces ours under either name."""


def attribution_headers(
    app_url: str | None, app_title: str | None, app_categories: Sequence[str] | None
) -> dict[str, str]:
    """Return the headers by which OpenRouter attributes a request to an app, without those that are not set."""
    headers = {
        "HTTP-Referer": app_url,
        "X-OpenRouter-Title": app_title,
        "X-OpenRouter-Categories": ",".join(app_categories or ()),
    }
    return {name: value for name, value in headers.items() if value}


def request_headers(
    key: str, attribution: Mapping[str, str], default_headers: Mapping[str, str] | None, *, streamed: bool
) -> dict[str, str]:
    """Return all headers of a request. The user's headers replace the package's; letter case is ignored."""
    package_headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Accept": "text/event-stream" if streamed else "application/json",
        "User-Agent": USER_AGENT,
        **attribution,
    }
    if not default_headers:
        return package_headers
    replaced = {_canonical(name) for name in default_headers}
    return {
        **{name: value for name, value in package_headers.items() if _canonical(name) not in replaced},
        **default_headers,
    }


def check_header(name: str, value: str) -> None:
    """Check that a header can be sent.

    Raises:
        ValueError: The name is not a token or belongs to the HTTP client, or the value is not printable ASCII or has
            blanks around it. The error never contains the value.
    """
    if not name or not name.isascii() or any(character in '()<>@,;:\\"/[]?={} \t\r\n' for character in name):
        raise ValueError(f"{name!r} is not a valid header name.")
    if name.lower() in FRAMING:
        raise ValueError(f"The header {name} cannot be set, because the HTTP client sets it for each request.")
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise ValueError(
            f"The header {name} must be printable ASCII, without line breaks, and without blanks around it; encode "
            "other text first."
        )


def _canonical(name: str) -> str:
    lowered = name.lower()
    return ALIASES.get(lowered, lowered)


def check_base_url(url: str) -> None:
    """Check a base URL.

    Raises:
        ValueError: It is not an http or https URL, or it has a query, a user name or a password. The error never
            contains the URL, which may contain a password.
    """
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in {"http", "https"} and parts.port != 0 and _is_host(parts.hostname)
    except ValueError:
        is_valid = False
    if not is_valid or "?" in url or "#" in url or not url.isprintable() or " " in url:
        raise ValueError("base_url must be an http or https URL, such as https://openrouter.ai/api/v1.")
    if "@" in parts.netloc:
        raise ValueError("base_url must not contain a user name or a password; pass the key as api_key.")


def _is_host(host: str | None) -> bool:
    labels = (host or "").removesuffix(".").split(".")
    return all(0 < len(label) <= LONGEST_LABEL for label in labels)


def keeps_secrets(url: str) -> bool:
    """Return whether requests to a base URL are encrypted or do not leave this machine."""
    return urlsplit(url).scheme == "https" or is_loopback(url)


def check_encrypted(base_url: str) -> None:
    """Raise a ValueError if the base URL is plain http on another machine."""
    if not keeps_secrets(base_url):
        raise ValueError(
            "base_url is plain http on another machine: the key would travel unencrypted. "
            "Use https, or pass allow_insecure_http=True."
        )


def is_loopback(url: str) -> bool:
    """Return whether a URL is that of a server on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


PROXIES = ("http", "https", "socks5", "socks5h")
"""The supported schemes of a proxy URL."""


def check_verify(value: Any) -> Any:
    """Return a `verify` setting; a path is returned as a string.

    Raises:
        ValueError: It is not a bool, a TLS context or the path of an existing file or directory.
    """
    # An object with this method is a TLS context. The check avoids an import of `ssl`, which is slow.
    if isinstance(value, bool) or hasattr(value, "wrap_bio"):
        return value
    if isinstance(value, str | PathLike) and str(value) and Path(value).exists():
        return str(value)
    raise ValueError("verify must be True, False, an ssl.SSLContext, or the path of existing certificates.")


def check_proxy(value: Any) -> str | None:
    """Return a proxy URL, or None for an empty one.

    Raises:
        ValueError: The URL has no host, an invalid port or an unsupported scheme. The error never contains the URL,
            which may contain a password.
    """
    if value is None or value == "":
        return None
    try:
        parts = urlsplit(value)
        is_valid = isinstance(value, str) and parts.scheme in PROXIES and parts.port != 0 and _is_host(parts.hostname)
        # httpx would raise for an invalid host name later, with an error that does not name the setting.
        httpx.URL(value)
    except (ValueError, httpx.InvalidURL, AttributeError, TypeError):
        is_valid = False
    if not is_valid or not value.isprintable() or " " in value:
        raise ValueError(
            f"proxy must be a URL with one of the schemes {', '.join(PROXIES)}, such as http://127.0.0.1:3128."
        )
    return str(value)


class _HiddenText(str):
    """A text whose repr does not show it, because `vars(model)` and tracebacks show the reprs of settings."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(HIDDEN)


class _HiddenHeaders(dict[str, str]):
    """Headers whose repr does not show their values."""

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self, HIDDEN))


HIDDEN = "**********"
"""The text that pydantic shows for secrets."""


def hidden_text(text: str | None) -> str | None:
    """Return a text whose repr does not show it."""
    return text and _HiddenText(text)


def hidden_headers(headers: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """Return headers whose repr does not show their values."""
    return headers and _HiddenHeaders(headers)


Headers: TypeAlias = Annotated[Mapping[str, str] | None, AfterValidator(hidden_headers)]
Verify: TypeAlias = Annotated[Any, BeforeValidator(check_verify)]
"""True, False, the path of certificates, or an `ssl.SSLContext`."""
Proxy: TypeAlias = Annotated[str | None, BeforeValidator(check_proxy), AfterValidator(hidden_text)]
"""The URL of a proxy."""
