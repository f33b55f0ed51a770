"""What keeps the turns of a conversation where its prompt is cached: one session, and the host of the last turn."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage
from pydantic import BaseModel

from langchain_kimi._messages.serving_host import host_of
from langchain_kimi.openrouter.wire import JSONObject, WireBody, WireMessage

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
