"""The expected message of a recording, computed from its bytes with the standard library alone.

Nothing of the package is used here, so that a mistake in it cannot hide in its own expectation. A stream is added up
to the reply that the same call would have given plain; from there on there is one way.
"""

import json
from dataclasses import dataclass
from typing import Any

from tests.recordings.exchanges import Reply

JSONObject = dict[str, Any]

KNOWN_TOP = frozenset({"choices", "error", "id", "model", "object", "created", "provider", "usage", "user_id"})
KNOWN_MESSAGE = frozenset(
    {"role", "content", "tool_calls", "reasoning", "reasoning_content", "reasoning_details", "annotations"}
)
KIND_OF_STATUS = {
    400: "KimiInvalidRequestError",
    401: "KimiAuthenticationError",
    403: "KimiPermissionError",
    404: "KimiNotFoundError",
    429: "KimiRateLimitError",
    502: "KimiServerError",
}
KIND_OF_WORDS = {
    (400, "is not a valid model ID"): "KimiNotFoundError",
    (400, "maximum context length is"): "KimiContextOverflowError",
    (403, "Content violates usage guidelines"): "KimiModerationError",
}


@dataclass(frozen=True)
class Failure:
    """The expected parts of an error."""

    kind: str
    status: int
    code: int
    provider: str | None
    metadata: JSONObject
    raw: Any
    reason: str
    usage: JSONObject | None
    http_status: int
    generation_id: str | None
    model: str | None
    """The model that answered, or None."""
    partial: JSONObject | None
    """The partial message, or None if nothing of an answer came."""


def events_of(body: bytes) -> list[JSONObject]:
    lines = body.decode().splitlines()
    data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    return [json.loads(text) for text in data if text != "[DONE]"]


def reply_of(reply: Reply) -> JSONObject:
    """Return the recorded response in its plain form."""
    return summed(events_of(reply.body)) if reply.is_stream else json.loads(reply.body)


def message_of(reply: JSONObject) -> JSONObject:
    """Return the expected message of a response."""
    choice = reply["choices"][0]
    message = choice["message"]
    valid, invalid = tool_calls_of(message)
    return {
        "content": message.get("content") or "",
        "tool_calls": valid,
        "invalid_tool_calls": invalid,
        "additional_kwargs": kwargs_of(message),
        "response_metadata": metadata_of(reply, choice),
        "usage_metadata": usage_of(reply),
    }


def tool_calls_of(message: JSONObject) -> tuple[list[JSONObject], list[JSONObject]]:
    valid, invalid = [], []
    for call in message.get("tool_calls") or []:
        name, text = call["function"]["name"], call["function"].get("arguments") or ""
        try:
            arguments = json.loads(text) if text.strip() else {}
        except ValueError:
            arguments = None
        if isinstance(arguments, dict):
            valid.append({"name": name, "args": arguments, "id": call["id"]})
        else:
            invalid.append({"name": name, "args": text, "id": call["id"]})
    return valid, invalid


def kwargs_of(message: JSONObject) -> JSONObject:
    reasoning = message.get("reasoning") or message.get("reasoning_content")
    kwargs = {key: value for key, value in message.items() if key not in KNOWN_MESSAGE}
    kwargs["reasoning_content"] = reasoning
    if reasoning and not message.get("reasoning"):
        kwargs["reasoning_key"] = "reasoning_content"
    if not reasoning and (thought := "".join(_text_of_detail(part) for part in message.get("reasoning_details") or ())):
        kwargs |= {"reasoning_content": thought, "reasoning_key": "reasoning_details"}
    kwargs["reasoning_details"] = message.get("reasoning_details")
    kwargs["annotations"] = message.get("annotations")
    return kwargs_without_empty(kwargs)


def _text_of_detail(part: JSONObject) -> str:
    text: str = part.get("text") or part.get("summary") or ""
    return text


def kwargs_without_empty(kwargs: JSONObject) -> JSONObject:
    """Remove empty values; an empty `reasoning_details` stays, because some models need it back."""
    details = kwargs.get("reasoning_details")
    return {**without_empty(kwargs), **({} if details is None else {"reasoning_details": details})}


def metadata_of(reply: JSONObject, choice: JSONObject) -> JSONObject:
    usage = wire_usage_of(reply) or {}
    metadata = {key: value for key, value in reply.items() if key not in KNOWN_TOP}
    metadata |= {key: reply.get(key) for key in ("id", "object", "created", "provider")}
    metadata |= {key: choice.get(key) for key in ("finish_reason", "native_finish_reason")}
    metadata |= {key: usage.get(key) for key in ("cost", "cost_details", "is_byok", "server_tool_use_details")}
    metadata["logprobs"] = deep_without_empty(choice.get("logprobs"))
    metadata["model_name"] = reply["model"]
    metadata["model_provider"] = "openrouter"
    metadata["token_usage"] = usage
    message = choice["message"]
    has_content = any(message.get(key) for key in ("content", "tool_calls"))
    # The words of a hint are the package's own: what it is about is worked out here.
    thought = bool(message.get("reasoning") or message.get("reasoning_details"))
    metadata["normalized_finish_reason"] = _normalized(choice.get("finish_reason"), message)
    metadata["hint"] = {"thought": thought} if choice.get("finish_reason") == "length" and not has_content else None
    return without_empty(metadata)


def _normalized(finish: str | None, message: JSONObject) -> str | None:
    """Return LangChain's word for a recorded finish reason."""
    if finish and message.get("refusal"):
        return "refusal"
    if finish == "end_turn":
        finish = "stop"
    has_calls = finish == "tool_calls" or (finish == "stop" and message.get("tool_calls"))
    return "tool_call" if has_calls else finish


def wire_usage_of(reply: JSONObject) -> JSONObject | None:
    usage: JSONObject | None = reply.get("usage") or reply["choices"][0].get("usage")
    return usage


def usage_of(reply: JSONObject) -> JSONObject | None:
    usage = wire_usage_of(reply)
    if usage is None:
        return None
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    return without_empty(
        {
            "input_tokens": usage["prompt_tokens"],
            "output_tokens": usage["completion_tokens"],
            "total_tokens": usage["total_tokens"],
            "input_token_details": without_empty(
                {
                    "cache_read": prompt.get("cached_tokens", usage.get("cached_tokens")),
                    "cache_creation": prompt.get("cache_write_tokens"),
                    "audio": prompt.get("audio_tokens"),
                }
            ),
            "output_token_details": without_empty(
                {"reasoning": completion.get("reasoning_tokens"), "audio": completion.get("audio_tokens")}
            ),
        }
    )


def without_empty(things: JSONObject) -> JSONObject:
    """Null, missing and empty are equal; zero and false are not."""
    return {key: value for key, value in things.items() if value not in (None, "", [], {})}


def deep_without_empty(thing: Any) -> Any:
    if isinstance(thing, dict):
        return without_empty({key: deep_without_empty(value) for key, value in thing.items()})
    return [deep_without_empty(one) for one in thing] if isinstance(thing, list) else thing


def failure_of(reply: Reply) -> Failure | None:
    """Return the expected error of a response, or None if it is an answer."""
    if reply.is_stream:
        events = events_of(reply.body)
        body = summed(events)
        error = next((event["error"] for event in events if "error" in event), None)
    else:
        body = json.loads(reply.body)
        error = body.get("error") or next((c["error"] for c in body.get("choices") or [] if "error" in c), None)
    if error is None:
        return None
    metadata = error.get("metadata") or {}
    status = reply.status if reply.status >= 400 else error["code"]
    raw = as_json(metadata.get("raw"))
    reason = upstream_words(raw) if error["message"] == "Provider returned error" else error["message"].strip()
    by_words = (kind for (code, words), kind in KIND_OF_WORDS.items() if code == status and words in reason)
    return Failure(
        kind=next(by_words, KIND_OF_STATUS[status]),
        status=status,
        code=error["code"],
        provider=metadata.get("provider_name") or body.get("provider"),
        metadata=metadata,
        raw=raw,
        reason=reason,
        usage=body.get("usage"),
        http_status=reply.status,
        generation_id=body.get("id") or reply.headers.get("x-generation-id"),
        model=body.get("model"),
        partial=partial_of(body) if body.get("choices") else None,
    )


def partial_of(body: JSONObject) -> JSONObject:
    """Return the partial message; none of its tool calls is valid."""
    message = message_of(body)
    calls = [
        {"name": call["function"]["name"], "args": call["function"].get("arguments") or "", "id": call["id"]}
        for call in body["choices"][0]["message"].get("tool_calls") or []
    ]
    return {**message, "tool_calls": [], "invalid_tool_calls": calls}


def as_json(raw: Any) -> Any:
    try:
        return json.loads(raw)
    except (TypeError, ValueError):
        return raw


def upstream_words(raw: Any) -> str:
    """Return the innermost message of an upstream error."""
    while isinstance(raw, dict | list):
        keys = ("error", "errors", "message", "msg")
        raw = raw[0] if isinstance(raw, list) else next((raw[key] for key in keys if raw.get(key)), "")
    return str(raw or "")


def summed(events: list[JSONObject]) -> JSONObject:
    """Return the plain form of a stream."""
    choices = [choice for event in events for choice in event.get("choices") or []]
    deltas = [choice.get("delta") or {} for choice in choices]
    usages = [event["usage"] for event in events if event.get("usage")]
    usages = usages or [choice["usage"] for choice in choices if choice.get("usage")]
    reply = first_of_each(events, without=KNOWN_TOP - {"model", "object", "created", "provider"})
    # A relay's first chunk has an id of its own; OpenRouter's is the one by which a call can be looked up.
    ids = [event["id"] for event in events]
    reply["id"] = next((one for one in ids if one.startswith("gen-")), ids[0])
    reply["usage"] = usages[-1] if usages else None
    texts = ("content", "refusal", "reasoning", "reasoning_content")
    message: JSONObject = {key: "".join(delta.get(key) or "" for delta in deltas) for key in texts}
    message["tool_calls"] = summed_calls([call for delta in deltas for call in delta.get("tool_calls") or []])
    details = [delta["reasoning_details"] for delta in deltas if delta.get("reasoning_details") is not None]
    message["reasoning_details"] = summed_details([piece for some in details for piece in some]) if details else None
    message["annotations"] = [note for delta in deltas for note in delta.get("annotations") or []]
    facts = first_of_each(choices, without=frozenset({"delta", "usage", "logprobs"}))
    logprobs = summed_logprobs([choice["logprobs"] for choice in choices if choice.get("logprobs")])
    reply["choices"] = [{**facts, "logprobs": logprobs, "message": message}]
    return reply


def first_of_each(things: list[JSONObject], *, without: frozenset[str]) -> JSONObject:
    """Return the first value of each key that is not empty."""
    first: JSONObject = {}
    for thing in things:
        for key, value in thing.items():
            if key not in without and value not in (None, ""):
                first.setdefault(key, value)
    return first


def summed_calls(pieces: list[JSONObject]) -> list[JSONObject]:
    """Return one call per index, and per id where one index has several."""
    calls: list[JSONObject] = []
    current: dict[int, JSONObject] = {}
    for piece in pieces:
        call = current.get(piece["index"])
        if call is None or (piece.get("id") and piece["id"] != call["id"]):
            call = {"id": piece["id"], "function": {"name": piece["function"]["name"], "arguments": ""}}
            current[piece["index"]] = call
            calls.append(call)
        call["function"]["arguments"] += piece["function"].get("arguments") or ""
    return calls


def summed_details(pieces: list[JSONObject]) -> list[JSONObject]:
    """Merge neighbors of one type and index; encrypted entries are not merged."""
    details: list[JSONObject] = []
    for piece in pieces:
        last = details[-1] if details else {}
        same = (last.get("type"), last.get("index")) == (piece["type"], piece.get("index"))
        if not same or piece["type"] == "reasoning.encrypted":
            details.append(dict(piece))
            continue
        for key, value in piece.items():
            if key in ("text", "summary"):
                last[key] = last.get(key, "") + value
            elif not last.get(key):
                last[key] = value
    return details


def summed_logprobs(pieces: list[JSONObject]) -> JSONObject:
    joined: JSONObject = {}
    for piece in pieces:
        for key, value in piece.items():
            joined[key] = (joined.get(key) or []) + value if isinstance(value, list) else joined.get(key, value)
    return joined
