"""Writes an answer in OpenRouter's wire format: as a plain body, or as the events of a stream."""

from collections.abc import Iterator

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.answers import Answer, SentToolCall
from langchain_kimi.testing.behavior import Continuation
from langchain_kimi.testing.tokens import split


def plain_body(answer: Answer) -> JSONObject:
    """Return the body of a plain reply."""
    return {
        **_head(answer, "chat.completion"),
        "choices": [
            {
                "index": 0,
                "logprobs": _logprobs(answer, split(answer.text or "")),
                "finish_reason": answer.finish_reason,
                "native_finish_reason": answer.native_finish_reason,
                "message": _message(answer),
            }
        ],
        "usage": answer.usage,
    }


def stream_events(answer: Answer) -> list[JSONObject]:
    """Return the events of a stream, without the final `[DONE]`."""
    head = _head(answer, "chat.completion.chunk")
    deltas = [*_reasoning_deltas(answer), *_text_deltas(answer), *_other_deltas(answer), *_call_deltas(answer)]
    chunks: list[JSONObject] = [{**head, "choices": [_choice(answer, delta)]} for delta in deltas]
    closing: JSONObject = {"content": "", "role": "assistant"}
    if answer.thinks:
        closing["reasoning"] = None
    chunks.append({**head, "choices": [_choice(answer, closing, finished=True)]})
    chunks.append({**head, "choices": _usage_choices(answer), "usage": answer.usage})
    return chunks


def _head(answer: Answer, kind: str) -> JSONObject:
    if answer.behavior.usage_era == "A":
        # In 2025 the provider came second.
        head: JSONObject = {"id": answer.generation_id, "provider": answer.provider, "model": answer.model}
        head |= {"object": kind, "created": answer.created}
    else:
        head = {"id": answer.generation_id, "object": kind, "created": answer.created, "model": answer.model}
        head["provider"] = answer.provider
    if answer.behavior.system_fingerprint is not None:
        head["system_fingerprint"] = answer.behavior.system_fingerprint
    return head


def _details(text: str) -> list[JSONObject]:
    return [{"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}]


def _message(answer: Answer) -> JSONObject:
    message: JSONObject = {
        "role": "assistant",
        "content": answer.text,
        "refusal": answer.refusal,
        "reasoning": answer.reasoning,
    }
    thoughts = () if answer.reasoning is None else _details(answer.reasoning)
    details = [*(thoughts if answer.reasoning_details is None else answer.reasoning_details), *answer.server_tools]
    if details:
        message["reasoning_details"] = details
    if answer.images:
        message["images"] = list(answer.images)
    if answer.annotations:
        message["annotations"] = list(answer.annotations)
    if answer.tool_calls:
        message["tool_calls"] = [_whole_call(answer, index, call) for index, call in enumerate(answer.tool_calls)]
    return message


def _whole_call(answer: Answer, position: int, call: SentToolCall) -> JSONObject:
    index = 0 if answer.behavior.all_index_zero else position
    function: JSONObject = {"name": call.name, "arguments": call.arguments}
    if answer.behavior.omits_empty_arguments and call.arguments == "{}":
        del function["arguments"]
    return {"type": "function", "index": index, "id": call.id, "function": function}


def _choice(answer: Answer, delta: JSONObject, *, finished: bool = False) -> JSONObject:
    choice: JSONObject = {"index": 0, "delta": delta}
    choice["finish_reason"] = answer.finish_reason if finished else None
    choice["native_finish_reason"] = answer.native_finish_reason if finished else None
    if answer.behavior.usage_era == "A":
        choice["logprobs"] = None
    if answer.top_logprobs is not None and delta["content"]:
        choice["logprobs"] = _logprobs(answer, split(delta["content"]))
    return choice


def _usage_choices(answer: Answer) -> list[JSONObject]:
    if answer.behavior.usage_era == "B":
        return []
    return [_choice(answer, {"content": "", "role": "assistant"}, finished=answer.behavior.usage_era == "C")]


def _logprobs(answer: Answer, pieces: list[str]) -> JSONObject | None:
    if answer.top_logprobs is None:
        return None
    return {"content": [_logprob(piece, answer.top_logprobs) for piece in pieces], "refusal": None}


def _logprob(piece: str, alternatives: int) -> JSONObject:
    entry: JSONObject = {"token": piece, "logprob": -0.25, "bytes": list(piece.encode())}
    others = [{**entry, "logprob": -0.25 - rank} for rank in range(alternatives)]
    return {**entry, "top_logprobs": others}


def _grouped(text: str, size: int) -> Iterator[str]:
    pieces = split(text)
    for start in range(0, len(pieces), size):
        yield "".join(pieces[start : start + size])


def _reasoning_deltas(answer: Answer) -> Iterator[JSONObject]:
    for piece in _grouped(answer.reasoning or "", answer.behavior.delta_tokens):
        details = {} if answer.reasoning_details is not None else {"reasoning_details": _details(piece)}
        yield {"content": "", "role": "assistant", "reasoning": piece, **details}
    for detail in (*(answer.reasoning_details or ()), *answer.server_tools):
        yield {"content": "", "role": "assistant", "reasoning_details": [detail]}


def _text_deltas(answer: Answer) -> Iterator[JSONObject]:
    for piece in _grouped(answer.text or "", answer.behavior.delta_tokens):
        yield {"content": piece, "role": "assistant"}


def _other_deltas(answer: Answer) -> Iterator[JSONObject]:
    if answer.refusal is not None:
        yield {"content": "", "role": "assistant", "refusal": answer.refusal}
    if answer.annotations:
        yield {"content": "", "role": "assistant", "annotations": list(answer.annotations)}
    if answer.images:
        yield {"content": "", "role": "assistant", "images": list(answer.images)}


def _call_deltas(answer: Answer) -> Iterator[JSONObject]:
    for position, call in enumerate(answer.tool_calls):
        for piece in _call_pieces(answer, position, call):
            yield {"content": None, "role": "assistant", "tool_calls": [piece]}


def _call_pieces(answer: Answer, position: int, call: SentToolCall) -> Iterator[JSONObject]:
    behavior = answer.behavior
    whole = _whole_call(answer, position, call)
    opening = {"index": whole["index"], "id": call.id, "type": "function", "function": whole["function"]}
    if behavior.arguments == "whole" or "arguments" not in whole["function"]:
        yield opening
    else:
        function = {"name": call.name, "arguments": ""} if behavior.opening_arguments else {"name": call.name}
        yield {**opening, "function": function}
        for piece in split(call.arguments):
            yield _continuation(behavior.continuation, opening, piece)
    if behavior.trailing_arguments is not None:
        yield _continuation(behavior.continuation, opening, behavior.trailing_arguments)


_CONTINUATIONS: dict[Continuation, tuple[JSONObject, JSONObject]] = {
    "bare": ({}, {}),
    "typed": ({"type": "function"}, {}),
    "null_id": ({"id": None, "type": "function"}, {}),
    "null_id_and_name": ({"id": None, "type": "function"}, {"name": None}),
    "empty_id_and_type": ({"id": "", "type": ""}, {}),
    "empty_type": ({"type": ""}, {}),
}
"""The fields that later deltas of a call have beside `index`, and beside `function.arguments`."""


def _continuation(style: Continuation, opening: JSONObject, arguments: str) -> JSONObject:
    if style in ("empty_name", "repeated"):
        name = opening["function"]["name"] if style == "repeated" else ""
        return {**opening, "function": {"name": name, "arguments": arguments}}
    call_fields, function_fields = _CONTINUATIONS[style]
    return {"index": opening["index"], **call_fields, "function": {**function_fields, "arguments": arguments}}
