"""What a user may say of the way to the API: whose certificates are trusted, and through which proxy it goes."""

from os import PathLike
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import BeforeValidator

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
