"""Errors whose fields have any type and depth."""

from typing import Any

import pytest

from langchain_kimi._openrouter.errors import error_from_reply
from langchain_kimi.errors import KimiServerError, KimiStatusError, RawReply
from tests.openrouter.errors_of import HEADERS, raised, within
from tests.openrouter.failure_cases import NOW

NONSENSE: list[Any] = [None, True, 0, -1, 1e400, "", "x", "²", [], [[]], [1], {}, {"a": {}}, {"error": {"error": []}}]
OF_THE_ERROR = ("code", "message", "metadata", "error_type", "http_status", "availability")
OF_THE_METADATA = (
    "raw",
    "error_type",
    "headers",
    "provider_name",
    "model_slug",
    "limit_source",
    "reasons",
    "availability",
)
OF_THE_AVAILABILITY = ("retryable", "retry_after", "excluded_by", "constraint", "fallback_models")
OF_THE_REPLY = ("id", "model", "provider", "usage", "choices", "error")


@pytest.mark.uncovered
@pytest.mark.parametrize(
    "keys",
    [
        *((key,) for key in OF_THE_REPLY),
        *(("error", key) for key in OF_THE_ERROR),
        *(("error", "metadata", key) for key in OF_THE_METADATA),
        *(("error", "availability", key) for key in OF_THE_AVAILABILITY),
    ],
)
def test_malformed_error_fields_do_not_raise(keys: tuple[str, ...]) -> None:
    for value in NONSENSE:
        reply: dict[str, Any] = {"error": {"message": "Provider returned error", "code": 429}}
        place = reply
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
        for status in (200, 400, 403, 429, 502):
            for error in (within(reply, status), raised(status, reply)):
                assert isinstance(error, KimiStatusError)
                assert str(error)


def test_deeply_nested_errors_do_not_raise() -> None:
    assert raised(500, "[" * 100_000).reason.startswith("[[[")
    nested: Any = "deep"
    for _ in range(200):
        nested = {"error": nested}
    assert type(raised(500, {"error": {"message": "error", "metadata": {"raw": nested}}})) is KimiServerError


@pytest.mark.parametrize("kind", [list, dict])
def test_an_error_too_deep_to_be_written_is_still_an_error(kind: type) -> None:
    """Near the limit a reply can be read and not be written: the rest of the stack may be higher then."""
    nested: Any = 1
    for _ in range(100_000):
        nested = [nested] if kind is list else {"a": nested}
    places: list[Any] = [
        {"error": nested},
        {"error": {"message": nested}},
        {"error": {"message": {"error": {"code": nested}}}},
        {"error": {"message": "error", "metadata": {"raw": nested, "limit_source": nested}}},
    ]
    for place in places:
        error = error_from_reply(place, RawReply(500, HEADERS, ""), now=NOW)
        assert type(error) is KimiServerError
        assert str(error)
