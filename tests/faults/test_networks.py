"""Tests of proxies, private certificates, redirects and failed connections."""

import copy
import os
import pickle
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi.errors import (
    KimiConnectionError,
    KimiError,
    KimiServerError,
    KimiStatusError,
    KimiTimeoutError,
    KimiUnexpectedStatusError,
)
from langchain_kimi.testing import Emulator, RawReply, Reply
from tests.conftest import KEY
from tests.faults.relay import certificate, relaying
from tests.faults.ways import WAYS, QuickKimi, ask, model_of
from tests.interpreters import Interpreter

TEXT = "Here."
NOWHERE = "http://kimi.example/api/v1"
"""A host without a DNS entry, which only a proxy can serve."""


def refused(status: int) -> bytes:
    return b"HTTP/1.1 %d Refused\r\ncontent-length: 0\r\n\r\n" % status


@pytest.fixture
def openrouter() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.script(Reply(text=TEXT), times=None)
        yield emulator


def proxy_of(openrouter: Emulator) -> str:
    # For plain http, the request is sent to the proxy with the whole URL in its first line.
    return openrouter.base_url.removesuffix("/api/v1")


@pytest.mark.parametrize("way", WAYS)
def test_a_proxy_as_a_setting(openrouter: Emulator, way: str) -> None:
    with QuickKimi(
        api_key=KEY, base_url=NOWHERE, allow_insecure_http=True, proxy=proxy_of(openrouter), max_retries=0
    ) as model:
        outcome = ask(model, way)
    assert outcome.error is None
    [request] = openrouter.requests
    assert request.headers["host"] == "kimi.example"


@pytest.mark.parametrize("way", WAYS)
def test_a_proxy_of_the_environment(openrouter: Emulator, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy_of(openrouter))
    model = QuickKimi(api_key=KEY, base_url=NOWHERE, allow_insecure_http=True, max_retries=0)
    # A client that was created earlier has another environment.
    model.close()
    assert ask(model, way).error is None
    model.close()
    assert len(openrouter.requests) == 1


@pytest.mark.parametrize("way", WAYS)
def test_no_proxy_bypasses_the_proxy(openrouter: Emulator, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with model_of(openrouter, max_retries=0) as model:
        model.close()
        assert ask(model, way).error is None


@dataclass(frozen=True)
class Behind:
    """An OpenRouter behind TLS."""

    openrouter: Emulator
    base_url: str
    certificate: Path


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def behind_tls(openrouter: Emulator, trust: tuple[Path, ssl.SSLContext]) -> Iterator[Behind]:
    port = int(openrouter.base_url.split(":")[2].split("/")[0])
    with relaying(port, tls=trust[1]) as relay:
        yield Behind(openrouter, f"https://127.0.0.1:{relay.port}/api/v1", trust[0])


def over_tls(behind: Behind, **settings: Any) -> QuickKimi:
    return QuickKimi(**{"api_key": KEY, "base_url": behind.base_url, "max_retries": 0, **settings})


@pytest.mark.parametrize("way", WAYS)
def test_a_server_with_an_unknown_certificate_is_refused(behind_tls: Behind, way: str) -> None:
    with over_tls(behind_tls) as model:
        error = ask(model, way).error
    assert isinstance(error, KimiConnectionError)
    assert "certificate" in str(error).lower()
    assert behind_tls.openrouter.requests == []


@pytest.mark.parametrize("way", WAYS)
def test_a_private_certificate_authority_can_be_trusted(behind_tls: Behind, way: str) -> None:
    context = ssl.create_default_context(cafile=behind_tls.certificate)
    for verify in (behind_tls.certificate, str(behind_tls.certificate), context, False):
        with over_tls(behind_tls, verify=verify) as model:
            outcome = ask(model, way)
            assert outcome.error is None, verify
    assert len(behind_tls.openrouter.requests) == 4


def test_pickles_and_copies_trust_the_same_certificates(behind_tls: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    context = ssl.create_default_context(cafile=behind_tls.certificate)
    by_path, by_context = (over_tls(behind_tls, verify=verify) for verify in (behind_tls.certificate, context))
    copies = (pickle.loads(pickle.dumps(by_path)), copy.deepcopy(by_path), copy.deepcopy(by_context))  # noqa: S301 - our own pickle
    for one in copies:
        with one:
            assert ask(one, "invoke").error is None
    # A context cannot be pickled. The default verification replaces it.
    assert pickle.loads(pickle.dumps(by_context)).verify is True  # noqa: S301 - our own pickle


def test_ssl_cert_file_in_all_four_ways(behind_tls: Behind, interpreter: Interpreter) -> None:
    # In its own process, because the certificates are loaded once.
    environment = {**os.environ, "SSL_CERT_FILE": str(behind_tls.certificate)}
    program = (
        "import sys; from tests.faults.ways import WAYS, QuickKimi, ask\n"
        "with QuickKimi(api_key='k', base_url=sys.argv[1], max_retries=0) as model:\n"
        "    for way in WAYS:\n"
        "        outcome = ask(model, way)\n"
        "        print(way, outcome.error or outcome.message.text)"
    )
    printed = interpreter.printed(program, behind_tls.base_url, environment=environment)
    assert printed.splitlines() == [f"{way} {TEXT}" for way in WAYS]


@pytest.mark.parametrize("way", WAYS)
def test_tls_through_a_proxy(behind_tls: Behind, way: str) -> None:
    with relaying() as proxy:
        url = f"http://user:secret@127.0.0.1:{proxy.port}"
        with over_tls(behind_tls, verify=str(behind_tls.certificate), proxy=url) as model:
            outcome = ask(model, way)
            assert "secret" not in repr(model)
    assert outcome.error is None
    assert len(proxy.connects) == 1
    # Headers for the server are not sent to the proxy.
    assert KEY not in proxy.headers[0]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (refused(407), "The proxy asks for a user name and a password"),
        (refused(403), "403"),
        (refused(502), "502"),
        (b"", "broke before a reply came"),
    ],
    ids=["407", "403", "502", "closed"],
)
def test_a_proxy_that_does_not_connect(behind_tls: Behind, refusal: bytes, reason: str, way: str) -> None:
    with relaying(refusal=refusal) as proxy:
        url = f"http://user:secret@127.0.0.1:{proxy.port}"
        with over_tls(behind_tls, verify=False, proxy=url) as model:
            error = ask(model, way).error
    assert isinstance(error, KimiConnectionError)
    assert reason in str(error)
    assert "the proxy" in str(error)
    assert error.is_retryable is (refusal != refused(407))
    assert "secret" not in f"{error!r} {error}"
    assert behind_tls.openrouter.requests == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("refusal", "kind", "reason"),
    [
        (refused(407), KimiUnexpectedStatusError, "The proxy asks for a user name and a password"),
        (refused(502), KimiServerError, "HTTP 502"),
        (b"", KimiConnectionError, "broke before a reply came"),
    ],
    ids=["407", "502", "closed"],
)
def test_a_proxy_that_does_not_forward(refusal: bytes, kind: type[KimiError], reason: str, way: str) -> None:
    with relaying(refusal=refusal) as proxy:
        url = f"http://user:secret@127.0.0.1:{proxy.port}"
        with QuickKimi(api_key=KEY, base_url=NOWHERE, allow_insecure_http=True, proxy=url, max_retries=0) as model:
            error = ask(model, way).error
    assert type(error) is kind
    assert reason in str(error)
    assert "secret" not in f"{error!r} {error}"
    assert proxy.connects == [f"{NOWHERE}/chat/completions"]


@pytest.mark.parametrize("way", WAYS)
def test_a_proxy_that_is_not_running(way: str) -> None:
    port = port_that_is_free()
    url = f"http://user:secret@127.0.0.1:{port}"
    with QuickKimi(api_key=KEY, base_url=NOWHERE, allow_insecure_http=True, proxy=url, max_retries=0) as model:
        error = ask(model, way).error
    assert isinstance(error, KimiConnectionError)
    assert f"through the proxy 127.0.0.1:{port} (ConnectError" in str(error)
    assert "secret" not in f"{error!r} {error}"


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no loopback of IPv6")
@pytest.mark.parametrize("way", WAYS)
def test_an_ipv6_server_can_be_called(openrouter: Emulator, way: str) -> None:
    port = int(openrouter.base_url.split(":")[2].split("/")[0])
    with (
        relaying(port, host="::1") as near,
        QuickKimi(api_key=KEY, base_url=f"http://[::1]:{near.port}/api/v1") as model,
    ):
        assert ask(model, way).error is None
    assert len(openrouter.requests) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(openrouter: Emulator, status: int, way: str) -> None:
    with Emulator() as elsewhere:
        openrouter.clear()
        openrouter.script(RawReply(status, {"location": elsewhere.base_url + "/chat/completions"}), times=None)
        with model_of(openrouter) as model:
            error = ask(model, way).error
        assert isinstance(error, KimiStatusError)
        assert error.status == status
        assert elsewhere.requests == []
    assert len(openrouter.requests) == 1


def port_that_is_free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("way", WAYS)
def test_a_refused_connection_is_a_connection_error(way: str) -> None:
    with QuickKimi(api_key=KEY, base_url=f"http://127.0.0.1:{port_that_is_free()}/v1") as model:
        error = ask(model, way).error
    assert isinstance(error, KimiConnectionError)
    assert not isinstance(error, KimiTimeoutError)
    assert str(error).startswith("No connection to 127.0.0.1")
    assert str(error).endswith("trying again may help.")
    assert len(error.attempts) == 2


@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_does_not_speak_http(way: str) -> None:
    with relaying(refusal=b"SSH-2.0-Something\r\n") as other:
        model = QuickKimi(api_key=KEY, base_url=f"http://127.0.0.1:{other.port}/v1", max_retries=0)
        error = ask(model, way).error
        model.close()
    assert isinstance(error, KimiConnectionError)
    assert str(error).startswith("The connection to 127.0.0.1 broke before a reply came")
