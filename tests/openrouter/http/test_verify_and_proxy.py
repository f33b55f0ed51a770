"""Checks of the `verify` and `proxy` settings."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi._openrouter.http.endpoint import check_proxy, check_verify


@pytest.mark.parametrize("value", [True, False, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)])
def test_a_valid_verify_setting_is_unchanged(value: Any) -> None:
    assert check_verify(value) is value


def test_a_path_becomes_a_string(tmp_path: Path) -> None:
    assert check_verify(tmp_path) == check_verify(str(tmp_path)) == str(tmp_path)


@pytest.mark.parametrize("value", [None, 1, "", "no-such-file.pem", b"bytes", object()])
def test_an_invalid_verify_setting_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="verify must be True, False"):
        check_verify(value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:3128", "https://proxy.example", "socks5://user:pass@[::1]:1080"])
def test_a_valid_proxy_is_unchanged(url: str) -> None:
    assert check_proxy(url) == url


@pytest.mark.parametrize("nothing", [None, ""])
def test_proxy_none_uses_no_proxy(nothing: str | None) -> None:
    assert check_proxy(nothing) is None


SECRET = "swordfish"


INVALID_PROXIES = (
    f"ftp://me:{SECRET}@proxy", f"me:{SECRET}@proxy:1", f"http://:{SECRET}@", f"http://me:{SECRET}@proxy:0",
    f"http://[{SECRET}", f"http://me@proxy:{SECRET}", b"http://proxy:1", 3128,
)  # fmt: skip


@pytest.mark.parametrize("url", INVALID_PROXIES)
def test_an_invalid_proxy_is_refused_without_repeating_it(url: Any) -> None:
    with pytest.raises(ValueError, match="proxy must be a URL") as caught:
        check_proxy(url)
    assert SECRET not in str(caught.value)
