import pytest

from langchain_kimi._openrouter.http.endpoint import (
    attribution_headers,
    check_header,
    hidden_headers,
    hidden_text,
    request_headers,
)
from langchain_kimi._version import __version__

KEY = "planted-key"


def test_unset_attribution_sends_no_headers() -> None:
    assert attribution_headers(None, None, None) == {}
    assert attribution_headers("", "", []) == {}


def test_attribution_is_sent_in_openrouters_headers() -> None:
    assert attribution_headers("https://app.example", "App", ["cli-agent", "writing"]) == {
        "HTTP-Referer": "https://app.example",
        "X-OpenRouter-Title": "App",
        "X-OpenRouter-Categories": "cli-agent,writing",
    }


@pytest.mark.parametrize(("streamed", "accept"), [(True, "text/event-stream"), (False, "application/json")])
def test_the_headers_of_every_request(*, streamed: bool, accept: str) -> None:
    assert request_headers(KEY, {"HTTP-Referer": "https://app.example"}, None, streamed=streamed) == {
        "Authorization": f"Bearer {KEY}",
        "Content-Type": "application/json",
        "Accept": accept,
        "User-Agent": f"langchain-kimi-openrouter/{__version__}",
        "HTTP-Referer": "https://app.example",
    }


@pytest.mark.parametrize(
    ("name", "replaced"),
    [
        ("authorization", "Authorization"),
        ("USER-AGENT", "User-Agent"),
        ("accept", "Accept"),
        ("http-referer", "HTTP-Referer"),
        ("X-Title", "X-OpenRouter-Title"),
        ("x-openrouter-title", "X-OpenRouter-Title"),
    ],
)
def test_a_users_header_replaces_ours_in_any_case(name: str, replaced: str) -> None:
    attribution = attribution_headers("https://app.example", "App", None)
    ours = request_headers(KEY, attribution, {}, streamed=False)
    theirs = request_headers(KEY, attribution, {name: "mine"}, streamed=False)
    assert theirs == {**{key: value for key, value in ours.items() if key != replaced}, name: "mine"}


def test_another_header_is_added() -> None:
    assert request_headers(KEY, {}, {"X-Session": "7"}, streamed=False)["X-Session"] == "7"


@pytest.mark.parametrize(("name", "value"), [("X-One", "a b~!"), ("x", ""), ("X_Two", "1")])
def test_a_valid_header_is_accepted(name: str, value: str) -> None:
    check_header(name, value)


@pytest.mark.parametrize("name", ["", "X One", "X:", "Käse", "X\n", "(x)", "a/b", "\t"])
def test_an_invalid_header_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a valid header name"):
        check_header(name, "x")


@pytest.mark.parametrize(
    "name", ["Transfer-Encoding", "content-length", "CONNECTION", "Host", "te", "Upgrade", "Expect"]
)
def test_a_header_of_the_http_client_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"The header {name} cannot be set"):
        check_header(name, "x")


@pytest.mark.parametrize("value", ["secret\r\nX-Evil: 1", "secret\n", "sécret", "secret\x00", "secret\x7f", "secret\t"])
def test_an_invalid_header_value_is_refused_without_repeating_it(value: str) -> None:
    with pytest.raises(ValueError, match="X-One must be printable ASCII") as refused:
        check_header("X-One", value)
    assert "cret" not in str(refused.value)


def test_the_repr_of_settings_does_not_show_secrets() -> None:
    assert hidden_text("http://me:password@proxy") == "http://me:password@proxy"
    assert "password" not in repr(hidden_text("http://me:password@proxy"))
    assert hidden_headers({"X-One": "secret"}) == {"X-One": "secret"}
    assert repr(hidden_headers({"X-One": "secret"})) == "{'X-One': '**********'}"
    assert (hidden_text(None), hidden_headers(None)) == (None, None)
