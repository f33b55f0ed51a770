"""The value that a reply holds, or the error that says why it holds none."""

import json
import re
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_kimi._reply.tool_calls import breaking_suffix, parsed_arguments
from langchain_kimi._schemas.output import OutputSchema, UnfitError
from langchain_kimi._structured.json_text import NotJSONError, read_json
from langchain_kimi.errors import KimiStructuredOutputError, StructuredOutputCause

_ADVICE: dict[StructuredOutputCause, str] = {
    "refusal": "Put the request differently, or ask another model.",
    "length": "Raise max_tokens.",
    "empty": "Ask again, or at another provider.",
    "no_call": 'Ask again, or with method="json_schema".',
    "bad_json": "Ask again, or at a provider that enforces the schema.",
    "invalid": "Ask again, or describe the fields more closely in the schema.",
}
_THOUGHT_TOO_LONG = "Thinking used up the tokens: raise max_tokens, or limit the thinking (`reasoning`)."
_EXCERPT = 20
# Markup of calls that were not offered stays in the text: what it holds is another function's.
_LEAKED_CALL = re.compile(r"functions\.([\w.-]+):\d+\s*<\|tool_call_argument_begin\|>")

ATTEMPTS = "attempts"
"""Where the `response_metadata` of a repaired answer keeps the messages of both attempts."""


def read_output(message: AIMessage, schema: OutputSchema, *, by_call: bool) -> Any:
    """Return the value that a whole reply holds.

    Of several calls the first that fits counts. JSON in the text counts where a call was asked for and none came, and
    a call of the schema's name where text was asked for and none came: both only if they fit.

    Args:
        message: The reply, or the sum of its chunks.
        schema: What the value has to look like.
        by_call: Whether the model was asked to call a function, or else to write JSON.

    Raises:
        KimiStructuredOutputError: It holds none; `cause` says why. A reply that the token limit cut off is not read.
            Of a second attempt it also tells the first one's error, which is in `attempts`.
    """
    try:
        return _read(message, schema, by_call=by_call)
    except KimiStructuredOutputError as second:
        if ATTEMPTS in message.response_metadata:
            _tell_first(second, message.response_metadata[ATTEMPTS][0], schema, by_call=by_call)
        raise


def _tell_first(second: KimiStructuredOutputError, message: AIMessage, schema: OutputSchema, *, by_call: bool) -> None:
    try:
        _read(message, schema, by_call=by_call)
    except KimiStructuredOutputError as first:
        second.update(attempts=(first,))
        second.reason = f"{second.reason} The first attempt: {first.reason}"


def _read(message: AIMessage, schema: OutputSchema, *, by_call: bool) -> Any:
    if refusal := _refusal(message):
        raise _failure(message, "refusal", f"The model refused: {refusal}", text=refusal)
    if message.response_metadata.get("finish_reason") == "length":
        raise _cut_off(message)
    text = str(message.text)
    is_answer = text.strip() and not calls_others(text, schema.name)
    texts, calls = [text] if is_answer else [], _arguments(message, schema.name)
    if not texts and not calls:
        raise _nothing(message, schema, by_call=by_call)
    asked_for, instead = (calls, texts) if by_call else (texts, calls)
    problems: list[tuple[str, NotJSONError | UnfitError]] = []
    for candidate in asked_for or instead:
        try:
            return schema.fit(read_json(candidate, wants_object=schema.is_object))
        except (NotJSONError, UnfitError) as problem:
            problems.append((candidate, problem))
    raise _not_read(message, schema, *problems[0], by_call=by_call and not calls)


def _leaked_calls(text: str) -> list[str]:
    return _LEAKED_CALL.findall(text)


def calls_others(text: str, name: str) -> bool:
    """Tell whether a text has calls in Kimi's markup, and none of them is of the schema's name."""
    called = _leaked_calls(text)
    return bool(called) and name not in called


def _refusal(message: AIMessage) -> str:
    """Return the words of a refusal, from wherever this or another version of LangChain puts them."""
    if refusal := message.additional_kwargs.get("refusal"):
        return str(refusal)
    blocks = [block for block in message.content if isinstance(block, dict)]
    values = [value for block in blocks if isinstance(value := block.get("value", block), dict)]
    return "".join(str(value.get("refusal") or "") for value in values)


def _arguments(message: AIMessage, name: str) -> list[str]:
    """Return the arguments of the calls of one function, as they came where that is known."""
    if isinstance(message, AIMessageChunk):
        # A chunk's `tool_calls` are completed by LangChain where they broke off; the pieces are not.
        return [_as_they_came(piece["args"] or "") for piece in message.tool_call_chunks if piece["name"] == name]
    valid = [json.dumps(call["args"], ensure_ascii=False) for call in message.tool_calls if call["name"] == name]
    return valid + [call["args"] or "" for call in message.invalid_tool_calls if call["name"] == name]


def _as_they_came(arguments: str) -> str:
    """Take off what `breaking_suffix` put on arguments that are no object, in the sum of the chunks."""
    if not isinstance(parsed_arguments(arguments, ended=True), dict):
        for end in (-1, -2, -3):
            if breaking_suffix(arguments[:end]) == arguments[end:]:
                return arguments[:end]
    return arguments if arguments.strip() else "{}"


def _cut_off(message: AIMessage) -> KimiStructuredOutputError:
    text = str(message.text)
    usage = message.usage_metadata
    thought = usage.get("output_token_details", {}).get("reasoning") if usage else None
    has_only_thought = thought and not (text or message.tool_calls or message.invalid_tool_calls)
    advice = _THOUGHT_TOO_LONG if has_only_thought else _ADVICE["length"]
    return _failure(message, "length", "The reply was cut off by the token limit.", text=text, advice=advice)


def _nothing(message: AIMessage, schema: OutputSchema, *, by_call: bool) -> KimiStructuredOutputError:
    calls = [call["name"] or "a tool without a name" for call in [*message.tool_calls, *message.invalid_tool_calls]]
    called = ", ".join([*calls, *_leaked_calls(str(message.text))])
    if not called:
        return _failure(message, "empty", "The reply holds neither text nor a tool call.")
    if by_call:
        return _failure(message, "no_call", f"The model called {called}, not {schema.name}.")
    return _failure(message, "empty", f"The reply holds no answer; the model called {called}.")


def _not_read(
    message: AIMessage, schema: OutputSchema, text: str, problem: NotJSONError | UnfitError, *, by_call: bool
) -> KimiStructuredOutputError:
    cause: StructuredOutputCause
    if isinstance(problem, UnfitError):
        cause, position, errors = "invalid", None, problem.errors
        reason = f"The output is not of the schema {schema.name}: {problem}."
    else:
        cause, position, errors = "bad_json", problem.position, []
        around = text[max(0, problem.position - _EXCERPT) : problem.position + _EXCERPT]
        reason = f"The output is not one JSON value: {problem}, at character {problem.position}, near {around!r}."
    if by_call:
        cause, reason = "no_call", f"The model answered in words instead of calling {schema.name}."
    return _failure(message, cause, reason, text=text, position=position, validation_errors=errors)


def _failure(message: AIMessage, cause: StructuredOutputCause, reason: str, **facts: Any) -> KimiStructuredOutputError:
    metadata = message.response_metadata
    if metadata.get("finish_reason") == "content_filter":
        cause = "refusal"
    return KimiStructuredOutputError(
        reason,
        cause=cause,
        partial=message,
        model=metadata.get("model_name"),
        provider=metadata.get("provider"),
        generation_id=metadata.get("id"),
        usage=metadata.get("token_usage"),
        **{"advice": _ADVICE[cause], **facts},
    )
