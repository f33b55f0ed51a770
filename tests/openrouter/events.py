"""Bytes of streamed replies in OpenRouter's format."""

import json
from typing import Any

DONE = b"data: [DONE]\n\n"
COMMENT = b": OPENROUTER PROCESSING\n\n"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cost": 0.00001}


def event(payload: Any) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()


def chunk(delta: dict[str, Any] | None = None, **more: Any) -> bytes:
    """Return an event with one choice. Other arguments are keys of the choice, or of the chunk if it has such keys."""
    top = {key: more.pop(key) for key in ("usage", "error", "provider", "id") if key in more}
    return event({"id": "gen-1", "choices": [{"index": 0, "delta": delta or {}, **more}], **top})


def text_event(text: str) -> bytes:
    return chunk({"role": "assistant", "content": text})


def finished(reason: str = "stop") -> bytes:
    return chunk({"role": "assistant", "content": ""}, finish_reason=reason)


BILLED = event({"id": "gen-1", "choices": [], "usage": USAGE})
WHOLE = (text_event("Hel"), text_event("lo"), finished(), BILLED, DONE)
