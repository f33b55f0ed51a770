"""Lower bounds for the cost of a call: the bytes alone, with JSON, and with the objects that langchain-core needs."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCallChunk, convert_to_messages
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from orjson import dumps, loads
from pydantic import PrivateAttr

ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}
HEADERS = {"Authorization": "Bearer none", "Content-Type": "application/json"}
Messages = str | list[BaseMessage]


def body_of(messages: list[BaseMessage], *, streamed: bool) -> bytes:
    """Return a minimal request."""
    wire = [{"role": ROLES[message.type], "content": message.content} for message in messages]
    return dumps({"model": "moonshotai/kimi-k2-0905", "messages": wire, "stream": streamed})


def _messages(prompt: Messages) -> list[BaseMessage]:
    return convert_to_messages([prompt]) if isinstance(prompt, str) else prompt


class Raw:
    """Reads the bytes of a reply with httpx."""

    def __init__(self, base_url: str, **_: Any) -> None:
        self._url = f"{base_url}/chat/completions"
        self._client = httpx.Client()
        self._aclient = httpx.AsyncClient(limits=httpx.Limits(max_connections=1000))

    def _request(self, prompt: Messages, *, streamed: bool) -> dict[str, Any]:
        body = body_of(_messages(prompt), streamed=streamed)
        return {"method": "POST", "url": self._url, "content": body, "headers": HEADERS}

    def stream(self, prompt: Messages) -> Iterator[Any]:
        with self._client.stream(**self._request(prompt, streamed=True)) as response:
            yield from response.iter_bytes()

    async def astream(self, prompt: Messages) -> AsyncIterator[Any]:
        async with self._aclient.stream(**self._request(prompt, streamed=True)) as response:
            async for piece in response.aiter_bytes():
                yield piece

    def invoke(self, prompt: Messages) -> Any:
        return self._client.request(**self._request(prompt, streamed=False)).content

    async def ainvoke(self, prompt: Messages) -> Any:
        return (await self._aclient.request(**self._request(prompt, streamed=False))).content


def chunks_in(pieces: list[bytes]) -> Iterator[Any]:
    """Yield the parsed complete events; the rest stays in `pieces`."""
    *events, rest = b"".join(pieces).split(b"\n\n")
    pieces[:] = [rest]
    for event in events:
        if event != b"data: [DONE]":
            yield loads(event[6:])


class Split(Raw):
    """Reads the bytes, splits them into events, and parses these."""

    def stream(self, prompt: Messages) -> Iterator[Any]:
        pieces: list[bytes] = []
        for piece in super().stream(prompt):
            pieces.append(piece)
            yield from chunks_in(pieces)

    async def astream(self, prompt: Messages) -> AsyncIterator[Any]:
        pieces: list[bytes] = []
        async for piece in super().astream(prompt):
            pieces.append(piece)
            for chunk in chunks_in(pieces):
                yield chunk

    def invoke(self, prompt: Messages) -> Any:
        return loads(super().invoke(prompt))

    async def ainvoke(self, prompt: Messages) -> Any:
        return loads(await super().ainvoke(prompt))


def _usage(reply: dict[str, Any]) -> Any:
    usage = reply.get("usage")
    return usage and {
        "input_tokens": usage["prompt_tokens"],
        "output_tokens": usage["completion_tokens"],
        "total_tokens": usage["total_tokens"],
    }


def _chunk(event: dict[str, Any]) -> ChatGenerationChunk:
    delta = event["choices"][0]["delta"]
    reasoning = delta.get("reasoning")
    calls = [
        ToolCallChunk(
            name=call["function"].get("name"),
            args=call["function"]["arguments"],
            id=call.get("id"),
            index=call["index"],
            type="tool_call_chunk",
        )
        for call in delta.get("tool_calls") or ()
    ]
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content=delta["content"] or "",
            additional_kwargs={"reasoning_content": reasoning} if reasoning else {},
            tool_call_chunks=calls,
            usage_metadata=_usage(event),
        )
    )


class CoreBaseline(BaseChatModel):
    """The smallest chat model: one chunk per delta, usage on the last, without checks and repairs."""

    base_url: str
    streaming: bool = False
    _split: Any = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        self._split = Split(self.base_url)

    @property
    def _llm_type(self) -> str:
        return "baseline"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _stream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        for event in self._split.stream(messages):
            yield _chunk(event)

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        async for event in self._split.astream(messages):
            yield _chunk(event)

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return self._result(self._split.invoke(messages))

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return self._result(await self._split.ainvoke(messages))

    def _result(self, reply: dict[str, Any]) -> ChatResult:
        message = AIMessage(reply["choices"][0]["message"]["content"], usage_metadata=_usage(reply))
        return ChatResult(generations=[ChatGeneration(message=message)])
