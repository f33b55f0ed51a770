"""Predict the provider that will serve a request, and keep the turns of a conversation at one provider."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from langchain_core.messages import AIMessage, BaseMessage

from langchain_kimi._openrouter.wire import JSONObject, WireBody, WireMessage, provider_slug

_ROUTER = "openrouter"
# Domains that differ from the provider's slug.
_SLUGS = {"moonshot": "moonshotai"}


def serving_host(preferences: Mapping[str, Any], base_url: str, messages: Sequence[BaseMessage]) -> str | None:
    """Return the slug of the provider that will most likely serve a request; None if it cannot be predicted.

    Args:
        preferences: The request's `provider` object. The first provider of `order`, or the only one of `only`, serves
            the request.
        base_url: The base URL of the request, used if nothing else determines the provider. It may be a provider's own
            endpoint.
        messages: The conversation. The provider of its last reply usually serves the next one, because it has the
            conversation in its cache.
    """
    allowed, order = _slugs(preferences.get("only")), _slugs(preferences.get("order"))
    if first := next((slug for slug in order if not allowed or slug in allowed), None):
        return first
    if len(allowed) == 1:
        return allowed[0]
    last = next((slug for slug in map(host_of, answers_in(messages)) if slug), None)
    ignored = last in _slugs(preferences.get("ignore")) or (allowed and last not in allowed)
    return (None if ignored else last) or host_of_url(base_url)


def host_of_url(url: str) -> str | None:
    """Return the slug of the provider that a URL's domain belongs to; None for OpenRouter and for IP addresses."""
    labels = (urlsplit(url).hostname or "").split(".")
    if len(labels) == 1 or labels[-1].isdigit() or ":" in labels[0] or labels[-2] == _ROUTER:
        return None
    return _SLUGS.get(labels[-2], labels[-2])


def host_of(message: AIMessage) -> str | None:
    """Return the slug of the provider of a reply; None if the reply does not name it."""
    name = message.response_metadata.get("provider")
    # Some servers send an object here.
    return provider_slug(name) if isinstance(name, str) and name.strip() else None


def _slugs(names: Any) -> list[str]:
    """Return the provider slugs of a preference, without the part after a slash, which names one endpoint."""
    return [provider_slug(name).partition("/")[0] for name in names or () if isinstance(name, str)]


def answers_in(messages: Sequence[BaseMessage]) -> Iterator[AIMessage]:
    """Return an iterator over the model's replies in a conversation, from the newest to the oldest."""
    return (message for message in reversed(messages) if isinstance(message, AIMessage))


_ID_LENGTH = 32
_SYSTEM = ("system", "developer")


def keep_together(
    body: WireBody,
    messages: Sequence[BaseMessage],
    arguments: Mapping[str, Any],
    *,
    auto_session: bool,
    sticky_provider: bool,
) -> WireBody:
    """Return the body with the fields that keep the turns of a conversation at one provider.

    Args:
        body: The request body; it is not modified.
        messages: The conversation, whose replies name their providers.
        arguments: The call's own arguments. A `session_id` among them takes precedence, even if it is None.
        auto_session: Whether to add a session id if the body has neither a `session_id` nor a `prompt_cache_key`.
        sticky_provider: Whether to put the provider of the last reply first in `provider.order`.
    """
    parameters, changed = cast("JSONObject", body), cast("JSONObject", {})
    is_free = "session_id" not in arguments and not (parameters.get("session_id") or parameters.get("prompt_cache_key"))
    if auto_session and is_free and (session := conversation_id(body["messages"])):
        changed["session_id"] = session
    if sticky_provider and (preferences := _with_last_host(parameters.get("provider") or {}, messages)):
        changed["provider"] = preferences
    return cast("WireBody", {**body, **changed}) if changed else body


def conversation_id(messages: Sequence[WireMessage]) -> str | None:
    """Return an id of a conversation: 32 hexadecimal digits, a digest of its first system and first user message.

    It is None without a user message, because otherwise all conversations with the same system message would share it.
    """
    user = next((message for message in messages if message.get("role") == "user"), None)
    if user is None:
        return None
    system = next((message for message in messages if message.get("role") in _SYSTEM), None)
    try:
        text = json.dumps([system and system.get("content"), user.get("content")], sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        # The body cannot be serialized either, and `body_bytes` raises an error that explains it.
        return None
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH]


def _with_last_host(preferences: Mapping[str, Any], messages: Sequence[BaseMessage]) -> JSONObject | None:
    # With fallbacks switched off, an order would end the conversation when its provider fails.
    if preferences.get("order") or preferences.get("only") or preferences.get("allow_fallbacks") is False:
        return None
    slug = next(map(host_of, answers_in(messages)), None)
    if slug is None or slug in map(provider_slug, preferences.get("ignore") or ()):
        return None
    return {**preferences, "order": [slug]}
