"""Proxies and certificates of the environment."""

import re
from pathlib import Path

import certifi
import pytest

from langchain_kimi._openrouter.http.clients import close, sync_client_for
from langchain_kimi._openrouter.http.connection import Connection
from langchain_kimi._openrouter.http.environment import (
    CERTIFICATE_VARIABLES,
    bypasses_proxy,
    check_socks,
    proxy_host,
    system_proxy,
    tls_context,
)
from langchain_kimi.errors import KimiUsageError

URL = "https://openrouter.ai/api/v1"
PROXY = "http://127.0.0.1:3128"
SECRET = "swordfish"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "all", "no"):
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            monkeypatch.delenv(name, raising=False)
    for name in CERTIFICATE_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("name", "value", "url", "proxy"),
    [
        ("HTTPS_PROXY", PROXY, URL, PROXY),
        ("https_proxy", "127.0.0.1:3128", URL, PROXY),
        ("HTTPS_PROXY", PROXY, "http://example.com", None),
        ("HTTP_PROXY", PROXY, "http://example.com", PROXY),
        ("ALL_PROXY", PROXY, URL, PROXY),
        ("HTTPS_PROXY", "", URL, None),
    ],
)
def test_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, url: str, proxy: str | None
) -> None:
    monkeypatch.setenv(name, value)
    assert system_proxy(url) == proxy


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "all_proxy"])
@pytest.mark.parametrize("value", [f"socks://me:{SECRET}@127.0.0.1:1080", f"ftp://{SECRET}", f"http://me:{SECRET}@"])
def test_an_invalid_proxy_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(KimiUsageError, match=f"The environment variable {name} is not the URL") as caught:
        system_proxy(URL)
    assert SECRET not in str(caught.value)
    monkeypatch.setenv("NO_PROXY", "openrouter.ai")
    assert system_proxy(URL) is None


@pytest.mark.parametrize("proxy", [None, PROXY, "https://proxy.example"])
def test_other_proxies_need_no_package(proxy: str | None) -> None:
    check_socks(proxy, "proxy")


def test_a_socks_proxy_without_its_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(KimiUsageError, match=r"proxy is a SOCKS proxy.*pip install 'httpx\[socks\]'"):
        check_socks("socks5://127.0.0.1:1080", "proxy")


@pytest.mark.parametrize(
    ("no_proxy", "url", "expected"),
    [
        ("", URL, False),
        ("*", URL, True),
        ("openrouter.ai", URL, True),
        (" .openrouter.ai , x", "https://eu.openrouter.ai", True),
        ("openrouter.ai", "https://openrouter.ai.example", False),
        ("*.openrouter.ai", "https://eu.openrouter.ai", True),
        ("router.ai", URL, False),
        ("openrouter.ai:443", URL, True),
        ("openrouter.ai:8443", URL, False),
        ("https://openrouter.ai", URL, True),
        ("http://openrouter.ai", URL, False),
        ("[::1]", "http://[::1]:8080/v1", True),
        ("::1", "http://[::1]:8080/v1", True),
        ("[::1]:8080", "http://[::1]:8080/v1", True),
        ("[::1]:81", "http://[::1]:8080/v1", False),
        ("fd00::/8", "http://[fd00::7]/v1", True),
        ("[fd00::]/8", "http://[fe80::7]/v1", False),
        ("10.0.0.0/8", "http://10.1.2.3", True),
        ("10.0.0.0/8", URL, False),
        ("127.0.0.1:81", "http://127.0.0.1:81", True),
        (",,", URL, False),
        ("example.com openrouter.ai\n", URL, True),
        ("10.*", "http://10.1.2.3", True),
        ("10.*", "http://100.1.2.3", False),
    ],
)
def test_no_proxy_excludes_hosts_and_networks(no_proxy: str, url: str, *, expected: bool) -> None:
    assert bypasses_proxy(url, no_proxy) is expected


@pytest.mark.parametrize("name", CERTIFICATE_VARIABLES)
def test_unreadable_certificates_of_the_environment_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, tmp_path: Path
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "missing.pem"))
    with pytest.raises(KimiUsageError, match=f"The certificates of the environment variable {name} cannot be read"):
        tls_context(verify=True)
    assert tls_context(verify=False)


def test_a_new_certificate_file_is_used_after_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    def context() -> object:
        with sync_client_for(Connection()) as client:
            return client._pool._ssl_context

    first = context()
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert context() is first
    close(Connection())
    assert context() is not first
    close(Connection())


def test_a_certificate_file_that_was_replaced_is_read_after_closing(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    certificates = Path(certifi.where()).read_text().split("-----END CERTIFICATE-----\n")

    def subjects(certificate: str) -> list[object]:
        file.write_text(certificate + "-----END CERTIFICATE-----\n")
        with sync_client_for(Connection(verify=str(file))) as client:
            return [one["serialNumber"] for one in client._pool._ssl_context.get_ca_certs()]

    first = subjects(certificates[0])
    assert subjects(certificates[1]) == first
    close(Connection(verify=str(file)))
    assert subjects(certificates[1]) != first
    close(Connection(verify=str(file)))
    file.unlink()
    with pytest.raises(KimiUsageError), sync_client_for(Connection(verify=str(file))):
        raise AssertionError


def test_the_error_names_the_setting() -> None:
    with pytest.raises(KimiUsageError, match=re.escape("Set verify to a file of PEM certificates")):
        tls_context(__file__)


def test_the_proxy_host_the_environment_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@10.0.0.1:3128")
    monkeypatch.setenv("NO_PROXY", "example.org")
    assert proxy_host("https://openrouter.ai/api/v1") == "10.0.0.1:3128"
    assert proxy_host("https://example.org/api/v1") is None
    assert proxy_host("https://openrouter.ai/api/v1", "socks5://me:secret@10.0.0.2:1080") == "10.0.0.2:1080"
    monkeypatch.setenv("HTTPS_PROXY", "ftp://10.0.0.1")
    assert proxy_host("https://openrouter.ai/api/v1") is None
