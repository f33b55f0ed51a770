"""Odd values of the environment variables: each one works, or its error names the variable, in all four ways."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi import ChatKimi, KimiError, KimiUsageError
from langchain_kimi._openrouter.http.environment import CERTIFICATE_VARIABLES
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask
from tests.conftest import KEY
from tests.faults.relay import certificate, relaying
from tests.rows import each_row

# Nothing listens on port 1, so a proxy there fails at once.
CLOSED = "127.0.0.1:1"


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CERTIFICATE_VARIABLES:
        monkeypatch.delenv(name, raising=False)


async def outcome(way: Way, **settings: Any) -> KimiError | str:
    """Return the text of a reply, or the error of the constructor or the call."""
    try:
        model = ChatKimi(max_retries=0, timeout={"connect": 5, "idle": 5}, **settings)
    except KimiError as error:
        return error
    # A client that was created earlier has another environment.
    model.close()
    try:
        return str((await ask(model, way)).text)
    except KimiError as error:
        return error
    finally:
        model.close()
        await model.aclose()


async def outcomes(patch: pytest.MonkeyPatch, variable: str, value: str, **settings: Any) -> list[KimiError | str]:
    with patch.context() as environment:
        environment.setenv(variable, value)
        return [await outcome(way, **settings) for way in WAYS]


def all_work(results: list[KimiError | str]) -> bool:
    return all(isinstance(result, str) and result for result in results)


def all_name(results: list[KimiError | str], variable: str) -> bool:
    return all(isinstance(result, KimiError) and variable in str(result) for result in results)


PROXY_VALUES = (
    ("", True), (" ", True), ("\n", True), ("http://{proxy}", True), ("{proxy}", True), ("HTTP://{proxy}/", True),
    (" http://{proxy}\r\n", True), ("http://user:p%40ss@{proxy}", True), ("http://ü:ß@{proxy}", True),
    ('"http://{proxy}"', False), ("'{proxy}'", False), ("//{proxy}", False), ("http:/{proxy}", False),
    (CLOSED, False), (f"http://{CLOSED}", False), (f"socks5://{CLOSED}", False), (f"SOCKS5h://{CLOSED}", False),
    ("socks://127.0.0.1:1", False), ("socks4://127.0.0.1:1", False), ("direct://", False), ("ftp://{proxy}", False),
    ("http://", False), ("http://:80", False), ("http://127.0.0.1:0", False), ("http://127.0.0.1:99999", False),
    ("http://127.0.0.1:port", False), ("http://[::1", False), ("http://a b:1", False), ("http://a..b", False),
    (f"http://{'a' * 64}", False), ("http://no-such-host.invalid:80", False), ("none", False),
    ("http://u:\udcff@x", False), ("http://\u2603.invalid:80", False), ("http://b\u00fccher.invalid:80", False),
)  # fmt: skip


@each_row("value, works", PROXY_VALUES)
async def test_a_proxy(monkeypatch: pytest.MonkeyPatch, server: Emulator, value: str, *, works: bool) -> None:
    base_url = server.base_url
    value = value.replace("{proxy}", base_url.split("/")[2])
    for variable in ("HTTP_PROXY", "all_proxy"):
        results = await outcomes(monkeypatch, variable, value, api_key=KEY, base_url=base_url)
        assert all_work(results) if works else all_name(results, variable), results


NO_PROXY_VALUES = (
    "*", "127.0.0.1", " 127.0.0.1 ", "127.0.0.0/8", "[::1],127.0.0.1", "::1, fe80::/10,127.0.0.1:{port}",
    "http://127.0.0.1", "127.0.0.1/255.0.0.0", ",,127.0.0.1,", "[,127.0.0.1", "[]:,127.0.0.1", "\udcff,127.0.0.1",
    "fe80::1%eth0,127.0.0.1", "://,127.0.0.1", "example.com 127.0.0.1", "127.*",
)  # fmt: skip


@each_row("value", NO_PROXY_VALUES)
async def test_hosts_without_a_proxy(monkeypatch: pytest.MonkeyPatch, server: Emulator, value: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{CLOSED}")
    value = value.replace("{port}", server.base_url.split(":")[2].split("/")[0])
    results = await outcomes(monkeypatch, "NO_PROXY", value, api_key=KEY, base_url=server.base_url)
    assert all_work(results), results


KEYS = (
    ("key", True), (" key ", True), ("key\n", True), ("key\r\n", True), ("\tkey", True), ("\ufeffkey", True),
    ("key\u00a0", True), ("", False), (" ", False), ("\n", False), ("'key'", False), ('"key"', False),
    ("Bearer key", False), ("k\ny", False), ("k\x7f", False), ("k\x0by", False), ("kéy", False), ("k\udcff", False),
    ("sk-or-v1-…", False), ("<your key>", False), ("“key”", False), ("key # comment", False), ("k\u200by", False),
    ("`key`", False), ("key,", False), ("key;", False), ("Bearer:key", False), ("OPENROUTER_API_KEY=key", False),
    ("export OPENROUTER_API_KEY=key", False), ("b'key'", False), ("key\\n", False), ("k=e;y'z=", True),
)  # fmt: skip


@each_row("value, works", KEYS)
async def test_a_key(monkeypatch: pytest.MonkeyPatch, server: Emulator, value: str, *, works: bool) -> None:
    results = await outcomes(monkeypatch, "OPENROUTER_API_KEY", value, base_url=server.base_url)
    assert all_work(results) if works else all_name(results, "OPENROUTER_API_KEY"), results
    assert works or not value.strip() or all(value not in str(result) for result in results)


async def test_a_refused_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(api_key="another") as server:
        for variable, host in (("OPENROUTER_API_KEY", "openrouter"), ("MOONSHOT_API_KEY", "moonshot")):
            results = await outcomes(monkeypatch, variable, "${KEY}", base_url=server.base_url, host=host)
            assert all(f"The key comes from the environment variable {variable}." in str(one) for one in results)


BASE_URLS = (
    ("{url}", True), ("{url}/", True), (" {url}\n", True), ("\ufeff{url}", True), ("{url}/chat/completions", True),
    ("{url}/chat/completions/", True), ("HTTP{url:4}", True), ("'{url}'", False), ("{url};", False),
    ("{url} {url}", False),
    ("{url}?x=1", False), ("{url}#x", False), ("{url}/other", False), ("http://", False), ("http:", False),
    ("ftp://x", False), ("127.0.0.1:8000/v1", False), ("localhost", False), ("//x/y", False), ("none", False),
    ("http://user:password@127.0.0.1/v1", False), ("http://[::1", False), ("http://127.0.0.1:99999", False),
    ("http://a..b/v1", False), ("http://example.com/v1", False), (f"http://{CLOSED}/api/v1", False), ("\udcff", False),
    ("http://127.0.0.1:port/v1", False), ("https://no-such-host.invalid/v1", False),
)  # fmt: skip


@each_row("value, works", BASE_URLS)
async def test_a_base_url(monkeypatch: pytest.MonkeyPatch, server: Emulator, value: str, *, works: bool) -> None:
    value = value.replace("{url}", server.base_url).replace("{url:4}", server.base_url[4:])
    results = await outcomes(monkeypatch, "OPENROUTER_API_BASE", value, api_key=KEY)
    assert all_work(results) if works else all_name(results, "OPENROUTER_API_BASE"), results


OTHERS = (
    ("OPENROUTER_APP_TITLE", " My app\n", True), ("OPENROUTER_APP_TITLE", "Bürger", False),
    ("OPENROUTER_APP_URL", " https://example.com ", True), ("OPENROUTER_APP_URL", "a\nb", False),
    ("OPENROUTER_SESSION_ID", " \n", True), ("OPENROUTER_SESSION_ID", "x" * 257, False),
    ("KIMI_TOKENIZER", "/nonexistent", True), ("KIMI_CACHE_DIR", "/proc/none", True), ("HF_HOME", "/dev/null", True),
    ("LANGSMITH_PROJECT", "a/b\n", True), ("LANGCHAIN_TRACING_V2", "maybe", True),
    ("LANGSMITH_ENDPOINT", "nowhere", True),
)  # fmt: skip


@each_row("variable, value, works", OTHERS)
async def test_other_variables(
    monkeypatch: pytest.MonkeyPatch, server: Emulator, variable: str, value: str, *, works: bool
) -> None:
    results = await outcomes(monkeypatch, variable, value, api_key=KEY, base_url=server.base_url)
    assert all_work(results) if works else all_name(results, variable), results


@pytest.mark.covered
async def test_a_file_for_the_keys_of_connections(
    monkeypatch: pytest.MonkeyPatch, server: Emulator, tmp_path: Path
) -> None:
    file, context = certificate(tmp_path)
    with relaying(int(server.base_url.split(":")[2].split("/")[0]), tls=context) as relay:
        url = f"https://127.0.0.1:{relay.port}/api/v1"
        # The contexts of other settings may be those of an earlier test.
        settings: dict[str, Any] = {"api_key": KEY, "base_url": url, "verify": str(file)}
        results = await outcomes(monkeypatch, "SSLKEYLOGFILE", str(tmp_path / "none" / "keys"), **settings)
        assert all_name(results, "The file of the environment variable SSLKEYLOGFILE cannot be written"), results
        assert all_work(await outcomes(monkeypatch, "SSLKEYLOGFILE", str(tmp_path / "keys"), **settings))


def test_settings_of_the_environment_that_are_refused_are_usage_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "two words")
    with pytest.raises(KimiUsageError, match="OPENROUTER_API_KEY must be printable ASCII") as caught:
        ChatKimi()
    assert caught.value.__cause__ is None
    assert "two words" not in repr(caught.value)


CERTIFICATES = (
    ("{file}", True), (" {file}\n", True), ("{folder}", None), ("", None), (" ", None), ("/nonexistent", False),
    ("/dev/null", False), ("'{file}'", False), ("a" * 5000, False), ("\udcff", False), ("{file}/", False),
    ("~/certificates.pem", False),
)  # fmt: skip
"""The values, and whether they work; None: they are read, but do not contain the certificate of the server."""


def test_certificates(monkeypatch: pytest.MonkeyPatch, server: Emulator, tmp_path: Path) -> None:
    file, context = certificate(tmp_path)
    (folder := tmp_path / "folder").mkdir()
    with relaying(int(server.base_url.split(":")[2].split("/")[0]), tls=context) as relay:
        for template, works in CERTIFICATES:
            value = template.replace("{file}", str(file)).replace("{folder}", f"{folder}:/nonexistent")
            for variable in CERTIFICATE_VARIABLES:
                results = asyncio.run(
                    outcomes(
                        monkeypatch, variable, value, api_key=KEY, base_url=f"https://127.0.0.1:{relay.port}/api/v1"
                    )
                )
                # An error about an untrusted certificate names the usual variable, also if nothing is set.
                named = variable if value.strip() else "SSL_CERT_FILE"
                assert all_work(results) if works else all_name(results, named), (variable, value, results)
