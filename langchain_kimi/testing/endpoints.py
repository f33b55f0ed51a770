"""The endpoints other than chat completions: models, key, credits, generations."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.catalog import KIMIS, PROVIDERS, Model, find, is_kimi, is_slug
from langchain_kimi.testing.hosts import EmulatedHost
from langchain_kimi.testing.http1 import Response
from langchain_kimi.testing.received_requests import ReceivedRequest
from langchain_kimi.testing.rejections import RejectedRequestError
from langchain_kimi.testing.responses import COMMON_HEADERS, OutgoingReply, json_response

_ROOT = "/api/v1/"
_MODELS_HEADERS = {"cache-control": "public, max-age=300, stale-while-revalidate=3600, stale-if-error=3600"}
_CREATED = 1_757_021_147
_UNSET_IN_GENERATIONS = (
    "app_id", "cache_discount", "external_user", "generation_time", "http_referer", "latency", "moderation_latency",
    "native_tokens_completion_images", "num_fetches", "num_input_audio_prompt", "num_media_completion",
    "num_media_prompt", "num_search_results", "preset_id", "provider_responses", "router", "service_tier",
    "upstream_inference_cost", "user_agent", "web_search_engine", "workspace_id",
)  # fmt: skip
"""Fields of `/generation` that are null here."""
_OTHERS = ("models/", "model/", "generation", "activity")
"""The beginnings of the paths that are not in `_PUBLIC` or `_PRIVATE`."""
_LIST_FILTERS = ("supported_parameters", "input_modalities", "model_authors")


def authorize(received: ReceivedRequest, api_key: str | None) -> None:
    """Check a request's bearer token.

    Raises:
        RejectedRequestError: There is no token, or another one than `api_key` (status 401).
    """
    if not received.has_key:
        raise RejectedRequestError(401, "Missing Authentication header")
    if api_key is not None and not received.sent_key(api_key):
        raise RejectedRequestError(401, "User not found.")


def preflight(received: ReceivedRequest) -> Response:
    """Return the response to the request by which a browser asks whether a page may call OpenRouter, as it may."""
    headers = {
        **COMMON_HEADERS,
        "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        "access-control-allow-headers": received.headers.get("access-control-request-headers", "*"),
        "access-control-max-age": "86400",
    }
    return Response(HTTPStatus.NO_CONTENT, headers, chunked=False)


class Generations:
    """The records of `/generation`. The first lookup of an id fails, because the real records appear with a delay."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, JSONObject] = {}
        self._requested_ids: set[str] = set()

    def add(self, outgoing: OutgoingReply, body: JSONObject) -> None:
        """Add the record of a reply to a request."""
        answer, usage = outgoing.answer, outgoing.answer.usage
        created = datetime.fromtimestamp(answer.created, UTC)
        with self._lock:
            self._records[answer.generation_id] = {
                **dict.fromkeys(_UNSET_IN_GENERATIONS),
                "id": answer.generation_id,
                "upstream_id": f"chatcmpl-{answer.generation_id[-20:]}",
                "api_type": "completions",
                "total_cost": usage.get("cost") or 0,
                "usage": usage.get("cost") or 0,
                "created_at": created.isoformat().replace("+00:00", "Z"),
                "data_region": "global",
                "model": answer.model,
                "origin": "",
                "streamed": outgoing.stream,
                "cancelled": False,
                "provider_name": answer.provider,
                "finish_reason": answer.finish_reason,
                "native_finish_reason": answer.native_finish_reason,
                "tokens_prompt": usage.get("prompt_tokens"),
                "tokens_completion": usage.get("completion_tokens"),
                "native_tokens_prompt": usage.get("prompt_tokens"),
                "native_tokens_completion": usage.get("completion_tokens"),
                "native_tokens_reasoning": (usage.get("completion_tokens_details") or {}).get("reasoning_tokens"),
                "native_tokens_cached": (usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
                "session_id": body.get("session_id"),
                "is_byok": bool(usage.get("is_byok")),
            }

    def activity(self, date: str | None) -> list[JSONObject]:
        """Return the usage of each day, model and provider, or of one day."""
        with self._lock:
            records = [*self._records.values()]
        groups: dict[tuple[str, str, str], list[JSONObject]] = {}
        for record in records:
            group = (record["created_at"][:10], record["model"], record["provider_name"])
            groups.setdefault(group, []).append(record)
        return [_activity(group, members) for group, members in groups.items() if date in (None, group[0])]

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


def _activity(group: tuple[str, str, str], records: list[JSONObject]) -> JSONObject:
    def total(name: str) -> float:
        return sum(record[name] or 0 for record in records)

    return {
        "date": group[0],
        "model": group[1],
        "model_permaslug": group[1],
        "endpoint_id": f"{group[1]}/{group[2]}",
        "provider_name": group[2],
        "requests": len(records),
        "usage": total("total_cost"),
        "byok_usage_inference": 0,
        "prompt_tokens": total("native_tokens_prompt"),
        "completion_tokens": total("native_tokens_completion"),
        "reasoning_tokens": total("native_tokens_reasoning"),
        "cached_tokens": total("native_tokens_cached"),
    }


def respond(
    received: ReceivedRequest, generations: Generations, api_key: str | None, hosts: Sequence[EmulatedHost] = ()
) -> Response:
    """Return the response to a request for another endpoint than chat completions.

    Raises:
        RejectedRequestError: The method, path or key is wrong.
    """
    path = received.path.removeprefix(_ROOT)
    if received.method not in ("GET", "HEAD"):
        is_known = path in _PUBLIC or path in _PRIVATE or path.startswith(_OTHERS)
        raise RejectedRequestError(405, "Method Not Allowed") if is_known else RejectedRequestError(404, "Not Found")
    if path in _PUBLIC:
        return json_response(200, _PUBLIC[path](received.query), _MODELS_HEADERS)
    if path.startswith("models/") and path.endswith("/endpoints"):
        slug = path.removeprefix("models/").removesuffix("/endpoints")
        return json_response(200, {"data": _endpoints(slug, hosts or _PLAIN_HOSTS)})
    if path.startswith("model/"):
        return json_response(200, {"data": _model(_kimi(path.removeprefix("model/")))})
    authorize(received, api_key)
    if path == "generation":
        return json_response(200, {"data": generations.look_up(received.query.get("id", ""))})
    if path == "activity":
        private = {"data": generations.activity(received.query.get("date"))}
    elif path in _PRIVATE:
        private = _PRIVATE[path]()
    else:
        raise RejectedRequestError(404, "Not Found")
    return json_response(200, private)


def _kimi(slug: str) -> Model:
    """Return a known model by any of its names.

    Raises:
        RejectedRequestError: The model is unknown (status 404).
    """
    model = find(slug)
    # A chat request without a valid slug is served by the default model.
    if not (is_slug(slug) and is_kimi(model)):
        raise RejectedRequestError(404, "Model not found")
    return model


def _models(query: Mapping[str, str]) -> JSONObject:
    """Return a page of the models that pass the filters of a query.

    Raises:
        RejectedRequestError: A number is malformed (status 400).
    """
    prices = _number(query, "min_price", 0), _number(query, "max_price", float("inf"))
    context = _number(query, "context", 0)
    rows = [
        _model(model)
        for model in KIMIS.values()
        if _passes(model, query) and model.context_length >= context and prices[0] <= model.prompt_price <= prices[1]
    ]
    start, limit = int(_number(query, "offset", 0)), int(_number(query, "limit", len(rows) or 1, least=1))
    more = f"/api/v1/models?offset={start + limit}&limit={limit}" if start + limit < len(rows) else None
    return {"data": rows[start : start + limit], "total_count": len(rows), "links": {"next": more}}


def _number(query: Mapping[str, str], name: str, default: float, least: float = 0) -> float:
    """Return a number of a query.

    Raises:
        RejectedRequestError: It is not a finite number, or less than `least` (status 400).
    """
    text = query.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value < float("inf"):
        raise RejectedRequestError(400, f"{name}: expected a number of at least {least}")
    return value


def _passes(model: Model, query: Mapping[str, str]) -> bool:
    wanted = {name: set(filter(None, query.get(name, "").split(","))) for name in _LIST_FILTERS}
    return (
        wanted["supported_parameters"] <= set(model.supported_parameters)
        and wanted["input_modalities"] <= set(model.inputs)
        and (not wanted["model_authors"] or model.slug.partition("/")[0] in wanted["model_authors"])
        and query.get("q", "").lower() in model.slug
    )


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
        "supported_voices": None,
        "default_parameters": {},
        "links": {"details": f"/api/v1/models/{model.canonical}/endpoints"},
    }


_PLAIN_HOSTS = tuple(EmulatedHost(tag=tag, name=name) for tag, name in PROVIDERS.items())


def _endpoints(slug: str, hosts: Sequence[EmulatedHost]) -> JSONObject:
    model = _kimi(slug)
    entry = _model(model)
    summary = {name: entry[name] for name in ("id", "name", "created", "description", "architecture")}
    return {**summary, "endpoints": [_endpoint(model, host) for host in hosts]}


def _endpoint(model: Model, host: EmulatedHost) -> JSONObject:
    return {
        "name": f"{host.name} | {model.canonical}",
        "model_id": model.slug,
        "model_name": model.slug,
        "provider_name": host.name,
        "tag": host.tag,
        "quantization": host.quantization,
        "context_length": model.context_length,
        "max_completion_tokens": model.max_completion_tokens,
        "max_prompt_tokens": None,
        "pricing": _pricing(host.priced(model)),
        "supported_parameters": [name for name in model.supported_parameters if name not in host.lacks],
        "native_tools": {},
        "service_tier": None,
        "status": -1 if host.fails else 0,
        "uptime_last_5m": host.uptime,
        "uptime_last_30m": host.uptime,
        "uptime_last_1d": host.uptime,
        "latency_last_30m": _percentiles(host.latency, 1.6),
        "throughput_last_30m": _percentiles(host.throughput, 0.6),
        "supports_implicit_caching": True,
        "supports_diarization": False,
        "supports_tool_choice": {"auto": True, "function": True, "none": True, "required": not host.no_required},
    }


def _percentiles(median: float, step: float) -> JSONObject:
    return {name: median * step**number for number, name in enumerate(("p50", "p75", "p90", "p99"))}


def _zdr_endpoints() -> JSONObject:
    """Return the endpoints with zero data retention: all except Moonshot AI's own."""
    hosts = [host for host in _PLAIN_HOSTS if host.tag != "moonshotai"]
    return {"data": [_endpoint(model, host) for model in KIMIS.values() for host in hosts]}


def _providers() -> JSONObject:
    policies = ("privacy_policy_url", "terms_of_service_url", "status_page_url", "headquarters", "datacenters")
    return {"data": [{"name": name, "slug": slug, **dict.fromkeys(policies)} for slug, name in PROVIDERS.items()]}


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
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 0,
        "allowed_data_regions": ["global"],
        "budgets": [],
        "effective_budget": None,
        "creator_user_id": None,
        "organization_id": None,
        "workspace_id": None,
        "free_model_daily_requests": {"limit": 1000, "remaining": 1000, "used": 0},
        "rate_limit": {"interval": "10s", "note": "This field is deprecated and safe to ignore.", "requests": -1},
        "is_free_tier": False,
        "is_management_key": False,
        "is_provisioning_key": False,
        "expires_at": None,
    }


_PUBLIC: Mapping[str, Callable[[Mapping[str, str]], JSONObject]] = {
    "models": _models,
    "models/count": lambda _: {"data": {"count": len(KIMIS)}},
    "providers": lambda _: _providers(),
    "endpoints/zdr": lambda _: _zdr_endpoints(),
}
"""The responses of the endpoints that need no key."""
_PRIVATE: Mapping[str, Callable[[], JSONObject]] = {
    "models/user": lambda: _models({}),
    "key": lambda: {"data": _key()},
    "auth/key": lambda: {"data": _key()},
    "credits": lambda: {"data": {"total_credits": 10.0, "total_usage": 2.5}},
}
"""The responses of the endpoints that need a key."""
