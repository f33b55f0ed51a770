"""TLS through the tunnel of a proxy: after a failed handshake the next call works."""

import asyncio
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi.errors import KimiConnectionError, KimiError, KimiTimeoutError
from langchain_kimi.testing import Emulator, Reply
from tests.conftest import KEY
from tests.faults.relay import certificate, relaying
from tests.faults.tunnels import Proxy, Tunnel, proxying
from tests.faults.ways import WAYS, QuickKimi, ask

TEXT = "Here."
SECRET = "swordfish"
FORMS = ("http", "https")
SOME_FORMS = ("http", pytest.param("https", marks=pytest.mark.long))
SHORT = 0.3
"""Seconds of the connect timeout in a handshake that never ends."""


@dataclass(frozen=True)
class Network:
    """An OpenRouter behind TLS, the file of its certificate, and a server with a certificate that nobody trusts."""

    openrouter: Emulator
    base_url: str
    certificate: str
    context: ssl.SSLContext
    stranger: int

    def model(self, proxy: str | None = None, **settings: Any) -> QuickKimi:
        defaults = {"api_key": KEY, "base_url": self.base_url, "verify": self.certificate, "max_retries": 0}
        return QuickKimi(**{**defaults, "proxy": proxy, **settings})


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("trusted"))


@pytest.fixture(scope="module")
def network(trusted: tuple[Path, ssl.SSLContext], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    _, other = certificate(tmp_path_factory.mktemp("other"))
    with Emulator() as openrouter:
        port = int(openrouter.base_url.split(":")[2].split("/")[0])
        openrouter.script(Reply(text=TEXT), times=None)
        with relaying(port, tls=trusted[1]) as served, relaying(port, tls=other) as stranger:
            base_url = f"https://127.0.0.1:{served.port}/api/v1"
            yield Network(openrouter, base_url, str(trusted[0]), trusted[1], stranger.port)


def url_of(proxy: Proxy, form: str) -> str:
    return f"{form}://user:{SECRET}@127.0.0.1:{proxy.port}"


FAILURES: dict[str, tuple[Tunnel, str]] = {
    "ends before the handshake": ("closed", ""),
    "ends in the handshake": ("hello", ""),
    "is reset in the handshake": ("reset", ""),
    "is not TLS": ("plain", ""),
    "is refused with an alert": ("alert", ""),
    "has an unknown certificate": (0, "is not trusted"),
    "is refused by the proxy": ("refused", "503"),
}


def failure_of(outcome: Any, kind: type[KimiError]) -> KimiError:
    error = outcome.error
    assert type(error) is kind, error
    assert SECRET not in f"{error!r} {error} {error.__cause__!r}"
    assert isinstance(error, KimiError)
    return error


def skip_for_old_asyncio(form: str) -> None:
    if form == "https" and sys.version_info < (3, 11, 4):
        pytest.skip("asyncio of Python before 3.11.4 cannot end a broken TLS connection inside of another one")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("failure", FAILURES)
def test_after_a_failed_handshake_the_next_call_works(network: Network, form: str, failure: str, way: str) -> None:
    skip_for_old_asyncio(form)
    tunnel, reason = FAILURES[failure]
    script: list[Tunnel] = [tunnel or network.stranger] * 2
    with proxying(*script, tls=network.context if form == "https" else None) as proxy:
        url = url_of(proxy, form)
        # Models with the same settings share their connections.
        with network.model(url, max_connections=1) as model, network.model(url, max_connections=1) as other:
            for one in (model, other):
                assert reason in str(failure_of(ask(one, way), KimiConnectionError))
            for one in (model, other):
                assert ask(one, way).error is None
            assert len(proxy.connects) in {3, 4}


@pytest.mark.waits
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", SOME_FORMS)
@pytest.mark.parametrize("tunnel", ["silent", "no reply"])
def test_after_a_handshake_beyond_the_connect_timeout_the_next_call_works(
    network: Network, form: str, tunnel: Tunnel, way: str
) -> None:
    with proxying(tunnel, tls=network.context if form == "https" else None) as proxy:
        url = url_of(proxy, form)
        # The proxy's answer to CONNECT is read within the idle timeout.
        limits = {"connect": SHORT, "idle": SHORT}
        with network.model(url, max_connections=1, timeout=limits) as model:
            # On a busy machine a call may end before the proxy has read its request.
            while not proxy.connects:
                failure_of(ask(model, way), KimiTimeoutError)
        with network.model(url, max_connections=1) as model:
            assert ask(model, way).error is None


@pytest.mark.parametrize("way", ["ainvoke", "astream"])
@pytest.mark.parametrize("form", SOME_FORMS)
@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
@pytest.mark.parametrize("tunnel", ["silent", "no reply"])
async def test_after_a_call_cancelled_in_the_handshake_the_next_call_works(
    network: Network, form: str, tunnel: Tunnel, way: str, times: int
) -> None:
    async def call(model: QuickKimi) -> str:
        if way == "ainvoke":
            return str((await model.ainvoke("hi")).content)
        return "".join([str(chunk.content) async for chunk in model.astream("hi")])

    with proxying(tunnel, tls=network.context if form == "https" else None) as proxy:
        async with network.model(url_of(proxy, form), max_connections=1) as model:
            task = asyncio.create_task(call(model))
            while not proxy.connects:  # noqa: ASYNC110 - what is waited for is in another thread
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.02)
            for _ in range(times):
                task.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await call(model) == TEXT


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", pytest.param("all_proxy", marks=pytest.mark.long)])
@pytest.mark.parametrize("form", SOME_FORMS)
def test_a_failed_handshake_behind_a_proxy_of_the_environment(
    network: Network, form: str, name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying("hello", network.stranger, tls=network.context if form == "https" else None) as proxy:
        monkeypatch.setenv(name, url_of(proxy, form))
        with network.model() as model:
            # A client that was created earlier has another environment.
            model.close()
            failure_of(ask(model, way), KimiConnectionError)
            failure_of(ask(model, way), KimiConnectionError)
            assert ask(model, way).error is None
        assert len(proxy.connects) == 3


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", SOME_FORMS)
def test_a_failed_handshake_is_retried(network: Network, form: str, way: str) -> None:
    with proxying("hello", "reset", tls=network.context if form == "https" else None) as proxy:
        with network.model(url_of(proxy, form), max_retries=2) as model:
            assert ask(model, way).error is None
        assert len(proxy.connects) == 3


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", ["direct", *FORMS])
def test_an_untrusted_certificate_is_tried_once(network: Network, form: str, way: str) -> None:
    skip_for_old_asyncio(form)
    base_url = f"https://127.0.0.1:{network.stranger}/api/v1"
    with proxying(tls=network.context if form == "https" else None) as proxy:
        url = None if form == "direct" else url_of(proxy, form)
        with network.model(url, base_url=base_url, max_retries=5) as model:
            error = failure_of(ask(model, way), KimiConnectionError)
        assert len(proxy.connects) == (0 if form == "direct" else 1)
    assert error.attempts == ()
    assert not error.is_retryable
    assert "verify" in error.advice
    assert "SSL_CERT_FILE" in error.advice


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
def test_an_untrusted_certificate_of_the_proxy_is_tried_once(network: Network, way: str) -> None:
    with (
        proxying(tls=network.context) as proxy,
        network.model(url_of(proxy, "https"), verify=True, max_retries=5) as model,
    ):
        error = failure_of(ask(model, way), KimiConnectionError)
        assert proxy.connects == []
    assert error.attempts == ()
    assert "verify" in error.advice


@pytest.mark.parametrize("way", WAYS)
def test_the_certificate_of_an_https_proxy_is_trusted_by_verify(network: Network, way: str) -> None:
    skip_for_old_asyncio("https")
    context = ssl.create_default_context(cafile=network.certificate)
    with proxying(tls=network.context) as proxy:
        for verify in (network.certificate, context, False):
            with network.model(url_of(proxy, "https"), verify=verify) as model:
                assert ask(model, way).error is None, verify
        assert len(proxy.connects) == 3
