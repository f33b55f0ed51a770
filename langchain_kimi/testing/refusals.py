"""Refusals in OpenRouter's words: the error bodies that validation and faults send."""

import json
from collections.abc import Mapping

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.http1 import Response
from langchain_kimi.testing.serving import json_response

USER = "user_emulated"
"""The account that refused requests are charged to; told wherever a key was recognised."""


class Refusal(Exception):  # noqa: N818 - an answer that validation gives, not a failure of the emulator
    """A request that is refused with this status, message and metadata."""

    def __init__(self, status: int, message: str, metadata: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.metadata = metadata

    def response(self) -> Response:
        """Write the refusal as an HTTP response."""
        return json_response(self.status, error_body(self.status, self.message, self.metadata))


def error_body(status: int, message: str, metadata: Mapping[str, object] | None = None) -> JSONObject:
    """Write an error's envelope: message, integer code, metadata where there is any, and the account."""
    error: JSONObject = {"message": message, "code": status}
    if metadata is not None:
        error["metadata"] = dict(metadata)
    return {"error": error} if status == 401 else {"error": error, "user_id": USER}  # noqa: PLR2004 - the status


def invalid(message: str) -> Refusal:
    """Refuse a request that OpenRouter itself finds wrong."""
    return Refusal(400, message, {"provider_name": None})


def refused_upstream(message: str, provider: str = "Moonshot AI") -> Refusal:
    """Refuse a request that the host finds wrong: its own words are in `metadata.raw`."""
    raw = json.dumps({"error": {"message": message, "type": "invalid_request_error"}})
    return Refusal(400, "Provider returned error", {"provider_name": provider, "raw": raw})
