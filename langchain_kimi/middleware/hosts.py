"""Middleware that avoids providers with faulty replies, and then falls back to other models."""

import dataclasses
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain.agents.structured_output import StructuredOutputError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from langchain_kimi._openrouter.wire import provider_slug
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiEmptyReplyError, KimiMalformedReplyError, KimiNotFoundError, KimiUsageError
from langchain_kimi.middleware.repair import is_faulty

logger = logging.getLogger("langchain_kimi")

_KEY = "fallback"
_FAULTS = (KimiEmptyReplyError, KimiMalformedReplyError, StructuredOutputError)
_CUT = "length"
"""The finish reason of a reply that the limit of tokens ended, which is not a fault of the provider."""


class FallbackHosts(AgentMiddleware[AgentState[Any], Any, Any]):
    """Excludes providers with faulty replies for the rest of the conversation, and then falls back to other models.

    These are faults of a provider:

    * tool calls as markup in the text (a leak), even if this package repaired them,
    * an empty reply,
    * tool calls whose arguments are not valid JSON, or do not fit the tool's schema with `validate_tool_calls`,
    * a structured response that does not fit its schema.

    A reply that the token limit cut off is not a fault. After a fault that makes the reply useless, the same request is
    sent again immediately, without that provider (`provider.ignore`); a repaired leak only excludes the provider from
    later requests. Every attempt costs money, and the text of a failed attempt has been streamed already.

    When `max_hosts` providers of a model are excluded, or OpenRouter has no other provider (404), the next one of
    `models` is used for the rest of the conversation. After the last one, the faulty reply is returned, or its error is
    raised. List this middleware after `RepairInvalidCalls`, which then sends the last faulty reply back to the model.

    The exclusions are in `response_metadata["kimi"]["fallback"]` of the replies. They end when all replies that have
    them are removed from the conversation. Calls of models other than `ChatKimi` are not changed.

    Args:
        models: The models to fall back to, in order: slugs, which keep the settings of the agent's model, or models.
        max_faults: The number of faults that exclude a provider.
        max_hosts: The number of providers of a model that are excluded before the next model is used.

    Raises:
        KimiUsageError: A number is less than 1.
    """

    def __init__(self, models: Sequence[str | BaseChatModel] = (), *, max_faults: int = 1, max_hosts: int = 3) -> None:
        super().__init__()
        if min(max_faults, max_hosts) < 1:
            raise KimiUsageError(f"max_faults and max_hosts must be at least 1, got {max_faults} and {max_hosts}.")
        self.models = tuple(models)
        self.max_faults = max_faults
        self.max_hosts = max_hosts

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Call the model, and call it again at another provider after a faulty reply."""
        if not isinstance(request.model, ChatKimi):
            return handler(request)
        turn = Turn(self, request)
        while True:
            try:
                response = handler(turn.request)
            except (*_FAULTS, KimiNotFoundError) as error:
                if not turn.goes_on_after(error):
                    raise
            else:
                if not turn.goes_on_with(response):
                    return turn.marked(response)

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """Call the model, and call it again at another provider after a faulty reply."""
        if not isinstance(request.model, ChatKimi):
            return await handler(request)
        turn = Turn(self, request)
        while True:
            try:
                response = await handler(turn.request)
            except (*_FAULTS, KimiNotFoundError) as error:
                if not turn.goes_on_after(error):
                    raise
            else:
                if not turn.goes_on_with(response):
                    return turn.marked(response)


class Turn:
    """The attempts of one model call, and the faults of the conversation so far.

    Args:
        settings: The middleware.
        request: The request of the agent.
    """

    def __init__(self, settings: FallbackHosts, request: ModelRequest[Any]) -> None:
        self._settings = settings
        self._request = request
        state = state_in(request.state["messages"])
        self._position = min(state.get("model", 0), len(settings.models))
        self._faults: list[tuple[int, str | None, str]] = [tuple(fault) for fault in state.get("faults", ())]
        self._ignores = True

    @property
    def request(self) -> ModelRequest[Any]:
        """The request of the next attempt: the model, and the providers that it must not use."""
        model, settings = self._request.model, self._request.model_settings
        if self._position:
            other = self._settings.models[self._position - 1]
            if isinstance(other, str):
                settings = {**settings, "model": other}
            else:
                model = other
        if isinstance(model, ChatKimi) and self._ignores and (excluded := self.excluded):
            preferences = _as_dict(settings.get("provider") or model.lc_attributes.get("provider") or {})
            ignored = dict.fromkeys([*(preferences.get("ignore") or ()), *excluded])
            settings = {**settings, "provider": {**preferences, "ignore": list(ignored)}}
        return self._request.override(model=model, model_settings=settings)

    @property
    def excluded(self) -> list[str]:
        """The slugs of the providers that the current model must not use."""
        hosts = [host for position, host, _ in self._faults if position == self._position and host]
        return [host for host in dict.fromkeys(hosts) if hosts.count(host) >= self._settings.max_faults]

    def goes_on_after(self, error: Exception) -> bool:
        """Note the fault of an attempt that failed. Return whether there is another attempt."""
        if isinstance(error, KimiNotFoundError):
            return self._without_hosts()
        reply = getattr(error, "partial", None) or getattr(error, "ai_message", None)
        provider = getattr(error, "provider", None)
        if reply is not None:
            if _is_cut(reply):
                return False
            provider = provider or reply.response_metadata.get("provider")
        return self._note("empty" if isinstance(error, KimiEmptyReplyError) else "schema", provider)

    def goes_on_with(self, response: ModelResponse[Any]) -> bool:
        """Note the faults of a reply. Return whether it is useless and there is another attempt."""
        reply = next((message for message in response.result if isinstance(message, AIMessage)), None)
        if reply is None or _is_cut(reply):
            return False
        fault = kind_of_fault(reply, response, self._request)
        if fault is None:
            return False
        more = self._note(fault, reply.response_metadata.get("provider"))
        return more and fault != "leak"

    def marked(self, response: ModelResponse[Any]) -> ModelResponse[Any]:
        """Return the response with the state in the metadata of its reply."""
        if not (self._faults or self._position):
            return response
        state = {"model": self._position, "faults": [list(fault) for fault in self._faults]}
        result = [
            _with_state(message, state) if isinstance(message, AIMessage) else message for message in response.result
        ]
        return dataclasses.replace(response, result=result)

    def _note(self, fault: str, provider: Any) -> bool:
        host = provider_slug(provider) if isinstance(provider, str) and provider.strip() else None
        self._faults.append((self._position, host, fault))
        logger.warning("The reply of %s has a fault (%s).", host or "an unknown provider", fault)
        faults_of_model = sum(position == self._position for position, _, _ in self._faults)
        # A provider that is not reported cannot be excluded, and one that OpenRouter chooses again counts again.
        limit = self._settings.max_hosts
        if len(self.excluded) < limit and faults_of_model < limit * self._settings.max_faults:
            return True
        return self._next_model()

    def _next_model(self) -> bool:
        if self._position >= len(self._settings.models):
            return False
        self._position += 1
        return True

    def _without_hosts(self) -> bool:
        """Take the next model when the exclusions leave no provider, or else the last one without exclusions."""
        if not (self._ignores and self.excluded):
            return False
        if not self._next_model():
            self._ignores = False
        return True


def state_in(messages: Sequence[Any]) -> Mapping[str, Any]:
    """Return the state that the newest reply of a conversation has in its metadata, or an empty one."""
    for message in reversed(messages):
        if isinstance(message, AIMessage):
            report = message.response_metadata.get("kimi")
            if isinstance(report, dict) and isinstance(report.get(_KEY), dict):
                state: Mapping[str, Any] = report[_KEY]
                return state
    return {}


def kind_of_fault(reply: AIMessage, response: ModelResponse[Any], request: ModelRequest[Any]) -> str | None:
    """Return the fault of a reply: `invalid calls`, `empty`, `schema` or `leak`; None if it has none."""
    if reply.invalid_tool_calls:
        return "invalid calls"
    if is_faulty(reply):
        return "empty"
    # LangChain answers a response tool whose arguments do not fit with a tool message.
    schemas = {spec.name for spec in getattr(request.response_format, "schema_specs", ())}
    answered = {message.name for message in response.result if isinstance(message, ToolMessage)}
    if response.structured_response is None and schemas & answered:
        return "schema"
    report = reply.response_metadata.get("kimi")
    repairs = report.get("repairs") if isinstance(report, dict) else None
    return "leak" if isinstance(repairs, dict) and repairs.get("markup") else None


def _is_cut(reply: AIMessage) -> bool:
    return reply.response_metadata.get("finish_reason") == _CUT


def _with_state(reply: AIMessage, state: dict[str, Any]) -> BaseMessage:
    report = reply.response_metadata.get("kimi")
    report = {**(report if isinstance(report, dict) else {}), _KEY: state}
    return reply.model_copy(update={"response_metadata": {**reply.response_metadata, "kimi": report}})


def _as_dict(preferences: Any) -> dict[str, Any]:
    return dict(preferences) if isinstance(preferences, Mapping) else preferences.model_dump(exclude_none=True)
