"""A loopback OpenRouter for tests: an HTTP server with the wire format, quirks and faults of the real service."""

import dataclasses
import threading
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeAlias

from langchain_kimi.testing import endpoints, responder
from langchain_kimi.testing.answers import Answer, ChatRequest, compose
from langchain_kimi.testing.behavior import Behavior
from langchain_kimi.testing.catalog import DEFAULT, find
from langchain_kimi.testing.hosts import route
from langchain_kimi.testing.http1 import HttpRequest, Response
from langchain_kimi.testing.received_requests import ReceivedRequest
from langchain_kimi.testing.rejections import RejectedRequestError
from langchain_kimi.testing.replies import RawReply, Reply
from langchain_kimi.testing.responses import Fault, OutgoingReply, raw_response
from langchain_kimi.testing.server import LoopbackServer
from langchain_kimi.testing.tokens import PromptCache
from langchain_kimi.testing.validation import check_model, check_request, usable_body

Scripted: TypeAlias = Reply | RawReply | Fault

_CHAT = "/api/v1/chat/completions"


class Emulator:
    """A loopback OpenRouter. It runs from its construction until `close` or the end of its `with` block.

    Requests are validated as by the real service, then answered from the script, or by rules if the script is empty.

    ```python
    with Emulator() as openrouter:
        openrouter.script(Reply(text="Hi."), faults.rate_limited(retry_after=2))
        ...  # use a client of openrouter.base_url
        assert openrouter.requests[0].body["messages"]
    ```

    All methods and attributes may be used from any thread.

    Args:
        port: The port on 127.0.0.1. 0: any free port.
        api_key: The only API key that is accepted. None: any key is accepted.
        behavior: The switches; see `Behavior`.

    Raises:
        OSError: The port is taken.
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
        """Close all connections and stop. Closing twice does nothing.

        Raises:
            RuntimeError: The emulator itself failed while it handled a request.
        """
        self._server.close()

    @property
    def base_url(self) -> str:
        """The base URL for a client, including `/api/v1`."""
        return f"http://127.0.0.1:{self._server.port}/api/v1"

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests so far, in order."""
        with self._lock:
            return list(self._requests)

    @property
    def bodies(self) -> list[Any]:
        """The parsed bodies of the chat requests so far, in order."""
        return [request.body for request in self.requests if request.path == _CHAT]

    @property
    def open_connections(self) -> int:
        """The number of connections that are open now."""
        return self._server.open_connections

    @property
    def connections_opened(self) -> int:
        """The number of connections that were opened since the start."""
        return self._server.connections_opened

    def behave(self, **changes: Any) -> None:
        """Change some switches of `behavior`, from the next request on.

        Raises:
            TypeError: There is no such switch.
        """
        self.behavior = dataclasses.replace(self.behavior, **changes)

    def script(self, *replies: Scripted, times: int | None = 1) -> None:
        """Add to the script, which answers the next chat requests in order. Requests are still validated.

        Args:
            *replies: Replies, raw replies and faults.
            times: How many requests each of them answers. None: all requests from then on.
        """
        with self._lock:
            self._script += [(reply, times) for reply in replies]

    def fail_next(self, fault: Fault, times: int | None = 1) -> None:
        """Add a fault to the script.

        Args:
            fault: The fault, made by a function of `faults`.
            times: How many chat requests fail. None: all from then on.
        """
        self.script(fault, times=times)

    def clear(self) -> None:
        """Clear the script and the list of requests."""
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
        except RejectedRequestError as rejection:
            response = rejection.response()
        received.status = response.status
        received.generation_id = response.headers.get("x-generation-id")
        return dataclasses.replace(response, on_end=received.end)

    def _route(self, received: ReceivedRequest) -> Response:
        if received.method == "POST" and received.path == _CHAT:
            return self._chat(received)
        return endpoints.respond(received, self._generations, self._api_key, self.behavior.hosts)

    def _chat(self, received: ReceivedRequest) -> Response:
        endpoints.authorize(received, self._api_key)
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
        if behavior.hosts:
            host = route(behavior.hosts, body, number=len(self.requests) if behavior.balanced else None)
            scripted = scripted or host.reply(body, model)
            behavior = dataclasses.replace(behavior, provider=host.name, pause=host.pause or behavior.pause)
            model = host.priced(model)
        prompt = self._cache.count(body, host=behavior.provider if behavior.hosts else None)
        request = ChatRequest(body, requested, model, behavior, prompt)
        reply = scripted.reply if isinstance(scripted, Fault) else scripted
        outgoing = OutgoingReply(_answer(reply, request), bool(body.get("stream")), requested)
        response = scripted.play(outgoing) if isinstance(scripted, Fault) else outgoing.respond(outgoing.items())
        if response.status == HTTPStatus.OK:
            self._generations.add(outgoing, received)
        return response


def _answer(reply: Reply | None, request: ChatRequest) -> Answer:
    reply = reply or responder.reply_to(request.body)
    return compose(reply, responder.reasoning_for(request.body, reply), request)
