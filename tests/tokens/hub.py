"""Hugging Face's hub on loopback, with one file: what `huggingface_hub` asks of it, and ways in which it fails."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from langchain_kimi._tokens.vocabulary import FILE_NAME, REPOSITORY, REVISION

PATH = f"/{REPOSITORY}/resolve/{REVISION}/{FILE_NAME}"


@dataclass
class Hub:
    """A hub that serves one file.

    Attributes:
        content: The file.
        url: What `HF_ENDPOINT` must be.
        status: The status of each answer, if it is an error.
        downloads: How many times the file was downloaded.
        credentials: The `Authorization` header of each request so far.
    """

    content: bytes
    url: str = ""
    status: int | None = None
    downloads: int = 0
    credentials: list[str | None] = field(default_factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.credentials.append(handler.headers.get("Authorization"))
        if self.status or handler.path != PATH:
            handler.send_error(self.status or 404)
            return
        handler.send_response(200)
        handler.send_header("ETag", f'"{hashlib.sha256(self.content).hexdigest()}"')
        handler.send_header("X-Repo-Commit", REVISION)
        handler.send_header("Content-Length", str(len(self.content)))
        handler.end_headers()
        if handler.command == "GET":
            self.downloads += 1
            handler.wfile.write(self.content)


@contextmanager
def serving(content: bytes) -> Iterator[Hub]:
    hub = Hub(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.answer(self)

        do_HEAD = do_GET  # noqa: N815 - the base class names it so

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        hub.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield hub
        http.shutdown()
        thread.join()
