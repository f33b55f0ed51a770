import pytest

from langchain_kimi._openrouter.http.endpoint import check_base_url, keeps_secrets


@pytest.mark.parametrize(
    "url",
    [
        "https://openrouter.ai/api/v1",
        "http://localhost:8080",
        "http://127.0.0.1:8080/api/v1/",
        "https://[2001:db8::1]:8443/v1",
        "HTTPS://Example.com",
    ],
)
def test_an_http_or_https_url_is_accepted(url: str) -> None:
    check_base_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "openrouter.ai/api/v1",
        "ftp://example.com",
        "https://",
        "https:///v1",
        "https://example.com:port",
        "https://example.com:99999",
        "https://example.com:0",
        "https://[::1",
        "https://example.com/v1?key=secret",
        "https://example.com/v1?",
        "https://example.com/v1#part",
    ],
)
def test_other_urls_are_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(ValueError, match="must be an http or https URL") as caught:
        check_base_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("user", ["user:password", "user", ":password", "user%40example.com:password", ""])
def test_a_url_with_user_or_password_is_refused(user: str) -> None:
    with pytest.raises(ValueError, match="must not contain a user name or a password") as caught:
        check_base_url(f"https://{user}@example.com/v1")
    assert "password@" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://example.com", True),
        ("http://localhost/v1", True),
        ("http://LOCALHOST/v1", True),
        ("http://127.0.0.1", True),
        ("http://127.255.255.254:80", True),
        ("http://[::1]:80", True),
        ("http://example.com", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://0.0.0.0", False),
        ("http://10.0.0.1", False),
        ("http://[fe80::1]", False),
        ("http:///nowhere", False),
    ],
)
def test_a_key_is_safe_over_https_and_on_loopback(url: str, is_safe: bool) -> None:  # noqa: FBT001 - a column of the table
    assert keeps_secrets(url) is is_safe
