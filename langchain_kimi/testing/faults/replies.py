"""Faults inside a reply with status 200: errors in place of an answer, and incomplete or malformed answers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.answers import Answer, SentToolCall
from langchain_kimi.testing.http1 import Response
from langchain_kimi.testing.rejections import error_body
from langchain_kimi.testing.responses import Fault, OutgoingReply

_EXAMPLE_CALL = SentToolCall("functions.get_weather:0", "get_weather", '{"city": "Oslo"}')


def error_in_reply(status: int = 502, message: str = "Provider returned error", *, nulls: bool = False) -> Fault:
    """200 whose body, or only event, is an error. With `nulls` it also has null values for id, model and choices."""
    error = error_body(status, message, {"provider_name": "Moonshot AI"})
    if nulls:
        error |= {"id": None, "model": None, "choices": None}
    return Fault("error in a 200", lambda outgoing: outgoing.respond([error]))


def choices_null() -> Fault:
    """200 without an answer: `choices` is null."""
    return _without_choices("choices null", {"choices": None})


def choices_empty() -> Fault:
    """200 without an answer: `choices` is empty."""
    return _without_choices("choices empty", {"choices": []})


def error_in_choice(status: int = 502, message: str = "Provider returned error") -> Fault:
    """200 with the beginning of an answer and an error in its choice."""
    error = {"code": status, "message": message, "metadata": {"provider_name": "Moonshot AI"}}

    def change(answer: Answer) -> Answer:
        text = answer.text or ""
        return _finished(replace(answer, text=text[: len(text) // 2]), "error")

    def mark(item: JSONObject) -> JSONObject:
        return {**item, "choices": [{**item["choices"][0], "error": error}]}

    return Fault("error in a choice", lambda outgoing: _with_last_choice(_changed(outgoing, change), mark))


def error_in_provider(status: int = 502, message: str = "Provider returned error") -> Fault:
    """200 without choices and with the error in place of the provider's name."""
    error = {"error": {"code": status, "message": message}}
    return _without_choices("error in provider", {"provider": error, "choices": None})


def empty_answer() -> Fault:
    """A complete but empty reply: no text, no calls, no reasoning, finish reason `stop`."""
    return _answer_fault(
        "empty answer", lambda answer: _finished(replace(answer, reasoning=None, text="", tool_calls=()), "stop")
    )


def no_finish_reason() -> Fault:
    """A complete answer whose finish reason stays null."""

    def unfinished(event: JSONObject) -> JSONObject:
        choices = [{**choice, "finish_reason": None, "native_finish_reason": None} for choice in event["choices"]]
        return {**event, "choices": choices}

    def play(outgoing: OutgoingReply) -> Response:
        return outgoing.respond([*(unfinished(event) for event in outgoing.events()), *outgoing.ending()])

    return Fault("no finish reason", play)


def leaked_markup(
    where: Literal["content", "reasoning"] = "content",
    *,
    section: bool = True,
    singular: bool = False,
    ended: bool = True,
    finish_reason: str = "stop",
) -> Fault:
    """The reply's tool calls as markup in its text or reasoning, which the provider failed to parse.

    Args:
        where: The field with the markup.
        section: Whether the calls are enclosed in the markers of a section.
        singular: Whether the section's markers are spelled `tool_call_section`.
        ended: Whether the last call, and the section, have their end markers.
        finish_reason: The finish reason of the reply.
    """

    def change(answer: Answer) -> Answer:
        markup = _markup(answer.tool_calls or (_EXAMPLE_CALL,), section=section, singular=singular, ended=ended)
        text = (answer.text or "") + (markup if where == "content" else "")
        thought = (answer.reasoning or "") + markup if where == "reasoning" else answer.reasoning
        return _finished(replace(answer, text=text, reasoning=thought, tool_calls=()), finish_reason)

    return _answer_fault("leaked markup", change)


def tool_arguments_cut(finish_reason: str = "length") -> Fault:
    """The arguments of the last tool call end in the middle. The finish reason may claim that they are complete."""

    def change(answer: Answer) -> Answer:
        *calls, last = answer.tool_calls or (_EXAMPLE_CALL,)
        last = replace(last, arguments=last.arguments[: max(1, len(last.arguments) * 2 // 3)])
        return _finished(replace(answer, tool_calls=(*calls, last)), finish_reason)

    return _answer_fault("tool arguments cut", change)


def huge_event(size: int = 1_000_000) -> Fault:
    """One delta with this many characters."""

    def change(answer: Answer) -> Answer:
        behavior = replace(answer.behavior, delta_tokens=size)
        return _finished(replace(answer, text="x" * size, tool_calls=(), behavior=behavior), "stop")

    return _answer_fault("huge event", change)


def _finished(answer: Answer, reason: str) -> Answer:
    return replace(answer, finish_reason=reason, native_finish_reason=reason)


def _answer_fault(name: str, change: Callable[[Answer], Answer]) -> Fault:
    def play(outgoing: OutgoingReply) -> Response:
        faulty = _changed(outgoing, change)
        return faulty.respond(faulty.items())

    return Fault(name, play)


def _changed(outgoing: OutgoingReply, change: Callable[[Answer], Answer]) -> OutgoingReply:
    return replace(outgoing, answer=change(outgoing.answer))


def _without_choices(name: str, instead: JSONObject) -> Fault:
    """Return a fault that sends the head of a reply once, with other fields in place of its choices and usage."""

    def play(outgoing: OutgoingReply) -> Response:
        shell = {key: value for key, value in outgoing.events()[0].items() if key not in ("choices", "usage")}
        return outgoing.respond([{**shell, **instead}, *outgoing.ending()])

    return Fault(name, play)


def _with_last_choice(outgoing: OutgoingReply, mark: Callable[[JSONObject], JSONObject]) -> Response:
    """Change the last choice of the answer: the plain one, or the one in a stream's finish event."""
    events = outgoing.events()
    finish = -2 if outgoing.stream else 0
    events[finish] = mark(events[finish])
    return outgoing.respond([*events, *outgoing.ending()])


def _markup(calls: tuple[SentToolCall, ...], *, section: bool, singular: bool, ended: bool) -> str:
    name = "tool_call_section" if singular else "tool_calls_section"
    encoded = [
        f"<|tool_call_begin|>functions.{call.name}:{number}<|tool_call_argument_begin|>{call.arguments}"
        for number, call in enumerate(calls)
    ]
    text = "<|tool_call_end|>".join(encoded) + ("<|tool_call_end|>" if ended else "")
    return f"<|{name}_begin|>{text}" + (f"<|{name}_end|>" if ended else "") if section else text
