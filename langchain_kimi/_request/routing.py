"""Which host will serve a call, as far as it can be known beforehand, and what it billed for earlier turns."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from langchain_core.messages import AIMessage, BaseMessage
from pydantic import BaseModel

from langchain_kimi._openrouter.wire import JSONObject, WireBody, WireMessage, provider_slug

_ROUTER = "openrouter"
# Where a host's slug is not its domain.
_SLUGS = {"moonshot": "moonshotai"}


def serving_host(preferences: Mapping[str, Any], base_url: str, messages: Sequence[BaseMessage]) -> str | None:
    """Give the slug of the host that will serve a call, or most likely will; None if nothing tells.

    Args:
        preferences: The call's provider preferences, in the wire's form: the first in `order`, or the only one in
            `only`.
        base_url: Where calls go. If nothing else tells, it is a host's own endpoint, and no way to others.
        messages: The conversation: who served its last turn has it in the cache, and mostly serves the next one.
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
    """Give the slug of the host whose own endpoint a URL is, by its domain; None for OpenRouter and for addresses."""
    labels = (urlsplit(url).hostname or "").split(".")
    if len(labels) == 1 or labels[-1].isdigit() or ":" in labels[0] or labels[-2] == _ROUTER:
        return None
    return _SLUGS.get(labels[-2], labels[-2])


def host_of(message: AIMessage) -> str | None:
    """Give the slug of the host that gave an answer; None if it does not tell."""
    name = message.response_metadata.get("provider")
    # An object was seen in its place.
    return provider_slug(name) if isinstance(name, str) and name.strip() else None


def _slugs(given: Any) -> list[str]:
    """Give the slugs of hosts in a preference; what stands after a slash chooses among the machines of one host."""
    return [provider_slug(name).partition("/")[0] for name in given or () if isinstance(name, str)]


def answers_in(messages: Sequence[BaseMessage]) -> Iterator[AIMessage]:
    """Give the answers in a conversation, the newest first."""
    return (message for message in reversed(messages) if isinstance(message, AIMessage))


_ID_LENGTH = 32
_SYSTEM = ("system", "developer")


class KeepsCachesWarm(BaseModel, defer_build=True):
    """The part of a model that keeps a conversation's turns together; nothing of it is on unless asked for."""

    auto_session: bool = False
    """Whether a request without a `session_id` and a `prompt_cache_key` gets a session id of its conversation: a digest
    of its first system and first user message, the same in every turn. `session_id=None` in a call sends none."""

    sticky_provider: bool = False
    """Whether the host that served the conversation's last turn is asked first (`provider.order`), since its cache is
    warm; the others stay its fallbacks, and whichever answers is asked first from then on. Preferences of your own with
    `order`, `only` or `allow_fallbacks=False` are left alone. An order switches OpenRouter's own sticky routing and
    load balancing off, so this is for conversations that were seen to change hosts."""

    def kept_warm(self, body: WireBody, messages: Sequence[BaseMessage], given: Mapping[str, Any]) -> WireBody:
        """Give the body with what keeps its conversation together, as far as that is switched on.

        Args:
            body: The body as it would be sent; it is not changed.
            messages: The conversation, whose answers tell who gave them.
            given: The call's own parameters.
        """
        parameters, changed = cast("JSONObject", body), cast("JSONObject", {})
        is_free = "session_id" not in given and not (parameters.get("session_id") or parameters.get("prompt_cache_key"))
        if self.auto_session and is_free and (session := conversation_id(body["messages"])):
            changed["session_id"] = session
        if self.sticky_provider and (preferences := _with_last_host(parameters.get("provider") or {}, messages)):
            changed["provider"] = preferences
        return cast("WireBody", {**body, **changed}) if changed else body


def conversation_id(messages: Sequence[WireMessage]) -> str | None:
    """Give the id of a conversation, 32 hexadecimal digits: a digest of its first system and first user message.

    None without a user message: all conversations with the same system message would be one.
    """
    user = next((message for message in messages if message.get("role") == "user"), None)
    if user is None:
        return None
    system = next((message for message in messages if message.get("role") in _SYSTEM), None)
    said = json.dumps([system and system.get("content"), user.get("content")], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:_ID_LENGTH]


def _with_last_host(preferences: Mapping[str, Any], messages: Sequence[BaseMessage]) -> JSONObject | None:
    # Without fallbacks an order is a pin: the conversation would end when its host does.
    if preferences.get("order") or preferences.get("only") or preferences.get("allow_fallbacks") is False:
        return None
    slug = _last_host(messages)
    if slug is None or slug in (preferences.get("ignore") or ()):
        return None
    return {**preferences, "order": [slug]}


def _last_host(messages: Sequence[BaseMessage]) -> str | None:
    newest = next((message for message in reversed(messages) if isinstance(message, AIMessage)), None)
    return host_of(newest) if newest else None
