"""Replies that are an error themselves."""

from typing import Any, cast

import pytest

from langchain_kimi._openrouter.bare_errors import bare_error
from langchain_kimi._openrouter.errors import error_from_reply, find_error
from langchain_kimi._openrouter.wire import WireEvent
from langchain_kimi.errors import KimiRateLimitError, KimiServerError, RawReply


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ({"object": "error", "message": "It broke", "type": "BadRequestError", "param": None}, None),
        ({"type": "error", "message": "It broke"}, None),
        ({"status": "error", "title": "It broke"}, None),
        ({"event": "error", "data": {"message": "It broke"}}, None),
        ({"success": False, "msg": "It broke"}, None),
        ({"detail": "It broke"}, None),
        ({"errors": [{"message": "It broke"}], "choices": []}, None),
        ({"error_msg": "It broke", "error_code": 336103}, 336103),
        ({"code": "429", "message": "It broke"}, "429"),
        ({"code": "InvalidParameter", "message": "It broke"}, "InvalidParameter"),
        ({"status": 429, "title": "It broke"}, 429),
        ({"choices": None, "base_resp": {"status_code": 2013, "status_msg": "It broke"}}, 2013),
    ],
)
def test_a_reply_may_be_an_error_itself(reply: Any, code: Any) -> None:
    assert (bare_error(reply) or {}).get("message") == "It broke"
    error = error_from_reply(reply, RawReply(200), now=0.0)
    assert isinstance(error, KimiRateLimitError if code in {429, "429"} else KimiServerError)
    assert (error.reason, error.code) == ("It broke", code)


@pytest.mark.parametrize(
    "reply",
    [
        {"object": "chat.completion.chunk", "choices": [], "usage": {}},
        {"base_resp": {"status_code": 0, "status_msg": "success"}},
        {"code": 200, "message": "Request accepted"},
        {"code": "ok", "message": "Request accepted"},
        {"status": "queued", "message": "You are second in line"},
        {"type": "ping"},
        {"type": "error"},
        {"detail": None, "errors": []},
    ],
)
def test_other_replies_without_choices_are_not_errors(reply: Any) -> None:
    assert bare_error(reply) is None
    assert find_error(reply) is None


def test_a_reply_with_choices_is_not_an_error() -> None:
    assert find_error(cast("WireEvent", {"choices": [{"delta": {}}], "code": 500, "message": "It broke"})) is None
