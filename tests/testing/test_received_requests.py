import pytest

from langchain_kimi.testing.http1 import HttpRequest
from langchain_kimi.testing.received_requests import ReceivedRequest


def received(body: bytes = b"", /, **headers: str) -> ReceivedRequest:
    return ReceivedRequest.of(HttpRequest("POST", "/a/b?c=1&c=2&d=x%20y", headers, body))


def test_the_target_is_split() -> None:
    request = received()
    assert (request.path, dict(request.query)) == ("/a/b", {"c": "2", "d": "x y"})


@pytest.mark.parametrize("name", ["authorization", "proxy-authorization", "cookie", "x-api-key"])
def test_secrets_are_redacted(name: str) -> None:
    assert received(**{name: "Bearer planted", "x-odd": "1"}).headers == {name: "[redacted]", "x-odd": "1"}


@pytest.mark.parametrize(("raw", "body"), [(b'{"a": 1}', {"a": 1}), (b"", None), (b"{", None), (b"[" * 9, None)])
def test_the_body_is_parsed_if_it_is_json(raw: bytes, body: object) -> None:
    request = received(raw)
    assert (request.raw, request.body) == (raw, body)


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    assert received(rb'["\uD83D\uDE00", "a\ud800", "\udc00b"]').body == ["\U0001f600", "a\ufffd", "\ufffdb"]


@pytest.mark.parametrize("levels", [501, 2000, 100_000])
def test_a_body_that_is_nested_very_deeply_is_no_body(levels: int) -> None:
    assert received(b"[" * levels + b"]" * levels).body is None
    assert received(b"[" * 500 + b"]" * 500).body is not None


def test_keys_of_json_objects_in_prompts() -> None:
    assert received(authorization="Bearer planted").sent_key("planted")
    assert received(authorization="bearer  planted").sent_key("planted")
    assert not received(authorization="Bearer planted").sent_key("other")
    assert not received().has_key
    assert not received(authorization="Basic planted").sent_key("planted")


@pytest.mark.parametrize("finished", [False, True])
def test_the_end_is_recorded(*, finished: bool) -> None:
    request = received()
    assert not request.wait(timeout=0)
    request.end(finished)
    assert request.wait(timeout=0)
    assert request.finished is finished
    assert (request.hung_up_at is None) is finished
