"""The headers of a request."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from langchain_kimi._version import __version__

USER_AGENT = f"langchain-kimi-openrouter/{__version__}"
OTHER_SPELLINGS = {"x-title": "x-openrouter-title"}
"""Names that OpenRouter takes for the same thing; a user's own spelling replaces ours instead of joining it."""


def attribution_headers(
    app_url: str | None, app_title: str | None, app_categories: Sequence[str] | None
) -> dict[str, str]:
    """Give the headers by which OpenRouter attributes a request to an app; what is not set is not sent."""
    headers = {
        "HTTP-Referer": app_url,
        "X-OpenRouter-Title": app_title,
        "X-OpenRouter-Categories": ",".join(app_categories or ()),
    }
    return {name: value for name, value in headers.items() if value}


def request_headers(
    key: str, attribution: Mapping[str, str], default_headers: Mapping[str, str] | None, *, streamed: bool
) -> dict[str, str]:
    """Give all headers of a request; the user's own win over ours, whatever the case of their names."""
    own = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Accept": "text/event-stream" if streamed else "application/json",
        "User-Agent": USER_AGENT,
        **attribution,
    }
    given = dict(default_headers or {})
    replaced = {_canonical(name) for name in given}
    return {**{name: value for name, value in own.items() if _canonical(name) not in replaced}, **given}


def check_header(name: str, value: str) -> None:
    """Refuse what no header can hold: line breaks, control characters, and text that is not ASCII.

    Raises:
        ValueError: says which header, never its value.
    """
    if not name or not name.isascii() or any(character in '()<>@,;:\\"/[]?={} \t\r\n' for character in name):
        raise ValueError(f"{name!r} is no name of a header.")
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"The header {name} must be printable ASCII: no line breaks, no accents; encode them first.")


def _canonical(name: str) -> str:
    lowered = name.lower()
    return OTHER_SPELLINGS.get(lowered, lowered)


def check_base_url(url: str) -> None:
    """Refuse what is no base URL. Nothing of it is repeated, since it may hold a password.

    Raises:
        ValueError: it is no http or https URL, or it has a query, a user or a password.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound or "?" in url or "#" in url:
        raise ValueError("base_url must be an http or https URL, such as https://openrouter.ai/api/v1.")
    if "@" in parts.netloc:
        raise ValueError("base_url must not hold a user or a password; pass the key as api_key.")


def keeps_secrets(url: str) -> bool:
    """Say whether what is sent to a base URL is encrypted on its way, or stays on this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


PROXIES = ("http", "https", "socks5", "socks5h")
"""The schemes of a proxy's URL."""


def check_verify(value: Any) -> Any:
    """Refuse what says nothing about certificates; gives a path as text.

    Raises:
        ValueError: it is neither a bool, nor a TLS context, nor the path of something that exists.
    """
    # `ssl` itself is for the clients; whatever wraps a connection is a TLS context.
    if isinstance(value, bool) or hasattr(value, "wrap_bio"):
        return value
    if isinstance(value, str | PathLike) and str(value) and Path(value).exists():
        return str(value)
    raise ValueError("verify must be True, False, an ssl.SSLContext, or the path of certificates that exist.")


def check_proxy(value: Any) -> str | None:
    """Refuse what is no proxy's URL. Nothing of it is repeated, since it may hold a password.

    Raises:
        ValueError: it has no host or port, or a scheme that no proxy has.
    """
    if value is None or value == "":
        return None
    try:
        parts = urlsplit(value)
        sound = isinstance(value, str) and parts.scheme in PROXIES and parts.hostname and parts.port != 0
    except (ValueError, AttributeError, TypeError):
        sound = False
    if not sound:
        raise ValueError(f"proxy must be a URL that begins with {', '.join(PROXIES)}, such as http://127.0.0.1:3128.")
    return str(value)


Verify: TypeAlias = Annotated[Any, BeforeValidator(check_verify)]
"""True, False, a path, or an `ssl.SSLContext`."""
Proxy: TypeAlias = Annotated[str | None, BeforeValidator(check_proxy)]
"""The URL of a proxy."""
