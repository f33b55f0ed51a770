"""The error responses to invalid requests, as OpenRouter and its providers write them."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.http1 import Response
from langchain_kimi.testing.responses import json_response

USER = "user_emulated"
"""The account id in errors. OpenRouter sends one whenever it recognized the API key."""


class RejectedRequestError(Exception):
    """The emulator rejects a request.

    Attributes:
        status: The HTTP status of the response.
        message: The error message.
        metadata: The `metadata` of the error, or None for none.
    """

    def __init__(self, status: int, message: str, metadata: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.metadata = metadata

    def response(self) -> Response:
        """Return the HTTP response for this error."""
        return json_response(self.status, error_body(self.status, self.message, self.metadata))


def error_body(status: int, message: str, metadata: Mapping[str, object] | None = None) -> JSONObject:
    """Return the body of an error: its message, integer code and metadata, and the account unless the key is bad."""
    error: JSONObject = {"message": message, "code": status}
    if metadata is not None:
        error["metadata"] = dict(metadata)
    return {"error": error} if status == HTTPStatus.UNAUTHORIZED else {"error": error, "user_id": USER}


def invalid(message: str) -> RejectedRequestError:
    """Return the error for a request that OpenRouter itself rejects."""
    return RejectedRequestError(400, message, {"provider_name": None})


def rejected_upstream(message: str, provider: str = "Moonshot AI") -> RejectedRequestError:
    """Return the error for a request that the provider rejects, with the provider's error in `metadata.raw`."""
    raw = json.dumps({"error": {"message": message, "type": "invalid_request_error"}})
    return RejectedRequestError(400, "Provider returned error", {"provider_name": provider, "raw": raw})
