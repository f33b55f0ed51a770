import socket
import ssl

import httpx
import pytest

from langchain_kimi.cli.reach import reason
from langchain_kimi.errors import KimiConnectionError, KimiError, KimiTimeoutError


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        (KimiConnectionError("No connection"), httpx.ProxyError("503"), "the proxy does not connect"),
        (KimiConnectionError("No connection"), ssl.SSLCertVerificationError("bad"), "certificate of openrouter.ai"),
        (KimiConnectionError("No connection"), socket.gaierror("unknown"), "name of openrouter.ai cannot be resolved"),
        (KimiConnectionError("No connection"), httpx.ConnectError("Name or service not known"), "cannot be resolved"),
        (KimiTimeoutError("late"), httpx.ReadTimeout(""), "did not answer in time"),
        (KimiConnectionError("No connection"), httpx.ConnectError("refused"), "refuses the connection"),
        (KimiConnectionError("No connection"), None, "refuses the connection"),
    ],
)
def test_the_reason_is_named(error: KimiError, cause: Exception | None, words: str) -> None:
    error.__cause__ = cause
    assert words in reason(error, "openrouter.ai")


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        (KimiConnectionError("No connection"), httpx.ConnectError("refused"), "the proxy 10.0.0.1:3128 refuses"),
        (KimiConnectionError("No connection"), socket.gaierror("unknown"), "name of the proxy 10.0.0.1:3128 cannot be"),
        (KimiTimeoutError("late"), httpx.ConnectTimeout(""), "the proxy 10.0.0.1:3128 did not answer in time"),
        (KimiConnectionError("No connection"), ssl.SSLError("bad"), "the certificate of openrouter.ai"),
    ],
)
def test_the_proxy_is_named(error: KimiError, cause: Exception, words: str) -> None:
    error.__cause__ = cause
    assert words in reason(error, "openrouter.ai", "10.0.0.1:3128")
