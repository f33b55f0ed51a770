"""Recognize replies that are an error themselves, without the key `error`."""

from typing import Any

from langchain_kimi._openrouter.error_messages import as_text, named_message
from langchain_kimi._openrouter.retry_after import number_of
from langchain_kimi._openrouter.wire import JSONObject, WireError

WORD_KEYS = ("code", "error_code")
NUMBER_KEYS = ("code", "error_code", "status_code", "statusCode", "status")
KIND_KEYS = ("object", "type", "status", "event")
OWN_KEYS = ("detail", "errors", "error_msg", "error_message", "errorMessage")
"""Keys that only errors have."""
SUCCESS = frozenset({"", "0", "200", "ok", "success"})
BAD_REQUEST = 400


def bare_error(reply: JSONObject) -> WireError | None:
    """Return the error that a reply without choices is itself, as vLLM, MiniMax, Alibaba Cloud and gateways send it."""
    words = [code for code in map(reply.get, WORD_KEYS) if isinstance(code, str) and code.lower() not in SUCCESS]
    numbers = (*map(reply.get, NUMBER_KEYS), _code_of_minimax(reply.get("base_resp")))
    code = next((code for code in numbers if (number_of(code) or 0) >= BAD_REQUEST), next(iter(words), None))
    is_marked = "error" in [*map(reply.get, KIND_KEYS)] or reply.get("success") is False
    if not (is_marked or code is not None or any(map(reply.get, OWN_KEYS))):
        return None
    message = named_message(reply)
    return {"message": message, "code": code, "type": as_text(reply.get("type"))} if message else None


def _code_of_minimax(status: Any) -> Any:
    return status.get("status_code") if isinstance(status, dict) else None
