"""The base URL that a user may give: what it must look like, and where a key may go unencrypted."""

from ipaddress import ip_address
from urllib.parse import urlsplit


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
