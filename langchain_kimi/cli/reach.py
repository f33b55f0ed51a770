"""The reason why a server cannot be reached, in one sentence."""

import ssl
from collections.abc import Iterator
from socket import gaierror

from langchain_kimi.errors import KimiError, KimiTimeoutError

PROXY_REMEDY = "check HTTPS_PROXY and NO_PROXY"


def reason(error: KimiError, host: str, proxy: str | None = None) -> str:
    """Return the reason of a connection error: name resolution, proxy, certificate, refusal or silence.

    Args:
        error: The error.
        host: The name of the server.
        proxy: The host and port of the proxy on the way; None without a proxy.
    """
    chain = [*_chain(error)]
    names = {type(one).__name__ for one in chain}
    text = " ".join(str(one) for one in chain)
    # The connection is one to the proxy, which alone resolves the name of the server.
    peer, remedy = (f"the proxy {proxy}", PROXY_REMEDY) if proxy else (host, "check base_url and the network")
    if "ProxyError" in names or "proxy" in text.split("Check")[0].lower():
        return f"the proxy does not connect to {host}: {PROXY_REMEDY}"
    if any(isinstance(one, ssl.SSLError) for one in chain) or "CERTIFICATE_VERIFY" in text:
        return f"the certificate of {host} is not trusted: check SSL_CERT_FILE, or a company's certificates"
    if any(isinstance(one, gaierror) for one in chain) or "Name or service" in text or "getaddrinfo" in text:
        no_network = "there is no network, or DNS does not work"
        return f"the name of {peer} cannot be resolved: {PROXY_REMEDY if proxy else no_network}"
    if isinstance(error, KimiTimeoutError):
        return f"{peer} did not answer in time: check the network and the proxy"
    return f"{peer} refuses the connection: {remedy}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
