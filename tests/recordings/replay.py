"""A loopback server that serves recorded responses, split into pieces in unusual ways.

It shares nothing with the package's own emulator, so that the two cannot be wrong in the same way.
"""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, pairwise
from threading import Thread
from typing import Any, Literal, cast

from tests.recordings.exchanges import Reply

Split = Literal["whole", "bytes", "odd", "network"]

ODD_SIZES = (7, 13, 64, 1021)
MOST_PIECES = 2000
"""Each piece takes the client about 30 microseconds, so long bodies are split into larger ones."""

FRAMING = frozenset({"connection", "content-encoding", "content-length", "transfer-encoding"})


def body_for(reply: Reply, split: Split) -> bytes:
    """Return the body to send; a stream at odd splits has CRLF line ends, which the recordings lack."""
    if split == "odd" and reply.is_stream:
        return reply.body.replace(b"\n", b"\r\n")
    return reply.body


def pieces_of(body: bytes, split: Split, network_chunks: tuple[int, ...] = ()) -> list[bytes]:
    """Return the pieces of the body: whole, byte by byte, at odd places, or as recorded."""
    if split == "whole":
        return [body]
    if split == "network":
        cuts, size = {0}, 0
        for length in network_chunks:
            size += length
            cuts.add(size)
    elif split == "bytes":
        sizes = (1, *ODD_SIZES)
        step = next((size for size in sizes if len(body) / size <= MOST_PIECES), sizes[-1])
        cuts = set(range(0, len(body), step))
    else:
        cuts = odd_cuts(body)
    return [body[start:end] for start, end in pairwise(sorted(cuts | {len(body)}))]


def odd_cuts(body: bytes) -> set[int]:
    """Return uneven positions, positions inside of characters, and positions between carriage return and line feed."""
    cuts, position = {0}, 0
    for size in cycle(ODD_SIZES):
        position += size
        if position >= len(body):
            break
        cuts.add(position)
    cuts |= {at for at, byte in enumerate(body) if byte & 0xC0 == 0x80}
    line_ends = [at for at, byte in enumerate(body) if byte == ord("\n") and body[at - 1] == ord("\r")]
    return cuts | set(line_ends[:MOST_PIECES])


class ReplayServer:
    """Serves `reply` to the next request, and stores the body of the last request."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/api/v1"
        self.reply = Reply(500, {}, b"nothing to serve")
        self.split: Split = "whole"
        self.received: list[dict[str, Any]] = []

    def serve(self, reply: Reply, split: Split) -> None:
        self.reply, self.split = reply, split
        self.received.clear()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["content-length"]))
        replay = cast("_Server", self.server).replay
        replay.received.append(json.loads(sent))
        reply, split = replay.reply, replay.split
        body = body_for(reply, split)
        packed = reply.framing.get("content-encoding") == "gzip"
        body = gzip.compress(body, mtime=0) if packed else body
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            if name not in FRAMING:
                self.send_header(name, value)
        if packed:
            self.send_header("content-encoding", "gzip")
        # A client that has seen enough hangs up, and the rest has nobody to go to.
        with suppress(ConnectionError):
            self._send_body(pieces_of(body, split, reply.network_chunks), chunked=reply.is_stream or split != "whole")

    def _send_body(self, pieces: list[bytes], *, chunked: bool) -> None:
        if chunked:
            self.send_header("transfer-encoding", "chunked")
            # An HTTP client hands out chunk by chunk, also when they travel together.
            body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n\r\n"
        else:
            body = b"".join(pieces)
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    replay: ReplayServer


@contextmanager
def replaying() -> Iterator[ReplayServer]:
    """Run a server on a free loopback port."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.replay = ReplayServer(server.server_address[1])
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.replay
        finally:
            server.shutdown()
            thread.join()
