"""The errors of responses, and of replies whose status is not an error."""

import json
from typing import Any, cast

from langchain_kimi._openrouter.errors import error_from_reply, error_from_response
from langchain_kimi._openrouter.wire import WireEvent
from langchain_kimi.errors import KimiError, RawReply
from tests.openrouter.failure_cases import NOW

HEADERS = {"x-generation-id": "gen-of-the-head", "content-type": "application/json"}


def raised(status: int, body: Any, **headers: str) -> KimiError:
    text = body if isinstance(body, str) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_from_response(status, HEADERS | named, text, now=NOW)


def within(body: Any, status: int = 200) -> KimiError:
    """Return the error inside a reply whose status is not an error."""
    return error_from_reply(cast("WireEvent", body), RawReply(status, HEADERS, json.dumps(body)), now=NOW)
