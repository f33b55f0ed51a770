"""A fast server of one canned reply on loopback: `python -m tests.benchmarks.bulk_server [third] [SECONDS]`.

It prints its port. `third` refuses each third request with 429, SECONDS delay each answer. `GET /counts` tells how many
requests came, how many at most in a second, how many were refused or lost their connection before the answer, and what
the answers cost. The reply is short, so that the time of the client is measured, and not that of the server.
"""

import asyncio
import json
import random
import sys
import time
from typing import Any

PRICE = 2e-5
"""US dollars that an answer costs at most: ten tokens at two dollars a million."""
_REFUSAL = b'{"error":{"code":429,"message":"Too many requests"}}'
_REPLY = {
    "id": "gen-1",
    "object": "chat.completion",
    "created": 1,
    "model": "moonshotai/kimi-k2-0905",
    "provider": "Loopback",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "fine"}}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20},
}


class Counts:
    """The counts of the requests that the server has received."""

    def __init__(self) -> None:
        self.requests = self.refused = self.unanswered = self.busiest = 0
        self.cost = 0.0
        self._second = self._in_second = 0

    def answer(self, *, refuses: bool) -> bytes:
        """Count a request, and return its response."""
        self.requests += 1
        second = int(time.monotonic())
        self._in_second = self._in_second + 1 if second == self._second else 1
        self._second, self.busiest = second, max(self.busiest, self._in_second)
        if refuses and self.requests % 3 == 0:
            self.refused += 1
            return response(_REFUSAL, "429 Too Many Requests")
        cost = round(PRICE * random.uniform(0.2, 1.0), 9)  # noqa: S311 - no secret depends on it
        self.cost += cost
        return response(json.dumps({**_REPLY, "usage": {**reply_usage(), "cost": cost}}).encode())


def reply_usage() -> dict[str, Any]:
    """Return the tokens of the reply."""
    usage = _REPLY["usage"]
    return usage if isinstance(usage, dict) else {}


def response(content: bytes, status: str = "200 OK") -> bytes:
    """Return an HTTP response."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content


class Connection(asyncio.Protocol):
    """A connection with requests one after another."""

    def __init__(self, counts: Counts, delay: float, *, refuses: bool) -> None:
        self._counts = counts
        self._delay = delay
        self._refuses = refuses
        self._received = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            place = head.find(b"content-length:")
            size = int(head[place + 15 :].split(b"\r\n")[0]) if place >= 0 else 0
            if len(self._received) < end + 4 + size:
                return
            self._received = self._received[end + 4 + size :]
            if head.startswith(b"get "):
                self._transport.write(response(json.dumps(vars(self._counts)).encode()))
                continue
            answer = self._counts.answer(refuses=self._refuses)
            asyncio.get_running_loop().call_later(self._delay, self._write, answer)

    def _write(self, answer: bytes) -> None:
        if self._transport.is_closing():
            self._counts.unanswered += 1
        else:
            self._transport.write(answer)


async def main(arguments: list[str]) -> None:
    """Serve until the process is killed."""
    counts, refuses = Counts(), "third" in arguments
    delay = next((float(argument) for argument in arguments if argument != "third"), 0.0)
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(counts, delay, refuses=refuses), "127.0.0.1", 0, backlog=2_000
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
