"""Faults inside a reply with the status 200: errors where an answer should be, and answers that are none."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.answers import Answer, AnsweredCall
from langchain_kimi.testing.http1 import Response
from langchain_kimi.testing.refusals import error_body
from langchain_kimi.testing.serving import Fault, Serving

_EXAMPLE_CALL = AnsweredCall("functions.get_weather:0", "get_weather", '{"city": "Oslo"}')


def error_in_reply(status: int = 502, message: str = "Provider returned error", *, nulls: bool = False) -> Fault:
    """200 whose body, or only event, is an error; with `nulls` it has id, model and choices too, all null."""
    error = error_body(status, message, {"provider_name": "Moonshot AI"})
    if nulls:
        error |= {"id": None, "model": None, "choices": None}
    return Fault("error in a 200", lambda serving: serving.respond([error]))


def choices_null() -> Fault:
    """200 without an answer: `choices` is null."""
    return _without_choices("choices null", {"choices": None})


def choices_empty() -> Fault:
    """200 without an answer: `choices` is empty."""
    return _without_choices("choices empty", {"choices": []})


def error_in_choice(status: int = 502, message: str = "Provider returned error") -> Fault:
    """200 with the beginning of an answer and an error inside its choice."""
    error = {"code": status, "message": message, "metadata": {"provider_name": "Moonshot AI"}}

    def spoil(answer: Answer) -> Answer:
        text = answer.text or ""
        return _finished(replace(answer, text=text[: len(text) // 2]), "error")

    def mark(item: JSONObject) -> JSONObject:
        return {**item, "choices": [{**item["choices"][0], "error": error}]}

    return Fault("error in a choice", lambda serving: _with_last_choice(_spoiled(serving, spoil), mark))


def error_in_provider(status: int = 502, message: str = "Provider returned error") -> Fault:
    """200 without choices, with the error where the provider's name should be."""
    error = {"error": {"code": status, "message": message}}
    return _without_choices("error in provider", {"provider": error, "choices": None})


def empty_answer() -> Fault:
    """A whole reply with nothing in it: no text, no calls, no reasoning, finish reason `stop`."""
    return _answer_fault(
        "empty answer", lambda answer: _finished(replace(answer, reasoning=None, text="", tool_calls=()), "stop")
    )


def no_finish_reason() -> Fault:
    """An answer that is whole but never says so: the finish reason stays null to the end."""

    def unfinished(event: JSONObject) -> JSONObject:
        choices = [{**choice, "finish_reason": None, "native_finish_reason": None} for choice in event["choices"]]
        return {**event, "choices": choices}

    def play(serving: Serving) -> Response:
        return serving.respond([*(unfinished(event) for event in serving.events()), *serving.ending()])

    return Fault("no finish reason", play)


def leaked_markup(
    where: Literal["content", "reasoning"] = "content",
    *,
    section: bool = True,
    singular: bool = False,
    ended: bool = True,
    finish_reason: str = "stop",
) -> Fault:
    """Tool calls as Kimi's own markup in the text or the reasoning, which the host failed to parse.

    Without `section` the section's markers are missing, with `singular` they are spelt in the other known way, and
    without `ended` nothing is closed after the last arguments. Calls the tools the reply would have called.
    """

    def spoil(answer: Answer) -> Answer:
        markup = _markup(answer.tool_calls or (_EXAMPLE_CALL,), section=section, singular=singular, ended=ended)
        text = (answer.text or "") + (markup if where == "content" else "")
        thought = (answer.reasoning or "") + markup if where == "reasoning" else answer.reasoning
        return _finished(replace(answer, text=text, reasoning=thought, tool_calls=()), finish_reason)

    return _answer_fault("leaked markup", spoil)


def tool_arguments_cut(finish_reason: str = "length") -> Fault:
    """The arguments of the last tool call end in the middle; the finish reason may pretend that all is well."""

    def spoil(answer: Answer) -> Answer:
        *calls, last = answer.tool_calls or (_EXAMPLE_CALL,)
        last = replace(last, arguments=last.arguments[: max(1, len(last.arguments) * 2 // 3)])
        return _finished(replace(answer, tool_calls=(*calls, last)), finish_reason)

    return _answer_fault("tool arguments cut", spoil)


def huge_event(size: int = 1_000_000) -> Fault:
    """One delta of so many characters."""

    def spoil(answer: Answer) -> Answer:
        behavior = replace(answer.behavior, delta_tokens=size)
        return _finished(replace(answer, text="x" * size, tool_calls=(), behavior=behavior), "stop")

    return _answer_fault("huge event", spoil)


def _finished(answer: Answer, reason: str) -> Answer:
    return replace(answer, finish_reason=reason, native_finish_reason=reason)


def _answer_fault(name: str, spoil: Callable[[Answer], Answer]) -> Fault:
    def play(serving: Serving) -> Response:
        spoiled = _spoiled(serving, spoil)
        return spoiled.respond(spoiled.items())

    return Fault(name, play)


def _spoiled(serving: Serving, spoil: Callable[[Answer], Answer]) -> Serving:
    return replace(serving, answer=spoil(serving.answer))


def _without_choices(name: str, instead: JSONObject) -> Fault:
    """Send what a reply says beside its choices and usage, once, with this in their place."""

    def play(serving: Serving) -> Response:
        shell = {key: value for key, value in serving.events()[0].items() if key not in ("choices", "usage")}
        return serving.respond([{**shell, **instead}, *serving.ending()])

    return Fault(name, play)


def _with_last_choice(serving: Serving, mark: Callable[[JSONObject], JSONObject]) -> Response:
    """Mark the choice that ends the answer: the plain one, or that of a stream's finish event."""
    events = serving.events()
    finish = -2 if serving.stream else 0
    events[finish] = mark(events[finish])
    return serving.respond([*events, *serving.ending()])


def _markup(calls: tuple[AnsweredCall, ...], *, section: bool, singular: bool, ended: bool) -> str:
    name = "tool_call_section" if singular else "tool_calls_section"
    written = [
        f"<|tool_call_begin|>functions.{call.name}:{number}<|tool_call_argument_begin|>{call.arguments}"
        for number, call in enumerate(calls)
    ]
    text = "<|tool_call_end|>".join(written) + ("<|tool_call_end|>" if ended else "")
    return f"<|{name}_begin|>{text}" + (f"<|{name}_end|>" if ended else "") if section else text
