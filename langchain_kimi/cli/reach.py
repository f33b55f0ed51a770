"""The reason why a server cannot be reached, in one sentence."""

import ssl
from collections.abc import Iterator
from socket import gaierror

from langchain_kimi.errors import KimiError, KimiTimeoutError


def reason(error: KimiError, host: str) -> str:
    """Return the reason of a connection error: name resolution, proxy, certificate, refusal or silence.

    Args:
        error: The error.
        host: The name of the server.
    """
    chain = [*_chain(error)]
    names = {type(one).__name__ for one in chain}
    text = " ".join(str(one) for one in chain)
    if "ProxyError" in names or "proxy" in text.split("Check")[0].lower():
        return f"the proxy does not connect to {host}: check HTTPS_PROXY and NO_PROXY"
    if any(isinstance(one, ssl.SSLError) for one in chain) or "CERTIFICATE_VERIFY" in text:
        return f"the certificate of {host} is not trusted: check SSL_CERT_FILE, or a company's certificates"
    if any(isinstance(one, gaierror) for one in chain) or "Name or service" in text or "getaddrinfo" in text:
        return f"the name {host} cannot be resolved: there is no network, or DNS does not work"
    if isinstance(error, KimiTimeoutError):
        return f"{host} did not answer in time: check the network and the proxy"
    return f"{host} refuses the connection: check base_url and the network"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
