"""Middleware that gives invalid tool calls and empty replies back to the model."""

import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse, hook_config
from langchain.agents.structured_output import StructuredOutputValidationError
from langchain_core.messages import AIMessage, BaseMessage, InvalidToolCall, ToolMessage
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.runtime import Runtime

from langchain_kimi.errors import KimiEmptyReplyError, KimiMalformedReplyError, KimiReplyError, KimiUsageError
from langchain_kimi.middleware.turns import nudge, since_input

_SHOWN = 500
"""Characters of invalid arguments that the model is shown. The request itself cannot contain them."""
_THOUGHTS = frozenset({"reasoning", "thinking"})
_REASONING = frozenset({"reasoning", "reasoning_content", "reasoning_details"})
_FILTERED = frozenset({"error", "content_filter", "content_policy_violation", "refusal", "safety"})
"""Finish reasons, in lower case, of empty replies that another request would not change."""


class RepairInvalidCalls(AgentMiddleware[AgentState[Any], Any, Any]):
    """Sends invalid tool calls and empty replies back to the model.

    Without it, an agent ends with an empty text when all calls of a reply are invalid, and with a `KimiEmptyReplyError`
    when the reply is empty.

    * Each invalid call gets a tool message with the status `error` that names the problem, and shows the arguments
      that arrived. From the second attempt on, the message also has the schema of the tool.
    * If a reply has valid and invalid calls, the valid ones run as usual, and the model gets all results together.
    * A reply without text and tool calls, with or without reasoning, gets a short user message. Replies that a content
      filter emptied are left as they are.

    The invalid reply and its answer stay in the agent's messages. Each attempt is a step of the graph, so limits of
    model calls and checkpoints include it. List this middleware first: its `after_model` hook then runs last, after
    those that count the calls.

    Args:
        max_attempts: The number of consecutive replies since the last user message that are sent back. The next one
            raises an error.

    Raises:
        KimiUsageError: `max_attempts` is negative.
        KimiMalformedReplyError: The agent raises it for a further reply with invalid calls. `partial` is the reply.
            It is not added to the agent's messages, and its valid calls do not run.
        KimiEmptyReplyError: The agent raises it for a further empty reply, in the same way.
    """

    def __init__(self, max_attempts: int = 2) -> None:
        super().__init__()
        if max_attempts < 0:
            raise KimiUsageError(f"max_attempts must be at least 0, got {max_attempts}.")
        self.max_attempts = max_attempts

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Call the model, and add the answers to a faulty reply."""
        try:
            response = handler(request)
        except (KimiEmptyReplyError, StructuredOutputValidationError) as error:
            return self._after_failure(request, error)
        return self._answered(request, response)

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """Call the model, and add the answers to a faulty reply."""
        try:
            response = await handler(request)
        except (KimiEmptyReplyError, StructuredOutputValidationError) as error:
            return self._after_failure(request, error)
        return self._answered(request, response)

    @hook_config(can_jump_to=["model"])
    def after_model(self, state: AgentState[Any], runtime: Runtime[Any]) -> dict[str, Any] | None:  # noqa: ARG002 - LangChain's signature
        """Go back to the model after a faulty reply without valid calls."""
        message = _last_reply(state["messages"])
        return {"jump_to": "model"} if message and is_faulty(message) and not message.tool_calls else None

    @hook_config(can_jump_to=["model"])
    async def aafter_model(self, state: AgentState[Any], runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Go back to the model after a faulty reply without valid calls."""
        return self.after_model(state, runtime)

    def _after_failure(
        self, request: ModelRequest[Any], error: KimiEmptyReplyError | StructuredOutputValidationError
    ) -> ModelResponse[Any]:
        message = error.partial if isinstance(error, KimiEmptyReplyError) else error.ai_message
        if message is None or not is_faulty(message):
            raise error
        try:
            return self._answered(request, ModelResponse([message]))
        except KimiReplyError as last:
            raise last from error

    def _answered(self, request: ModelRequest[Any], response: ModelResponse[Any]) -> ModelResponse[Any]:
        """Return the response with answers to the problems of its reply.

        Raises:
            KimiReplyError: There were too many attempts.
        """
        message = _last_reply(response.result)
        if message is None or not is_faulty(message):
            return response
        attempt = 1 + _failures(request.state["messages"])
        if attempt > self.max_attempts:
            raise _failure(message, attempt)
        if not message.invalid_tool_calls:
            return dataclasses.replace(response, result=[*response.result, nudge(_text_for_empty(message))])
        with_ids = _with_ids(message)
        schemas = schemas_of(request) if attempt > 1 else None
        answers = [_answer(call, schemas) for call in with_ids.invalid_tool_calls]
        result = [with_ids if one is message else one for one in response.result]
        return dataclasses.replace(response, result=[*result, *answers])


def is_faulty(message: AIMessage) -> bool:
    """Return whether a reply has invalid calls, or neither text nor calls nor an explanation of their absence."""
    if message.invalid_tool_calls:
        return True
    if message.tool_calls or message.text.strip() or message.additional_kwargs.keys() - _REASONING:
        return False
    blocks = message.content if isinstance(message.content, list) else []
    has_others = any(isinstance(block, dict) and block.get("type") not in {"text", *_THOUGHTS} for block in blocks)
    finish = str(message.response_metadata.get("finish_reason") or "").lower()
    return not has_others and finish not in _FILTERED


def schemas_of(request: ModelRequest[Any]) -> dict[str, Any]:
    """Return the JSON schemas of the functions in a request by name, and None for functions without a schema."""
    functions = [
        tool.get("function", tool) if isinstance(tool, dict) else convert_to_openai_tool(tool)["function"]
        for tool in request.tools
    ]
    schemas = {each["name"]: each.get("parameters", each.get("input_schema")) for each in functions if "name" in each}
    specs = getattr(request.response_format, "schema_specs", ())
    return {**schemas, **{spec.name: spec.json_schema for spec in specs}}


def _last_reply(messages: Sequence[BaseMessage]) -> AIMessage | None:
    return next((message for message in reversed(messages) if isinstance(message, AIMessage)), None)


def _failures(messages: Sequence[Any]) -> int:
    """Return the number of faulty replies in a row at the end of a conversation."""
    count = 0
    for message in reversed(since_input(messages)):
        if isinstance(message, AIMessage):
            if not is_faulty(message):
                break
            count += 1
    return count


def _with_ids(message: AIMessage) -> AIMessage:
    """Return a reply whose invalid calls all have ids, because a tool message needs one."""
    if all(call.get("id") for call in message.invalid_tool_calls):
        return message
    calls = [
        {**call, "id": call.get("id") or f"invalid_{position}_{message.id or ''}"}
        for position, call in enumerate(message.invalid_tool_calls)
    ]
    return message.model_copy(update={"invalid_tool_calls": calls})


def _answer(call: InvalidToolCall, schemas: Mapping[str, Any] | None) -> ToolMessage:
    name, received = call.get("name") or "", call.get("args") or ""
    parts = ["This call was not run.", call.get("error") or "Its arguments are not a complete JSON object."]
    if received:
        shown = received if len(received) <= _SHOWN else f"{received[:_SHOWN]}…"
        parts.append(f"The arguments that arrived: {shown}")
    if schemas is not None and name not in schemas:
        parts.append(f"The tools are: {', '.join(schemas)}.")
    parts.append("Make the call again if it is still needed, with one complete JSON object as its arguments.")
    if schemas is not None and schemas.get(name) is not None:
        parts.append(f"The object must fit this schema: {json.dumps(schemas[name], ensure_ascii=False)}")
    return ToolMessage(" ".join(parts), tool_call_id=call.get("id"), name=name or None, status="error")


def _text_for_empty(message: AIMessage) -> str:
    has_thoughts = _REASONING & message.additional_kwargs.keys() or message.content
    finding = "Your reply contained only reasoning" if has_thoughts else "Your reply was empty"
    return f"{finding}: it had neither text nor a tool call. Continue with a short answer or a tool call."


def _failure(message: AIMessage, attempt: int) -> KimiReplyError:
    metadata = message.response_metadata
    details: dict[str, Any] = {
        "provider": metadata.get("provider"),
        "model": metadata.get("model_name"),
        "generation_id": metadata.get("id"),
        "usage": metadata.get("token_usage"),
        "partial": message,
    }
    times = "once" if attempt == 1 else f"{attempt} times in a row"
    if not message.invalid_tool_calls:
        return KimiEmptyReplyError(f"The model replied {times} with neither text nor a tool call.", **details)
    problems = "; ".join(f"{call.get('name')}: {call.get('error')}" for call in message.invalid_tool_calls)
    return KimiMalformedReplyError(
        f"The model replied {times} with invalid tool calls. {problems}",
        advice="The reply is in `partial`. Another provider (provider={'ignore': [...]}) may help.",
        **details,
    )
