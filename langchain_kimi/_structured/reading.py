"""Read the value in a complete reply, or raise an error that explains why it is missing."""

import json
import re
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_kimi._reply.tool_calls import breaking_suffix, parsed_arguments
from langchain_kimi._schemas.output import OutputSchema, SchemaMismatchError
from langchain_kimi._structured.json_text import NotJSONError, read_json
from langchain_kimi.errors import KimiRefusalError, KimiStructuredOutputError, StructuredOutputCause

_ADVICE: dict[StructuredOutputCause, str] = {
    "refusal": "Rephrase the request, or use another model.",
    "length": "Raise max_tokens.",
    "empty": "Retry, or use another provider.",
    "no_call": 'Retry, or pass method="json_schema".',
    "bad_json": "Retry, or use a provider that enforces the schema.",
    "invalid": "Retry, or describe the fields more closely in the schema.",
}
_ONLY_REASONING = "Reasoning used up the tokens: raise max_tokens, or limit reasoning (`reasoning`)."
_EXCERPT = 20
"""The number of characters of a text before and after an error that the error shows."""
# Markup of calls to tools that were not offered stays in the text, and its arguments are not the value. The length of a
# name is limited, because each beginning of a call is read separately.
_LEAKED_CALL = re.compile(r"functions\.([\w.-]{1,128}+):\d{1,9}+\s{0,9}+<\|tool_call_argument_begin\|>")

ATTEMPTS = "attempts"
"""The key of a repaired answer's `response_metadata` under which the messages of both attempts are stored."""


def read_output(message: AIMessage, schema: OutputSchema, *, by_call: bool) -> Any:
    """Return the value in a complete reply.

    Of several calls, the first one that matches is used. If the requested call is missing, JSON in the text is read; if
    the requested text is missing, a call with the schema's name is read. Either must match the schema.

    Args:
        message: The reply, or the sum of its chunks.
        schema: The schema of the value.
        by_call: Whether a function call was requested; otherwise JSON in the text was.

    Raises:
        KimiStructuredOutputError: The reply has no such value; `cause` names the reason. A reply that the token limit
            cut off is not read. The error of a second attempt includes the error of the first one in `attempts`.
    """
    try:
        return _read(message, schema, by_call=by_call)
    except KimiStructuredOutputError as second:
        if ATTEMPTS in message.response_metadata:
            _add_first_attempt(second, message.response_metadata[ATTEMPTS][0], schema, by_call=by_call)
        raise


def _add_first_attempt(
    second: KimiStructuredOutputError, message: AIMessage, schema: OutputSchema, *, by_call: bool
) -> None:
    try:
        _read(message, schema, by_call=by_call)
    except KimiStructuredOutputError as first:
        second.update(attempts=(first,))
        second.reason = f"{second.reason} The first attempt: {first.reason}"


def _read(message: AIMessage, schema: OutputSchema, *, by_call: bool) -> Any:
    """Return the value in one message; see `read_output`."""
    if refusal := _refusal(message):
        raise _failure(message, "refusal", f"The model refused: {refusal}", text=refusal)
    if message.response_metadata.get("finish_reason") == "length":
        raise _cut_off(message)
    text = str(message.text)
    is_answer = text.strip() and not only_calls_others(text, schema.name)
    texts, calls = [text] if is_answer else [], _arguments(message, schema.name)
    if not texts and not calls:
        raise _no_answer(message, schema, by_call=by_call)
    requested, alternatives = (calls, texts) if by_call else (texts, calls)
    problems: list[tuple[str, NotJSONError | SchemaMismatchError]] = []
    for candidate in requested or alternatives:
        try:
            return schema.validated(read_json(candidate, wants_object=schema.is_object))
        except (NotJSONError, SchemaMismatchError) as error:
            problems.append((candidate, error))
    raise _unreadable(message, schema, *problems[0], by_call=by_call and not calls)


def _leaked_calls(text: str) -> list[str]:
    return _LEAKED_CALL.findall(text)


def only_calls_others(text: str, name: str) -> bool:
    """Return whether a text has calls in Kimi's markup, and none of them has the schema's name."""
    called = _leaked_calls(text)
    return bool(called) and name not in called


def _refusal(message: AIMessage) -> str:
    """Return the text of a refusal, or an empty string. Versions of LangChain store it in different places."""
    if refusal := message.additional_kwargs.get("refusal"):
        return str(refusal)
    blocks = [block for block in message.content if isinstance(block, dict)]
    values = [value for block in blocks if isinstance(value := block.get("value", block), dict)]
    return "".join(str(value.get("refusal") or "") for value in values)


def _arguments(message: AIMessage, name: str) -> list[str]:
    """Return the arguments of each call to one function, as received if the raw text is available."""
    if isinstance(message, AIMessageChunk):
        # LangChain completes truncated arguments in a chunk's `tool_calls`, but not in its `tool_call_chunks`.
        return [_as_received(piece["args"] or "") for piece in message.tool_call_chunks if piece["name"] == name]
    valid = [json.dumps(call["args"], ensure_ascii=False) for call in message.tool_calls if call["name"] == name]
    return valid + [call["args"] or "" for call in message.invalid_tool_calls if call["name"] == name]


def _as_received(arguments: str) -> str:
    """Remove the suffix that `breaking_suffix` appended to streamed arguments that are not an object."""
    if not isinstance(parsed_arguments(arguments, ended=True), dict):
        for end in (-1, -2, -3):
            if breaking_suffix(arguments[:end]) == arguments[end:]:
                return arguments[:end]
    return arguments if arguments.strip() else "{}"


def _cut_off(message: AIMessage) -> KimiStructuredOutputError:
    text = str(message.text)
    usage = message.usage_metadata
    reasoning_tokens = usage.get("output_token_details", {}).get("reasoning") if usage else None
    has_only_reasoning = reasoning_tokens and not (text or message.tool_calls or message.invalid_tool_calls)
    advice = _ONLY_REASONING if has_only_reasoning else _ADVICE["length"]
    return _failure(message, "length", "The reply was cut off by the token limit.", text=text, advice=advice)


def _no_answer(message: AIMessage, schema: OutputSchema, *, by_call: bool) -> KimiStructuredOutputError:
    calls = [call["name"] or "a tool without a name" for call in [*message.tool_calls, *message.invalid_tool_calls]]
    called = ", ".join([*calls, *_leaked_calls(str(message.text))])
    if not called:
        return _failure(message, "empty", "The reply has neither text nor a tool call.")
    if by_call:
        return _failure(message, "no_call", f"The model called {called}, not {schema.name}.")
    return _failure(message, "empty", f"The reply has no answer; the model called {called}.")


def _unreadable(
    message: AIMessage, schema: OutputSchema, text: str, error: NotJSONError | SchemaMismatchError, *, by_call: bool
) -> KimiStructuredOutputError:
    """Return the error for an answer that is not JSON or does not match the schema."""
    cause: StructuredOutputCause
    if isinstance(error, SchemaMismatchError):
        cause, position, errors = "invalid", None, error.errors
        reason = f"The output does not match the schema {schema.name}: {error}."
    else:
        cause, position, errors = "bad_json", error.position, []
        around = text[max(0, error.position - _EXCERPT) : error.position + _EXCERPT]
        reason = f"The output is not one JSON value: {error}, at character {error.position}, near {around!r}."
    if by_call:
        cause, reason = "no_call", f"The model answered with text instead of calling {schema.name}."
    return _failure(message, cause, reason, text=text, position=position, validation_errors=errors)


def _failure(
    message: AIMessage, cause: StructuredOutputCause, reason: str, **details: Any
) -> KimiStructuredOutputError:
    """Return the error with the metadata of the message; a filtered reply counts as a refusal."""
    metadata = message.response_metadata
    if metadata.get("finish_reason") == "content_filter":
        cause = "refusal"
    error_class = KimiRefusalError if cause == "refusal" else KimiStructuredOutputError
    return error_class(
        reason,
        cause=cause,
        partial=message,
        model=metadata.get("model_name"),
        provider=metadata.get("provider"),
        generation_id=metadata.get("id"),
        usage=metadata.get("token_usage"),
        **{"advice": _ADVICE[cause], **details},
    )
