"""Faults of streams: errors between events, and streams that end early, break, stall or never end."""

from typing import Literal

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.http1 import Cut, Hang, Pause, Repeat, Response
from langchain_kimi.testing.rejections import USER
from langchain_kimi.testing.responses import COMMENT, DONE, PADDING, Fault, Item, OutgoingReply, dump

# The finish event and the usage event follow the content.
_CLOSING = 2
_PIECE_LENGTH = 16


def stream_error(
    where: Literal["first", "middle", "after_finish"] = "middle",
    *,
    choices: bool = True,
    done: bool = False,
    error: JSONObject | None = None,
) -> Fault:
    """An error as an event of a stream. A plain reply consists of the error alone.

    Args:
        where: The position of the error.
        choices: Whether the event also has choices.
        done: Whether `[DONE]` follows.
        error: The error object. None: a 502.
    """

    def play(outgoing: OutgoingReply) -> Response:
        error_object = error or {
            "code": 502,
            "message": "Provider disconnected unexpectedly",
            "metadata": {"provider_name": outgoing.answer.provider, "error_type": "provider_unavailable"},
        }
        if not outgoing.stream:
            return outgoing.respond([{"error": error_object, "user_id": USER}])
        events = outgoing.events()
        sent = {"first": [], "middle": _first_half(events), "after_finish": events[:-1]}[where]
        event = _error_event(events[0], error_object) if choices else {"error": error_object, "user_id": USER}
        return outgoing.respond([*sent, event, *(outgoing.ending() if done else [])])

    return Fault(f"stream error, {where}", play)


def null_choices_event() -> Fault:
    """An event with null `choices` in the middle of a stream, or a plain reply with null `choices`."""

    def play(outgoing: OutgoingReply) -> Response:
        events = outgoing.events()
        middle = len(_first_half(events)) if outgoing.stream else 0
        odd = {name: value for name, value in events[middle].items() if name != "usage"} | {"choices": None}
        return outgoing.respond([*events[:middle], odd, *events[middle:], DONE] if outgoing.stream else [odd])

    return Fault("event with null choices", play)


def invalid_json() -> Fault:
    """An event, or a plain body, that is cut off and therefore not JSON. The stream continues after it."""

    def play(outgoing: OutgoingReply) -> Response:
        events = outgoing.events()
        if not outgoing.stream:
            return outgoing.respond([dump(events[0])[:-20]])
        middle = len(_first_half(events))
        broken = b"data: %b\n\n" % dump(events[middle])[:-20]
        return outgoing.respond([*events[:middle], broken, *events[middle + 1 :], DONE])

    return Fault("invalid JSON", play)


def stream_ends(*, before: Literal["finish", "done"] = "finish") -> Fault:
    """A stream that ends without its finish reason, or only without `[DONE]`, or half of a plain body."""

    def play(outgoing: OutgoingReply) -> Response:
        if not outgoing.stream:
            return outgoing.respond([_half_body(outgoing)])
        events = outgoing.events()
        return outgoing.respond(events[:-_CLOSING] if before == "finish" else events)

    return Fault(f"stream ends before {before}", play)


def connection_cut(*, reset: bool = True, after: int | None = None) -> Fault:
    """A connection that is reset or closed after `after` events, or in the middle if `after` is None."""

    def play(outgoing: OutgoingReply) -> Response:
        if not outgoing.stream:
            return outgoing.respond([_half_body(outgoing), Cut(reset)])
        sent = _first_half(outgoing.events()) if after is None else outgoing.events()[:after]
        return outgoing.respond([*sent, Cut(reset)])

    return Fault("connection cut", play)


def silence(before: Literal["headers", "first_event", "middle", "done"] = "headers") -> Fault:
    """From this point on nothing is sent, but the connection stays open."""

    def play(outgoing: OutgoingReply) -> Response:
        if before == "headers":
            return outgoing.respond([], before=[Hang()])
        if before == "first_event":
            return outgoing.respond([Hang()])
        if not outgoing.stream:
            return outgoing.respond([_half_body(outgoing), Hang()])
        sent = outgoing.events() if before == "done" else _first_half(outgoing.events())
        return outgoing.respond([*sent, Hang()])

    return Fault(f"silence before {before}", play)


def comments_for_ever(every: float = 0.02, *, after: int = 0) -> Fault:
    """Endless keep-alives with `every` seconds between them, after `after` events."""

    def play(outgoing: OutgoingReply) -> Response:
        keep_alive = Repeat(COMMENT if outgoing.stream else PADDING, every)
        return outgoing.respond([*(outgoing.events()[:after] if outgoing.stream else []), keep_alive])

    return Fault("comments for ever", play)


def slow_dribble(pause: float = 0.001) -> Fault:
    """A complete reply in pieces of a few bytes, which split lines and characters."""

    def play(outgoing: OutgoingReply) -> Response:
        items: list[Item] = []
        for item in outgoing.items():
            sent = _bytes_of(outgoing, item)
            for start in range(0, len(sent), _PIECE_LENGTH):
                items += [Pause(pause), sent[start : start + _PIECE_LENGTH]]
        return outgoing.respond(items)

    return Fault("slow dribble", play)


def _bytes_of(outgoing: OutgoingReply, item: Item) -> bytes:
    if isinstance(item, bytes):
        return item
    return b"data: %b\n\n" % dump(item) if outgoing.stream else dump(item)


def _first_half(events: list[JSONObject]) -> list[JSONObject]:
    """Return the first half of a stream's content events, at least one."""
    content = events[:-_CLOSING]
    return content[: max(1, len(content) // 2)]


def _half_body(outgoing: OutgoingReply) -> bytes:
    body = dump(outgoing.events()[0])
    return body[: len(body) // 2]


def _error_event(event: JSONObject, error: JSONObject) -> JSONObject:
    choice = {"index": 0, "delta": {"content": "", "role": "assistant"}}
    closing = {"finish_reason": "error", "native_finish_reason": None}
    return {**event, "error": error, "choices": [{**choice, **closing}]}
