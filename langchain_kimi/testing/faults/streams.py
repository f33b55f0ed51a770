"""Faults of the bytes: errors between events, streams that end, break, fall silent or never come to the point."""

from typing import Literal

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.http1 import Cut, Hang, Pause, Repeat, Response
from langchain_kimi.testing.refusals import USER
from langchain_kimi.testing.serving import COMMENT, DONE, PADDING, Fault, Item, Serving, dump

# Behind the content come the finish event and the usage event.
_CLOSING = 2
_DRIBBLED_BYTES = 16


def stream_error(
    where: Literal["first", "middle", "after_finish"] = "middle",
    *,
    choices: bool = True,
    done: bool = False,
    error: JSONObject | None = None,
) -> Fault:
    """An error as a stream's event, with a choice beside it or alone; a plain reply is the error alone.

    With `done` the stream is closed with `[DONE]` as some are; without it the bytes just end. `error` replaces the
    error object.
    """

    def play(serving: Serving) -> Response:
        told = error or {
            "code": 502,
            "message": "Provider disconnected unexpectedly",
            "metadata": {"provider_name": serving.answer.provider, "error_type": "provider_unavailable"},
        }
        if not serving.stream:
            return serving.respond([{"error": told, "user_id": USER}])
        events = serving.events()
        sent = {"first": [], "middle": _first_half(events), "after_finish": events[:-1]}[where]
        event = _error_event(events[0], told) if choices else {"error": told, "user_id": USER}
        return serving.respond([*sent, event, *(serving.ending() if done else [])])

    return Fault(f"stream error, {where}", play)


def null_choices_event() -> Fault:
    """A stream with an event in its middle whose `choices` is null; a plain reply with null `choices`."""

    def play(serving: Serving) -> Response:
        events = serving.events()
        middle = len(_first_half(events)) if serving.stream else 0
        odd = {name: value for name, value in events[middle].items() if name != "usage"} | {"choices": None}
        return serving.respond([*events[:middle], odd, *events[middle:], DONE] if serving.stream else [odd])

    return Fault("event with null choices", play)


def invalid_json() -> Fault:
    """An event, or a plain body, that is cut off and so is no JSON; the stream goes on behind it."""

    def play(serving: Serving) -> Response:
        events = serving.events()
        if not serving.stream:
            return serving.respond([dump(events[0])[:-20]])
        middle = len(_first_half(events))
        broken = b"data: %b\n\n" % dump(events[middle])[:-20]
        return serving.respond([*events[:middle], broken, *events[middle + 1 :], DONE])

    return Fault("invalid JSON", play)


def stream_ends(*, before: Literal["finish", "done"] = "finish") -> Fault:
    """A stream that ends cleanly, but without its finish reason, or only without `[DONE]`; a plain body cut in half."""

    def play(serving: Serving) -> Response:
        if not serving.stream:
            return serving.respond([_half_body(serving)])
        events = serving.events()
        return serving.respond(events[:-_CLOSING] if before == "finish" else events)

    return Fault(f"stream ends before {before}", play)


def connection_cut(*, reset: bool = True, after: int | None = None) -> Fault:
    """A connection that breaks after so many events, or in the middle; reset, or closed before the body is whole."""

    def play(serving: Serving) -> Response:
        if not serving.stream:
            return serving.respond([_half_body(serving), Cut(reset)])
        sent = _first_half(serving.events()) if after is None else serving.events()[:after]
        return serving.respond([*sent, Cut(reset)])

    return Fault("connection cut", play)


def silence(before: Literal["headers", "first_event", "middle", "done"] = "headers") -> Fault:
    """Nothing more is sent from here on, and the connection stays open."""

    def play(serving: Serving) -> Response:
        if before == "headers":
            return serving.respond([], before=[Hang()])
        if before == "first_event":
            return serving.respond([Hang()])
        if not serving.stream:
            return serving.respond([_half_body(serving), Hang()])
        sent = serving.events() if before == "done" else _first_half(serving.events())
        return serving.respond([*sent, Hang()])

    return Fault(f"silence before {before}", play)


def comments_for_ever(every: float = 0.02, *, after: int = 0) -> Fault:
    """Keep-alives, every so many seconds, after so many events, and never an end."""

    def play(serving: Serving) -> Response:
        keep_alive = Repeat(COMMENT if serving.stream else PADDING, every)
        return serving.respond([*(serving.events()[:after] if serving.stream else []), keep_alive])

    return Fault("comments for ever", play)


def slow_dribble(pause: float = 0.001) -> Fault:
    """A whole reply, but in pieces of a few bytes each, that break lines and letters apart."""

    def play(serving: Serving) -> Response:
        items: list[Item] = []
        for item in serving.items():
            sent = _bytes_of(serving, item)
            for start in range(0, len(sent), _DRIBBLED_BYTES):
                items += [Pause(pause), sent[start : start + _DRIBBLED_BYTES]]
        return serving.respond(items)

    return Fault("slow dribble", play)


def _bytes_of(serving: Serving, item: Item) -> bytes:
    if isinstance(item, bytes):
        return item
    return b"data: %b\n\n" % dump(item) if serving.stream else dump(item)


def _first_half(events: list[JSONObject]) -> list[JSONObject]:
    """The first half of a stream's content, and at least one event of it."""
    content = events[:-_CLOSING]
    return content[: max(1, len(content) // 2)]


def _half_body(serving: Serving) -> bytes:
    body = dump(serving.events()[0])
    return body[: len(body) // 2]


def _error_event(event: JSONObject, error: JSONObject) -> JSONObject:
    choice = {"index": 0, "delta": {"content": "", "role": "assistant"}}
    closing = {"finish_reason": "error", "native_finish_reason": None}
    return {**event, "error": error, "choices": [{**choice, **closing}]}
