"""A loopback OpenRouter for tests: a real HTTP server with the wire, the habits and the faults of the real one."""

import dataclasses
import threading
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeAlias

from langchain_kimi.testing import endpoints
from langchain_kimi.testing import responder as brain
from langchain_kimi.testing.answers import Answer, Asked, compose
from langchain_kimi.testing.behavior import Behavior
from langchain_kimi.testing.catalog import DEFAULT, find
from langchain_kimi.testing.http1 import HttpRequest, Response
from langchain_kimi.testing.received import ReceivedRequest
from langchain_kimi.testing.refusals import Refusal
from langchain_kimi.testing.replies import RawReply, Reply
from langchain_kimi.testing.server import LoopbackServer
from langchain_kimi.testing.serving import Fault, Serving, raw_response
from langchain_kimi.testing.tokens import PromptCache
from langchain_kimi.testing.validation import check_model, check_request, usable_body

Scripted: TypeAlias = Reply | RawReply | Fault

_CHAT = "/api/v1/chat/completions"


class Emulator:
    """A loopback OpenRouter, running from its construction until `close` or the end of its `with` block.

    It listens on 127.0.0.1, on a free port unless `port` says which, and takes any API key unless `api_key` says which.
    Requests are validated as the real service does, then answered from the script, or else by rules.

    ```python
    with Emulator() as openrouter:
        openrouter.script(Reply(text="Hi."), faults.rate_limited(retry_after=2))
        ...  # a client of openrouter.base_url
        assert openrouter.requests[0].body["messages"]
    ```

    All its methods and attributes may be used from any thread.
    """

    def __init__(self, *, port: int = 0, api_key: str | None = None, behavior: Behavior | None = None) -> None:
        self.behavior = behavior or Behavior()
        self._api_key = api_key
        self._lock = threading.Lock()
        self._script: list[tuple[Scripted, int | None]] = []
        self._requests: list[ReceivedRequest] = []
        self._cache = PromptCache()
        self._generations = endpoints.Generations()
        self._server = LoopbackServer(self._handle, port)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on all clients and stop; does nothing the second time.

        Raises `RuntimeError` where the emulator itself failed at a request.
        """
        self._server.close()

    @property
    def base_url(self) -> str:
        """The address to give to a client, up to `/api/v1`."""
        return f"http://127.0.0.1:{self._server.port}/api/v1"

    @property
    def requests(self) -> list[ReceivedRequest]:
        """What was received so far, in order."""
        with self._lock:
            return list(self._requests)

    @property
    def bodies(self) -> list[Any]:
        """The parsed bodies of the chat requests so far, in order."""
        return [request.body for request in self.requests if request.path == _CHAT]

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        return self._server.open_connections

    @property
    def connections_opened(self) -> int:
        """How many connections were opened since the start."""
        return self._server.connections_opened

    def behave(self, **changes: Any) -> None:
        """Change some switches of `behavior`, from the next request on; raises `TypeError` for an unknown one."""
        self.behavior = dataclasses.replace(self.behavior, **changes)

    def script(self, *replies: Scripted, times: int | None = 1) -> None:
        """Answer the next chat requests with these, in order, each so many times; none: for ever.

        What is left of an earlier script comes first. Requests are validated all the same.
        """
        with self._lock:
            self._script += [(reply, times) for reply in replies]

    def fail_next(self, fault: Fault, times: int | None = 1) -> None:
        """Let this go wrong with the next chat request, or the next so many; none: with all from now on."""
        self.script(fault, times=times)

    def clear(self) -> None:
        """Forget the script and the requests so far."""
        with self._lock:
            self._script.clear()
            self._requests.clear()

    def _next(self) -> Scripted | None:
        with self._lock:
            if not self._script:
                return None
            scripted, times = self._script[0]
            if times is None:
                return scripted
            self._script[:1] = [(scripted, times - 1)] if times > 1 else []
            return scripted

    def _handle(self, request: HttpRequest) -> Response:
        received = ReceivedRequest.of(request)
        with self._lock:
            self._requests.append(received)
        try:
            response = self._route(received)
        except Refusal as refusal:
            response = refusal.response()
        received.status = response.status
        received.generation_id = response.headers.get("x-generation-id")
        return dataclasses.replace(response, on_end=received.end)

    def _route(self, received: ReceivedRequest) -> Response:
        if received.method == "POST" and received.path == _CHAT:
            return self._chat(received)
        return endpoints.respond(received, self._generations, self._api_key)

    def _chat(self, received: ReceivedRequest) -> Response:
        endpoints.authorise(received, self._api_key)
        behavior, body = self.behavior, usable_body(received.body)
        if behavior.strict:
            check_request(body)
        requested = body.get("model") or next(iter(body.get("models") or ()), DEFAULT)
        model = find(requested)
        if behavior.strict:
            check_model(body, model, behavior)
        scripted = self._next()
        if isinstance(scripted, RawReply):
            return raw_response(scripted)
        asked = Asked(body, requested, model, behavior, self._cache.count(body))
        reply = scripted.reply if isinstance(scripted, Fault) else scripted
        serving = Serving(_answer(reply, asked), bool(body.get("stream")), requested)
        response = scripted.play(serving) if isinstance(scripted, Fault) else serving.respond(serving.items())
        if response.status == HTTPStatus.OK:
            self._generations.remember(serving, received)
        return response


def _answer(reply: Reply | None, asked: Asked) -> Answer:
    spoken = reply or brain.answer(asked.body)
    return compose(spoken, brain.thought(asked.body, spoken), asked)
