"""A fast server of canned replies on loopback: `python -m tests.benchmarks.server`, in a separate process.

It prints its port. The path of a request selects the reply, as in `/text/2000/each/chat/completions`: the kind of
reply, its number of deltas (of an object: fields; of a plain reply: words), and how it is written: `each` delta in a
separate write, `whole` in writes of 16 KiB, or `paced` with one delta every 20 ms. A plain reply is one write.
"""

import asyncio
import json
from collections.abc import Iterator
from functools import cache
from typing import Any, cast

INTERVAL = 0.02
"""Seconds between the deltas of a paced stream."""
BLOCK = 16 * 1024
LETTERS = 9
"""The number of characters of an object's JSON in a delta."""
FUNCTION = "Fields"
"""The function whose arguments an object is."""
WORDS = (
    "what",
    "the",
    "quick",
    "brown",
    "fox",
    "would",
    "say",
    "when",
    "it",
    "had",
    "jumped",
    "over",
    "a",
    "lazy",
    "dog",
)
MARKED = "<|tool_calls_section <|`` `{[\"'}] <think <|im_ [{\"a\": {'' ```js <|<|"
"""The delta of a text that repeats the beginnings of markup without completing one."""
FACTS = {
    "id": "gen-1750000000-benchmark",
    "object": "chat.completion",
    "created": 1750000000,
    "model": "moonshotai/kimi-k2-0905",
    "provider": "Moonshot AI",
    "system_fingerprint": None,
}
USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 200,
    "total_tokens": 211,
    "cost": 0.00042,
    "is_byok": False,
    "prompt_tokens_details": {"cached_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
}


def _word(number: int) -> str:
    return f" {WORDS[number % len(WORDS)]}"


def _text(number: int, count: int) -> dict[str, Any]:
    return {"role": "assistant", "content": _word(number)}


def _marked(number: int, count: int) -> dict[str, Any]:
    return {"role": "assistant", "content": MARKED}


def _reasoning(number: int, count: int) -> dict[str, Any]:
    detail = {"type": "reasoning.text", "text": _word(number), "format": "unknown", "index": 0}
    return {"role": "assistant", "content": "", "reasoning": _word(number), "reasoning_details": [detail]}


def _tool(number: int, count: int) -> dict[str, Any]:
    call: dict[str, Any] = {"index": 0, "type": "function", "function": {"arguments": _word(number)}}
    if number == 0:
        call |= {"id": "functions.write:0", "function": {"name": "write", "arguments": '{"text": "'}}
    elif number == count - 1:
        call["function"]["arguments"] = '"}'
    return {"role": "assistant", "content": None, "tool_calls": [call]}


DELTAS = {"text": _text, "marked": _marked, "reasoning": _reasoning, "tool": _tool}


def object_pieces(fields: int) -> list[str]:
    """Return an object with this number of fields as JSON, in the pieces of its deltas."""
    text = json.dumps({f"field {number}": f"value {number}" for number in range(fields)})
    return [text[start : start + LETTERS] for start in range(0, len(text), LETTERS)]


def _call(arguments: str, **more: Any) -> dict[str, Any]:
    """Return a delta of a call; the first one has more keys."""
    call = {"index": 0, "function": {"arguments": arguments}, **more}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _object(kind: str, fields: int) -> Iterator[dict[str, Any]]:
    """Yield the deltas of an object, as text or as a call."""
    pieces = object_pieces(fields)
    if kind == "object-call":
        yield _call("", id=f"functions.{FUNCTION}:0", type="function", function={"name": FUNCTION, "arguments": ""})
        yield from map(_call, pieces)
        return
    for piece in pieces:
        yield {"role": "assistant", "content": piece}


def _event(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choice = {
        "index": 0, "delta": delta, "finish_reason": finish, "native_finish_reason": finish, "logprobs": None,
    }  # fmt: skip
    chunk = {**FACTS, "object": "chat.completion.chunk", "choices": [choice], **more}
    return f"data: {json.dumps(chunk, separators=(',', ':'))}\n\n".encode()


def events(kind: str, count: int) -> Iterator[bytes]:
    """Yield the server-sent events of a reply with `count` deltas."""
    deltas = (DELTAS[kind](number, count) for number in range(count)) if kind in DELTAS else _object(kind, count)
    yield from map(_event, deltas)
    # A reply of reasoning alone is an error.
    end: dict[str, Any] = {"role": "assistant", "content": "." if kind == "reasoning" else ""}
    yield _event(end, "tool_calls" if kind in ("tool", "object-call") else "stop")
    yield _event(end, usage=USAGE)
    yield b"data: [DONE]\n\n"


def _framed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield head.encode()
    for piece in pieces:
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def _blocks(whole: bytes) -> Iterator[bytes]:
    for start in range(0, len(whole), BLOCK):
        yield whole[start : start + BLOCK]


def plain_size(characters: int) -> int:
    """Return the number of words of a plain reply with about this number of characters."""
    return max(1, characters * len(WORDS) // len("".join(map(_word, range(len(WORDS))))))


def _plain(count: int) -> bytes:
    message = {"role": "assistant", "content": "".join(map(_word, range(count))).strip()}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "native_finish_reason": "stop"}
    body = json.dumps({**FACTS, "choices": [choice], "usage": USAGE}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@cache
def writes(kind: str, count: int, way: str) -> list[bytes]:
    """Return the writes of a reply."""
    if kind == "plain":
        return [_plain(count)]
    pieces = events(kind, count)
    if way == "whole":
        return list(_framed(_blocks(b"".join(pieces))))
    framed = list(_framed(pieces))
    # The head is written with the first delta, and the end with the last event.
    return [framed[0] + framed[1], *framed[2:-2], framed[-2] + framed[-1]]


class ReplyProtocol(asyncio.Protocol):
    """One connection: reads requests and sends the replies that their paths select."""

    paced: "dict[ReplyProtocol, Iterator[bytes]]" = {}  # noqa: RUF012 - all connections share it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._received = bytearray()
        self._expected = 0

    def connection_lost(self, exc: Exception | None) -> None:
        self.paced.pop(self, None)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._expected and (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end]).lower()
            length = head.partition(b"content-length:")[2].split(b"\r\n")[0]
            self._expected = end + 4 + int(length or 0)
        if self._expected and len(self._received) >= self._expected:
            path = bytes(self._received.split(b" ", 2)[1]).decode()
            del self._received[:]
            self._expected = 0
            self._answer(path)

    def _answer(self, path: str) -> None:
        kind, count, way = path.strip("/").split("/")[:3]
        pieces = writes(kind, int(count), way)
        if way == "paced":
            self._transport.write(pieces[0])
            self.paced[self] = iter(pieces[1:])
            return
        for piece in pieces:
            self._transport.write(piece)

    @classmethod
    def tick(cls, loop: asyncio.AbstractEventLoop, due: float) -> None:
        """Write the next delta of each paced stream, and schedule the next tick."""
        for connection, pieces in list(cls.paced.items()):
            piece = next(pieces, None)
            if piece is None:
                del cls.paced[connection]
            else:
                connection._transport.write(piece)
        due += INTERVAL
        loop.call_at(due, cls.tick, loop, due)


async def serve() -> None:
    """Serve until the process ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(ReplyProtocol, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the port goes to the parent process
    ReplyProtocol.tick(loop, loop.time())
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
