"""The endpoints other than chat completions: models, key, credits, generations."""

import threading
from datetime import UTC, datetime

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.catalog import KIMIS, PROVIDERS, Model
from langchain_kimi.testing.http1 import Response
from langchain_kimi.testing.received_requests import ReceivedRequest
from langchain_kimi.testing.rejections import RejectedRequestError
from langchain_kimi.testing.responses import OutgoingReply, json_response

_ROOT = "/api/v1/"
_MODELS_HEADERS = {"cache-control": "public, max-age=300, stale-while-revalidate=3600, stale-if-error=3600"}
_CREATED = 1_757_021_147


def authorize(received: ReceivedRequest, api_key: str | None) -> None:
    """Check a request's bearer token.

    Raises:
        RejectedRequestError: There is no token, or another one than `api_key` (status 401).
    """
    if not received.has_key:
        raise RejectedRequestError(401, "Missing Authentication header")
    if api_key is not None and not received.sent_key(api_key):
        raise RejectedRequestError(401, "User not found.")


class Generations:
    """The records of `/generation`. The first lookup of an id fails, because the real records appear with a delay."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, JSONObject] = {}
        self._requested_ids: set[str] = set()

    def add(self, outgoing: OutgoingReply, received: ReceivedRequest) -> None:
        """Add the record of a reply."""
        answer, usage = outgoing.answer, outgoing.answer.usage
        created = datetime.fromtimestamp(answer.created, UTC)
        with self._lock:
            self._records[answer.generation_id] = {
                "id": answer.generation_id,
                "upstream_id": f"chatcmpl-{answer.generation_id[-20:]}",
                "total_cost": usage["cost"],
                "usage": usage["cost"],
                "created_at": created.isoformat().replace("+00:00", "Z"),
                "model": answer.model,
                "streamed": outgoing.stream,
                "cancelled": False,
                "provider_name": answer.provider,
                "finish_reason": answer.finish_reason,
                "native_finish_reason": answer.native_finish_reason,
                "tokens_prompt": usage["prompt_tokens"],
                "tokens_completion": usage["completion_tokens"],
                "native_tokens_prompt": usage["prompt_tokens"],
                "native_tokens_completion": usage["completion_tokens"],
                "native_tokens_reasoning": usage["completion_tokens_details"]["reasoning_tokens"],
                "native_tokens_cached": usage["prompt_tokens_details"]["cached_tokens"],
                "session_id": received.body.get("session_id"),
                "is_byok": False,
            }

    def look_up(self, generation_id: str) -> JSONObject:
        """Return the record of a reply.

        Raises:
            RejectedRequestError: There is no such record, or this is the first lookup of the id (status 404).
        """
        with self._lock:
            record = self._records.get(generation_id)
            if record is None or generation_id not in self._requested_ids:
                self._requested_ids.add(generation_id)
                raise RejectedRequestError(404, f"Generation {generation_id} not found")
            return record


def respond(received: ReceivedRequest, generations: Generations, api_key: str | None) -> Response:
    """Return the response to a request for another endpoint than chat completions.

    Raises:
        RejectedRequestError: The method, path or key is wrong.
    """
    path = received.path.removeprefix(_ROOT)
    if received.method != "GET":
        raise RejectedRequestError(405, "Method Not Allowed")
    if path == "models":
        models = [_model(model) for model in KIMIS.values()]
        return json_response(
            200, {"data": models, "total_count": len(models), "links": {"next": None}}, _MODELS_HEADERS
        )
    if path.startswith("models/") and path.endswith("/endpoints"):
        return json_response(200, {"data": _endpoints(path.removeprefix("models/").removesuffix("/endpoints"))})
    authorize(received, api_key)
    if path == "key":
        return json_response(200, {"data": _key()})
    if path == "credits":
        return json_response(200, {"data": {"total_credits": 10.0, "total_usage": 2.5}})
    if path == "generation":
        return json_response(200, {"data": generations.look_up(received.query.get("id", ""))})
    raise RejectedRequestError(404, "Not Found")


def _price(dollars_per_million: float) -> str:
    return f"{dollars_per_million / 1e6:.10f}".rstrip("0")


def _pricing(model: Model) -> JSONObject:
    return {
        "prompt": _price(model.prompt_price),
        "completion": _price(model.completion_price),
        "input_cache_read": _price(model.cache_price),
        "discount": 0,
    }


def _architecture(model: Model) -> JSONObject:
    return {
        "modality": "+".join(model.inputs) + "->text",
        "input_modalities": list(model.inputs),
        "output_modalities": ["text"],
        "tokenizer": "Other",
        "instruct_type": None,
    }


def _model(model: Model) -> JSONObject:
    return {
        "id": model.slug,
        "canonical_slug": model.canonical,
        "name": "MoonshotAI: " + model.slug.partition("/")[2],
        "created": _CREATED,
        "description": "",
        "context_length": model.context_length,
        "architecture": _architecture(model),
        "pricing": _pricing(model),
        "top_provider": {
            "context_length": model.context_length,
            "max_completion_tokens": model.max_completion_tokens,
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": list(model.supported_parameters),
        "default_parameters": {},
    }


def _endpoints(slug: str) -> JSONObject:
    model = KIMIS.get(slug)
    if model is None:
        raise RejectedRequestError(404, "Model not found")
    endpoints = [
        {
            "name": f"{provider} | {model.canonical}",
            "model_id": model.slug,
            "model_name": model.slug,
            "provider_name": provider,
            "tag": tag,
            "quantization": "unknown",
            "context_length": model.context_length,
            "max_completion_tokens": model.max_completion_tokens,
            "max_prompt_tokens": None,
            "pricing": _pricing(model),
            "supported_parameters": list(model.supported_parameters),
            "status": 0,
            "uptime_last_30m": 100,
            "supports_implicit_caching": True,
        }
        for tag, provider in PROVIDERS.items()
    ]
    entry = _model(model)
    summary = {name: entry[name] for name in ("id", "name", "created", "description", "architecture")}
    return {**summary, "endpoints": endpoints}


def _key() -> JSONObject:
    return {
        "label": "sk-or-v1-...",
        "limit": 10,
        "limit_remaining": 7.5,
        "limit_reset": None,
        "include_byok_in_limit": False,
        "usage": 2.5,
        "usage_daily": 0.5,
        "usage_weekly": 1.0,
        "usage_monthly": 2.5,
        "byok_usage": 0,
        "is_free_tier": False,
        "is_management_key": False,
        "expires_at": None,
    }
