"""Call a model in four ways, and build OpenRouter responses for them."""

import json
from collections.abc import Iterator
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from langchain_core.tracers.base import BaseTracer
from langchain_core.tracers.schemas import Run

from langchain_kimi.testing import RawReply

Way = Literal["invoke", "stream", "ainvoke", "astream"]
WAYS: tuple[Way, ...] = ("invoke", "stream", "ainvoke", "astream")
ModelLike = Runnable[Any, Any]

HEAD = {
    "id": "gen-1773000000-AbCdEfGhIjKlMnOpQrSt",
    "created": 1773000000,
    "model": "moonshotai/kimi-k2-0905",
    "provider": "Moonshot AI",
    "system_fingerprint": "fp",
    "service_tier": "default",
}
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 40,
    "total_tokens": 140,
    "cost": 0.00016,
    "is_byok": False,
    "cost_details": {"upstream_inference_cost": 0.00016},
    "prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 12, "audio_tokens": 0},
}
PIECE = 3
"""The number of characters in a delta."""


class Tracer(BaseTracer):
    """Records the runs that LangSmith's tracer would send."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[Run] = []

    def _persist_run(self, run: Run) -> None:
        self.runs.append(run)


async def chunks_of(model: ModelLike, way: Way, prompt: Any = "hi", config: Any = None, /, **kwargs: Any) -> list[Any]:
    """Call the model in one way. Return the chunks, or a list with the message if it is not streamed."""
    if way == "invoke":
        return [model.invoke(prompt, config, **kwargs)]
    if way == "ainvoke":
        return [await model.ainvoke(prompt, config, **kwargs)]
    if way == "stream":
        return list(model.stream(prompt, config, **kwargs))
    return [chunk async for chunk in model.astream(prompt, config, **kwargs)]


async def ask(model: ModelLike, way: Way, prompt: Any = "hi", config: Any = None, /, **kwargs: Any) -> Any:
    """Call the model in one way. Return the message, or the sum of the chunks."""
    first, *rest = await chunks_of(model, way, prompt, config, **kwargs)
    return first + rest if rest else first


async def events_of(model: BaseChatModel, way: Way) -> tuple[list[Any], AIMessage]:
    """Return the events of a v3 stream and its message."""
    if way == "stream":
        stream = model.stream_events("hi", version="v3")
        return list(stream), stream.output
    astream = await model.astream_events("hi", version="v3")
    return [event async for event in astream], await astream.output


def fields_of(message: AIMessage) -> dict[str, Any]:
    """Return the fields of a message that do not differ between plain and streamed replies."""
    metadata = {key: value for key, value in message.response_metadata.items() if key != "object"}
    fields = ("content", "additional_kwargs", "tool_calls", "invalid_tool_calls", "usage_metadata", "name")
    return {**{field: getattr(message, field) for field in fields}, "response_metadata": metadata}


def reply(way: Way, message: dict[str, Any], finish: str = "stop", **choice: Any) -> RawReply:
    """Return a message as a plain response or a stream, depending on the way."""
    ending = {"finish_reason": finish, "native_finish_reason": "end_turn", **choice}
    if way.endswith("invoke"):
        whole = {"index": 0, **ending, "message": {"role": "assistant", "content": None, **message}}
        body = {**HEAD, "object": "chat.completion", "choices": [whole], "usage": USAGE}
        return RawReply(headers={"content-type": "application/json"}, body=json.dumps(body).encode())
    return RawReply(headers={"content-type": "text/event-stream"}, body=b"".join(_events(message, ending)))


def event(choice: dict[str, Any], **more: Any) -> bytes:
    """Return one event of a stream."""
    chunk = {**HEAD, "object": "chat.completion.chunk", "choices": [{"index": 0, **choice}], **more}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _events(message: dict[str, Any], ending: dict[str, Any]) -> Iterator[bytes]:
    yield b": OPENROUTER PROCESSING\n\n"
    logprobs = ending.pop("logprobs", None)
    for delta in _deltas(message):
        yield event({"delta": {"role": "assistant", "content": "", **delta}, "finish_reason": None})
    if logprobs:
        for entry in logprobs["content"]:
            yield event({"delta": {"content": ""}, "logprobs": {"content": [entry], "refusal": None}})
    closing = {"delta": {"role": "assistant", "content": ""}, **ending}
    yield event(closing)
    yield event(closing, usage=USAGE)
    yield b"data: [DONE]\n\n"


def _deltas(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in ("reasoning", "reasoning_content"):
        yield from ({key: piece} for piece in _pieces(message.get(key)))
    for detail in message.get("reasoning_details") or ():
        field = next(key for key in ("text", "summary", "data", "result") if key in detail)
        # Encrypted details and calls of server tools are sent in one piece.
        pieces = [detail[field]] if field in {"data", "result"} else _pieces(detail[field])
        yield from ({"reasoning_details": [{**detail, field: piece}]} for piece in pieces)
    for key in ("content", "refusal"):
        yield from ({key: piece} for piece in _pieces(message.get(key)))
    for call in message.get("tool_calls") or ():
        yield {"content": None, "tool_calls": [{**call, "function": {**call["function"], "arguments": ""}}]}
        for piece in _pieces(call["function"]["arguments"]):
            yield {"content": None, "tool_calls": [{"index": call["index"], "function": {"arguments": piece}}]}
    yield from ({"annotations": [annotation]} for annotation in message.get("annotations") or ())
    yield from ({key: value} for key, value in message.items() if key in {"images", "audio"})


def _pieces(text: str | None) -> Iterator[str]:
    text = text or ""
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE]
