"""A loopback OpenRouter for tests: an HTTP server with the wire format, quirks and faults of the real service."""

import dataclasses
import json
import threading
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing import endpoints, moonshot_batches, openrouter_batches, responder
from langchain_kimi.testing.answers import Answer, ChatRequest, compose
from langchain_kimi.testing.batches import BatchEnding, Batches
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
_BATCHES = ("/api/v1/batches", "/api/beta/batches")
_MOONSHOT = "/v1/"


class _Entry(NamedTuple):
    scripted: Scripted
    times: int | None
    when: Callable[[JSONObject], bool] | None


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
        self._script: list[_Entry] = []
        self._requests: list[ReceivedRequest] = []
        self._cache = PromptCache()
        self._generations = endpoints.Generations()
        self._batches = Batches()
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
    def moonshot_url(self) -> str:
        """The base URL of the emulated batches and files of Moonshot's own API, for `ChatKimi(host="moonshot")`."""
        return f"http://127.0.0.1:{self._server.port}/v1"

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

    def script(
        self, *replies: Scripted, times: int | None = 1, when: Callable[[JSONObject], bool] | None = None
    ) -> None:
        """Add to the script, which answers the next chat requests in order. Requests are still validated.

        Args:
            *replies: Replies, raw replies and faults.
            times: How many requests each of them answers. None: all requests from then on.
            when: Which requests they answer, by the parsed body. None: all requests. With it, programs whose requests
                come in any order, such as agents in parallel, have a script each.
        """
        with self._lock:
            self._script += [_Entry(reply, times, when) for reply in replies]

    def fail_next(self, fault: Fault, times: int | None = 1) -> None:
        """Add a fault to the script.

        Args:
            fault: The fault, made by a function of `faults`.
            times: How many chat requests fail. None: all from then on.
        """
        self.script(fault, times=times)

    def script_batches(self, *endings: BatchEnding) -> None:
        """Set how the next batches end, one each; see `faults.batch_expired` and the functions beside it.

        The rows of a batch are answered from the script of chat requests, in their order, or by rules.
        """
        self._batches.script(endings)

    def clear(self) -> None:
        """Clear the scripts, the batches and the list of requests."""
        with self._lock:
            self._script.clear()
            self._requests.clear()
        self._batches.clear()

    def _next(self, body: JSONObject) -> Scripted | None:
        with self._lock:
            for position, entry in enumerate(self._script):
                if entry.when is None or entry.when(body):
                    if entry.times is not None:
                        left = entry.times - 1
                        rest = [_Entry(entry.scripted, left, entry.when)] if left > 0 else []
                        self._script[position : position + 1] = rest
                    return entry.scripted
            return None

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
        if received.method == "OPTIONS":
            return endpoints.preflight(received)
        if received.method == "POST" and received.path == _CHAT:
            endpoints.authorize(received, self._api_key)
            return self._chat(usable_body(received.body), self.behavior)
        for prefix in _BATCHES:
            if received.path.startswith(prefix):
                endpoints.authorize(received, self._api_key)
                path, answer = received.path.removeprefix(prefix), partial(self._row, self.behavior)
                return openrouter_batches.respond(received, path, self._batches, self.behavior, answer)
        if received.path.startswith(_MOONSHOT):
            endpoints.authorize(received, self._api_key)
            path = received.path.removeprefix(_MOONSHOT)
            answer = partial(self._row, dataclasses.replace(self.behavior, strict=False))
            return moonshot_batches.respond(received, path, self._batches, self.behavior, answer)
        return endpoints.respond(received, self._generations, self._api_key, self.behavior.hosts)

    def _row(self, behavior: Behavior, body: JSONObject) -> tuple[int, JSONObject]:
        """Return the status and the body of the reply to a row of a batch. A broken reply is an error of the row."""
        try:
            response = self._chat(usable_body(body), behavior)
        except RejectedRequestError as rejection:
            response = rejection.response()
        content = b"".join(step for step in response.steps if isinstance(step, bytes))
        try:
            reply = json.loads(content)
        except ValueError:
            reply = {"error": {"message": "The provider's reply is broken.", "code": 502}}
        return response.status, reply

    def _chat(self, body: JSONObject, behavior: Behavior) -> Response:
        if behavior.strict:
            check_request(body)
        requested = body.get("model") or next(iter(body.get("models") or ()), DEFAULT)
        model = find(requested)
        if behavior.strict:
            check_model(body, model, behavior)
        scripted = self._next(body)
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
            self._generations.add(outgoing, body)
        return response


def _answer(reply: Reply | None, request: ChatRequest) -> Answer:
    reply = reply or responder.reply_to(request.body)
    return compose(reply, responder.reasoning_for(request.body, reply), request)
