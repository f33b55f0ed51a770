"""The emulated `/batches` of OpenRouter."""

from collections.abc import Mapping
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.batches import FINISHED, AnswerRow, Batches, BatchJob, expiry, number_in, rows_of
from langchain_kimi.testing.behavior import Behavior
from langchain_kimi.testing.catalog import PROVIDERS, is_slug
from langchain_kimi.testing.http1 import Response
from langchain_kimi.testing.received_requests import ReceivedRequest
from langchain_kimi.testing.rejections import RejectedRequestError
from langchain_kimi.testing.responses import json_response

MAX_ROWS, MAX_BYTES = 5_000, 200_000_000
DISCOUNT = 0.5
ENDPOINT = "/v1/chat/completions"
_NEVER = ("stream", "modalities", "audio", "image_config", "models", "provider")


def respond(received: ReceivedRequest, path: str, batches: Batches, behavior: Behavior, answer: AnswerRow) -> Response:
    """Return the response to a request for batches.

    Args:
        received: The request, with a valid key.
        path: The path after `/batches`.
        batches: The batches.
        behavior: The switches.
        answer: Returns the reply to a row.

    Raises:
        RejectedRequestError: The request is invalid, or there is no such batch.
    """
    name, _, rest = path.strip("/").partition("/")
    if not name:
        if received.method == "POST":
            return json_response(202, _object(_submitted(received, batches, behavior), with_results=False))
        return json_response(200, _list(batches, received.query, answer))
    if received.method == "DELETE" and not rest:
        batches.delete(name)
        return json_response(200, {"id": name, "object": "batch", "deletion": {"openrouter": "deleted"}})
    if received.method != "GET" or rest not in {"", "results"}:
        raise RejectedRequestError(405, "Method Not Allowed")
    job = batches.get(name)
    if rest:
        return json_response(200, _page(job, behavior, received.query))
    job.advance(_with_model(job, answer))
    if job.status in FINISHED and job.ending.refusal is not None:
        status, message = job.ending.refusal
        return json_response(
            status, {**_object(job, with_results=False), "error": {"code": status, "message": message}}
        )
    return json_response(200, _object(job, with_results=not behavior.batch_page))


def _submitted(received: ReceivedRequest, batches: Batches, behavior: Behavior) -> BatchJob:
    body = received.body
    if not isinstance(body, dict):
        raise RejectedRequestError(400, "Invalid JSON")
    names = list(body)
    if "requests" in names and not {"endpoint", "model"} <= set(names[: names.index("requests")]):
        raise RejectedRequestError(400, "endpoint and model must come before requests in the body")
    if body.get("endpoint") != ENDPOINT or not is_slug(body.get("model")):
        raise RejectedRequestError(400, "endpoint, model: expected the endpoint and the model of all requests")
    if body.get("completion_window", "24h") != "24h":
        raise RejectedRequestError(400, "completion_window: only 24h is supported")
    rows = rows_of(body.get("requests"))
    if len(rows) > MAX_ROWS or len(received.raw) > (behavior.batch_bytes or MAX_BYTES):
        raise RejectedRequestError(413, f"A batch has at most {MAX_ROWS} requests and {MAX_BYTES} bytes")
    if any(row.get("model") not in {None, body["model"]} for _, row in rows):
        raise RejectedRequestError(400, "requests: every model must be that of the batch")
    return batches.add(body["model"], rows, behavior.batch_states, provider=_provider(body.get("provider")))


def _provider(preferences: Any) -> str:
    """Return the display name of the provider of a batch.

    Raises:
        RejectedRequestError: There are other preferences than batches have (400), or no such provider (404).
    """
    preferences = preferences or {}
    if set(preferences) - {"only", "allow_fallbacks"}:
        raise RejectedRequestError(400, "provider: only provider.only and provider.allow_fallbacks are supported")
    allowed = preferences.get("only") or list(PROVIDERS)
    names = [PROVIDERS[slug] for slug in allowed if slug in PROVIDERS]
    if not names:
        raise RejectedRequestError(404, "No provider matches provider.only")
    return names[0]


def _with_model(job: BatchJob, answer: AnswerRow) -> AnswerRow:
    """Return the function that answers a row; a row with something that batches do not support fails the batch."""
    if fault := next(filter(None, (_fault(body) for _, body in job.rows)), None):
        job.states, job.ending = [], type(job.ending)(status="failed", message=fault)
    provider = job.facts["provider"]

    def answered(body: JSONObject) -> tuple[int, JSONObject]:
        status, reply = answer({"model": job.model, **body})
        return status, {**reply, "provider": provider} if "choices" in reply else reply

    return answered


def _fault(body: JSONObject) -> str | None:
    if wrong := [name for name in _NEVER if body.get(name)]:
        return f"{wrong[0]} is not supported in batches"
    contents = [message.get("content") for message in body.get("messages") or ()]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    urls = [part["image_url"]["url"] for part in parts if part.get("type") == "image_url"]
    if any(not url.startswith("http") for url in urls) or any(part.get("type") == "input_audio" for part in parts):
        return "Batch does not support this content; images must be public URLs"
    return None


def _object(job: BatchJob, *, with_results: bool) -> JSONObject:
    has_ended = job.status in FINISHED
    usage = {**dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0), **job.usage}
    return {
        "id": job.id,
        "object": "batch",
        "endpoint": ENDPOINT,
        "model": job.model,
        "provider": job.facts["provider"],
        "status": job.status,
        "completion_window": "24h",
        "created_at": job.created,
        "expires_at": expiry(job),
        "finalized_at": job.created if has_ended else None,
        "request_counts": job.counts,
        "usage": {**usage, "cost": job.cost * DISCOUNT, "is_byok": False} if has_ended else None,
        "error": {"message": job.ending.message or "The batch failed."} if job.status == "failed" else None,
        "results": job.results if has_ended and with_results and job.status != "failed" else None,
    }


def _list(batches: Batches, query: Mapping[str, str], answer: AnswerRow) -> JSONObject:
    jobs, more = batches.page(query)
    for job in jobs:
        job.advance(_with_model(job, answer))
    data = [_object(job, with_results=False) for job in jobs]
    ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return {"object": "list", "data": data, **ends, "has_more": more}


def _page(job: BatchJob, behavior: Behavior, query: Mapping[str, str]) -> JSONObject:
    if job.status not in FINISHED:
        raise RejectedRequestError(404, "The batch has no results yet")
    start = number_in(query, "cursor", 0)
    end = start + (behavior.batch_page or len(job.results) or 1)
    return {"data": job.results[start:end], "next_cursor": str(end) if end < len(job.results) else None}
