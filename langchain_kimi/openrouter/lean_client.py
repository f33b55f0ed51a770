"""What a call needs of an HTTP client: httpx's own transport, and nothing that is done anew for each request.

An `httpx.Client` parses the URL, merges headers and looks for cookies, redirects and authentication at every request.
None of that has an effect on these calls, and it was measured to cost a third of a plain call's time.
"""

from functools import lru_cache
from typing import Any
from urllib.request import getproxies

import httpx

ENCODINGS = "gzip, deflate"
"""What httpx reads without further packages."""
PROXIED = ("http", "https", "all")


def knows_proxies() -> bool:
    """Say whether the environment or the system names a proxy; an `httpx.Client` then knows which URLs go there."""
    proxies = getproxies()
    return any(proxies.get(scheme) for scheme in PROXIED)


@lru_cache(maxsize=64)
def _parsed(url: str) -> tuple[httpx.URL, str]:
    parsed = httpx.URL(url)
    return parsed, parsed.netloc.decode("ascii")


def _request(
    method: str, url: str, *, content: bytes, headers: dict[str, str], extensions: dict[str, Any]
) -> httpx.Request:
    """Make a request with the headers that httpx adds to one; from a stream it takes them as they are."""
    parsed, host = _parsed(url)
    given = {name.lower() for name in headers}
    added = {"Host": host, "Accept-Encoding": ENCODINGS, "Content-Length": str(len(content))}
    more = {name: value for name, value in added.items() if name.lower() not in given}
    return httpx.Request(
        method, parsed, headers={**more, **headers}, stream=httpx.ByteStream(content), extensions=extensions
    )


class LeanClient:
    """Sends requests as an `httpx.Client` without cookies, redirects and proxies of the environment would.

    Args:
        verify: How the server's certificate is checked.
        proxy: The proxy's URL; None: none.
        limits: How many connections are opened and kept.
    """

    def __init__(self, *, verify: Any, proxy: str | None, limits: httpx.Limits) -> None:
        self._transport = httpx.HTTPTransport(verify=verify, proxy=proxy, limits=limits)
        self.is_closed = False

    build_request = staticmethod(_request)

    def send(self, request: httpx.Request, **_: object) -> httpx.Response:
        """Send a request; gives the reply with its body unread.

        Raises:
            httpx.TransportError: as from an `httpx.Client`.
        """
        response = self._transport.handle_request(request)
        response.request = request
        return response

    def close(self) -> None:
        """Close the connections."""
        self.is_closed = True
        self._transport.close()


class AsyncLeanClient:
    """The same in the other colour, see `LeanClient`."""

    def __init__(self, *, verify: Any, proxy: str | None, limits: httpx.Limits) -> None:
        self._transport = httpx.AsyncHTTPTransport(verify=verify, proxy=proxy, limits=limits)
        self.is_closed = False

    build_request = staticmethod(_request)

    async def send(self, request: httpx.Request, **_: object) -> httpx.Response:
        """Send a request; gives the reply with its body unread."""
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        self.is_closed = True
        await self._transport.aclose()
