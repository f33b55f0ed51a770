"""Repairs of a response: the choices of its events in, the repaired choices out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from langchain_kimi._kimi.call_repairs import IncomingCall, IncomingCalls
from langchain_kimi._kimi.history import number_of_calls
from langchain_kimi._kimi.markup.calls import LeakedCall
from langchain_kimi._kimi.markup.grammar import parsed
from langchain_kimi._kimi.markup.texts import LeakedMarkup
from langchain_kimi._kimi.repairs import ALL, Repairs
from langchain_kimi._kimi.tools import CallValidator, OfferedTools
from langchain_kimi._openrouter.wire import JSONObject, WireBody, WireChoice, WireMessage

UNCLEAN = frozenset({"length", "error", "content_filter"})
"""Finish reasons of a response that was cut off."""


@dataclass(frozen=True, slots=True)
class RepairOptions:
    """How a response is repaired.

    Attributes:
        repairs: The names of the repairs to make.
        call_ids: Returns the ids of the tool calls in the conversation.
        validates: Whether calls are checked against the schemas of their tools.
        empty_answers: The number of empty responses before this one.
        changed_choice: Whether the request's `tool_choice` was changed.
        hopes_for_call: Whether a forced call became `tool_choice="auto"`.
    """

    repairs: Repairs = ALL
    call_ids: Callable[[], frozenset[str]] = frozenset
    validates: bool = False
    empty_answers: int = 0
    changed_choice: bool = False
    hopes_for_call: bool = False


class Repairer:
    """Repairs one choice of a response, event by event; a plain response is a stream of one event.

    The last event has a report, under the choice's key `kimi`, unless it would be empty. Its keys are `repairs` (counts
    by name), `invalid_tool_calls` (by id, the reason why a call must not be run although its arguments are an object),
    `validation` (counts of calls that do not fit their tools) and `empty_answers` (the number of empty responses before
    this one).
    """

    def __init__(self, body: WireBody, repair_options: RepairOptions | None = None) -> None:
        """Begin a choice.

        Args:
            body: The request, with its tools and its conversation.
            repair_options: How to repair; by default every default repair, and no validation.
        """
        repair_options = repair_options or RepairOptions()
        self._offered = OfferedTools(body)
        self._calls = IncomingCalls(
            self._offered, repair_options.repairs, repair_options.call_ids, partial(number_of_calls, body)
        )
        has_leaks = "markup" in repair_options.repairs and self._offered.may_be_called
        self._leaks = LeakedMarkup(self._offered) if has_leaks else None
        self._validator = CallValidator(self._offered) if repair_options.validates else None
        self._empty_answers = repair_options.empty_answers
        self._changed_choice = repair_options.changed_choice
        self._finish: str | None = None
        self._delayed_finish = False
        self._closed = False

    def feed(self, choice: WireChoice) -> WireChoice:
        """Take the choice of the next event, and return it repaired."""
        delta = choice.get("delta")
        repaired = self._repaired(choice, delta) if delta and not self._passes(delta) else delta
        finish = choice.get("finish_reason")
        self._finish = self._finish or finish
        if finish and self._leaks and not self._leaks.is_idle:
            # A call in the text may change how the reply ended.
            self._delayed_finish = True
            choice = cast("WireChoice", {**choice, "finish_reason": None})
        return choice if repaired is delta else cast("WireChoice", {**choice, "delta": repaired})

    def close(self, *, cut: bool = False) -> Iterator[WireChoice]:
        """Take the end of the response, and yield a last choice with the parts that were held back, if there are any.

        Args:
            cut: Whether the response was cut off.
        """
        if self._closed:
            return
        self._closed = True
        delta = cast("JSONObject", self._leaks.close(clean=self._is_clean and not cut) if self._leaks else {})
        calls = list(self._calls.close())
        lifted = list(self._lifted())
        if calls or lifted:
            delta["tool_calls"] = calls + [self._calls.add(leaked) for leaked in lifted]
        report = self._report()
        last: JSONObject = {"delta": delta} if delta else {}
        if self._delayed_finish or (lifted and self._finish is None):
            added = list(self._calls.calls.values())[len(self._calls.calls) - len(lifted) :]
            has_called = self._is_clean and any(call.is_sound for call in added)
            last["finish_reason"] = "tool_calls" if has_called else self._finish
        if report:
            last["kimi"] = report
        if last:
            yield cast("WireChoice", {"index": 0, **last})

    @property
    def _is_clean(self) -> bool:
        return self._finish not in UNCLEAN

    def _passes(self, delta: WireMessage) -> bool:
        """Take a delta that needs no repair, as nearly all are; return whether it is one."""
        if wire := delta.get("tool_calls"):
            return (self._leaks is None or self._leaks.has_no_text(delta)) and self._calls.passes(wire)
        return self._leaks is None or self._leaks.passes(delta)

    def _repaired(self, choice: WireChoice, delta: WireMessage) -> WireMessage:
        repaired = self._leaks.feed(delta) if self._leaks else delta
        wire: list[Any] | None = delta.get("tool_calls")
        if not wire:
            return repaired
        if "message" in choice:
            # The calls of a plain response are complete, and many hosts leave out their index.
            wire = [{**call, "index": at} if isinstance(call, dict) else call for at, call in enumerate(wire)]
        return cast("WireMessage", {**repaired, "tool_calls": list(self._calls.feed(wire))})

    def _lifted(self) -> Iterator[LeakedCall]:
        """Yield the calls in the texts, except those that are also structured calls or earlier in the text."""
        structured = list(self._calls.calls.values())
        seen: list[LeakedCall] = []
        for leaked in self._leaks.calls(has_others=bool(structured)) if self._leaks else ():
            if not (any(call.repeats(leaked) for call in structured) or (leaked.id and leaked in seen)):
                seen.append(leaked)
                yield leaked

    def _report(self) -> JSONObject:
        counts = +self._calls.repaired
        if self._leaks and self._leaks.count:
            counts["markup"] = self._leaks.count
        if self._changed_choice:
            counts["tool_choice"] = 1
        if self._validator:
            for call in self._calls.calls.values():
                self._validate(call, self._validator)
        invalid = {call.id: call.error for call in self._calls.calls.values() if call.error}
        report: JSONObject = {"repairs": dict(sorted(counts.items()))} if counts else {}
        if self._empty_answers:
            report["empty_answers"] = self._empty_answers
        if invalid:
            report["invalid_tool_calls"] = invalid
        if self._validator and (self._validator.unknown_tools or self._validator.mismatches):
            errors = {"unknown_tools": self._validator.unknown_tools, "mismatches": self._validator.mismatches}
            report["validation"] = {kind: count for kind, count in errors.items() if count}
        return report

    def _validate(self, call: IncomingCall, validator: CallValidator) -> None:
        if call.is_sound:
            call.error = validator.fault(call.name, parsed(call.arguments or "{}"))
