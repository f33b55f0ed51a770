"""Repair a response: `Repairer` takes the choice of each event and returns it repaired."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from langchain_kimi._kimi.families import is_kimi
from langchain_kimi._kimi.history import number_of_calls
from langchain_kimi._kimi.markup.calls import LeakedCall
from langchain_kimi._kimi.markup.grammar import parsed
from langchain_kimi._kimi.markup.texts import LeakedMarkup
from langchain_kimi._kimi.repairs import ALL, ON_RESPONSE, BeginResponse, Repairs
from langchain_kimi._kimi.tool_names import with_name
from langchain_kimi._kimi.tools import CallValidator, OfferedTools
from langchain_kimi._openrouter.wire import JSONObject, WireBody, WireChoice, WireMessage, WireToolCall, is_complete

if TYPE_CHECKING:
    from langchain_kimi._kimi.call_repairs import IncomingCall, IncomingCalls

_NO_TOOLS = OfferedTools({})


class RepairOptions(NamedTuple):
    """The options of the repairs of a response.

    Attributes:
        repairs: The names of the repairs to make.
        call_ids: Returns the ids of the tool calls in the conversation.
        validates: Whether calls are checked against the schemas of their tools.
        empty_answers: The number of empty responses before this one.
        changed_choice: Whether the request's `tool_choice` was changed.
        may_lack_forced_call: Whether a forced call became `tool_choice="auto"`, so that the model may not make it.
        tool_names: The user's name of each tool that was sent under another name, by the sent name.
        schema_notes: The rewrites of schemas that change the allowed arguments, by the tool's name.
    """

    repairs: Repairs = ALL
    call_ids: Callable[[], frozenset[str]] = frozenset
    validates: bool = False
    empty_answers: int = 0
    changed_choice: bool = False
    may_lack_forced_call: bool = False
    tool_names: Mapping[str, str] = MappingProxyType({})
    schema_notes: Mapping[str, list[str]] = MappingProxyType({})


class Repairer:
    """Repairs one choice of a response, event by event; a plain response is a stream of one event.

    The last event has a report under the choice's key `kimi`, unless it would be empty. Its keys are:

    - `repairs`: the number of repairs, by name;
    - `invalid_tool_calls`: by id, the reason why a call must not be run although its arguments are an object;
    - `validation`: the number of calls that do not match their tools, by kind of error;
    - `empty_answers`: the number of empty responses before this one;
    - `tool_names`: the names under which tools were sent, by the user's names;
    - `schemas`: the rewrites of schemas that change the allowed arguments, by tool.
    """

    def __init__(
        self,
        body: WireBody,
        repair_options: RepairOptions | None = None,
        response_repairs: Iterable[tuple[str, BeginResponse]] = ON_RESPONSE,
    ) -> None:
        """Begin a choice.

        Args:
            body: The request, with its tools and its conversation.
            repair_options: How to repair; by default every default repair, and no validation.
            response_repairs: The names and functions of the repairs of responses, in their order.
        """
        repair_options = repair_options or RepairOptions()
        self._body = body
        self._offered = OfferedTools(body)
        self._leaks = self._begin_leaks(body) if "markup" in repair_options.repairs else None
        self._steps = {name: begin(body) for name, begin in response_repairs if name in repair_options.repairs}
        # The repairs that are not done yet. They are usually done early, so that nearly all deltas skip them.
        self._active = list(self._steps.values())
        self._validator = CallValidator(self._offered, repair_options.tool_names) if repair_options.validates else None
        self._options = repair_options
        self._finish: str | None = None
        self._delayed_finish = False
        self._closed = False

    @cached_property
    def _calls(self) -> "IncomingCalls":
        """The tool calls. Most responses have none, and then this is not created."""
        from langchain_kimi._kimi.call_repairs import IncomingCalls  # noqa: PLC0415 - imported when used

        options = self._options
        return IncomingCalls(self._offered, options.repairs, options.call_ids, partial(number_of_calls, self._body))

    @property
    def _has_calls(self) -> bool:
        """Whether tool calls have arrived."""
        return "_calls" in self.__dict__

    def feed(self, choice: WireChoice) -> WireChoice:
        """Take the choice of the next event, and return it repaired."""
        if self._active:
            choice = self._through_steps(choice)
        delta = choice.get("delta")
        repaired = self._repaired(choice, delta) if delta and not self._pass_unchanged(delta) else delta
        finish = choice.get("finish_reason")
        self._finish = self._finish or finish
        if finish and self._leaks and not self._leaks.is_idle:
            # A call in the text may change the finish reason.
            self._delayed_finish = True
            choice = cast("WireChoice", {**choice, "finish_reason": None})
        return choice if repaired is delta else cast("WireChoice", {**choice, "delta": repaired})

    def close(self, *, cut: bool = False) -> Iterator[WireChoice]:
        """Take the end of the response, and yield at most one choice, with the parts that were held back.

        Args:
            cut: Whether the response was cut off.
        """
        if self._closed:
            return
        self._closed = True
        delta: JSONObject = {}
        if rest := self._close_steps(is_cut=cut or not self._is_clean):
            delta = cast("JSONObject", self._repaired({}, rest))
        if self._leaks:
            delta = _joined(delta, self._leaks.close(clean=self._is_clean and not cut))
        calls = self._calls.close(is_complete=is_complete(self._finish)) if self._has_calls else []
        leaked = self._leaked_calls()
        if calls or leaked:
            added = self._with_names([*calls, *map(self._calls.add, leaked)])
            delta["tool_calls"] = [*delta.get("tool_calls", ()), *added]
        report = self._report()
        last: JSONObject = {"delta": delta} if delta else {}
        if self._delayed_finish or (leaked and self._finish is None):
            added_calls = list(self._calls.calls.values())[len(self._calls.calls) - len(leaked) :]
            has_called = self._is_clean and any(call.is_sound for call in added_calls)
            last["finish_reason"] = "tool_calls" if has_called else self._finish
        if report:
            last["kimi"] = report
        if last:
            yield cast("WireChoice", {"index": 0, **last})

    def _begin_leaks(self, body: WireBody) -> LeakedMarkup | None:
        """Return the scanner of the texts. Without tools to call, Kimi's texts may still have stray markers."""
        if self._offered.may_be_called:
            return LeakedMarkup(self._offered)
        return LeakedMarkup(_NO_TOOLS) if is_kimi(body.get("model") or "") else None

    @property
    def _is_clean(self) -> bool:
        # Some hosts send no finish reason; the end of their stream counts as a normal end.
        return self._finish is None or is_complete(self._finish)

    def _pass_unchanged(self, delta: WireMessage) -> bool:
        """Take a delta if it needs no repair, as nearly all do; return whether it was taken."""
        if wire := delta.get("tool_calls"):
            return (self._leaks is None or self._leaks.has_no_text(delta)) and self._calls.pass_unchanged(wire)
        return self._leaks is None or self._leaks.pass_unchanged(delta)

    def _through_steps(self, choice: WireChoice) -> WireChoice:
        is_any_done = False
        for step in self._active:
            choice = step.repair(choice)
            is_any_done = is_any_done or step.is_done
        if is_any_done:
            self._active = [step for step in self._active if not step.is_done]
        return choice

    def _close_steps(self, *, is_cut: bool) -> WireMessage:
        """Return the parts that the steps held back; each step takes those of the steps before it."""
        rest: JSONObject = {}
        for step in self._active:
            if rest:
                rest = cast("JSONObject", step.repair(cast("WireChoice", {"index": 0, "delta": rest}))["delta"])
            rest = _joined(rest, step.close(is_cut=is_cut))
        return cast("WireMessage", rest)

    def _repaired(self, choice: WireChoice, delta: WireMessage) -> WireMessage:
        repaired = self._leaks.feed(delta) if self._leaks else delta
        wire: list[Any] | None = delta.get("tool_calls")
        if not wire:
            return repaired
        if "message" in choice:
            # The calls of a plain response are complete, and many hosts leave out their index.
            wire = [{**call, "index": index} if isinstance(call, dict) else call for index, call in enumerate(wire)]
        return cast("WireMessage", {**repaired, "tool_calls": self._with_names(self._calls.feed(wire))})

    def _with_names(self, calls: Iterable[WireToolCall]) -> list[WireToolCall]:
        """Return calls with the user's names of their tools."""
        names = self._options.tool_names
        if not names:
            return list(calls)
        return [cast("WireToolCall", with_name(cast("JSONObject", call), names)) for call in calls]

    def _leaked_calls(self) -> list[LeakedCall]:
        """Return the calls in the texts that are not structured calls too."""
        if self._leaks is None:
            return []
        has_others = self._has_calls and bool(self._calls.calls)
        calls = self._leaks.calls(has_others=has_others, finish=self._finish)
        return [*self._calls.without_repeated(calls)] if calls else []

    def _report(self) -> JSONObject:
        """Return the report on the response; see the class for its keys."""
        calls = [*self._calls.calls.values()] if self._has_calls else []
        counts: dict[str, int] = {**+self._calls.repaired} if self._has_calls else {}
        if self._leaks and (count := self._leaks.count):
            counts["markup"] = count
        counts.update({name: step.count for name, step in self._steps.items() if step.count})
        options = self._options
        if options.changed_choice or options.tool_names or options.schema_notes:
            request_counts = {
                "tool_choice": options.changed_choice,
                "tool_names": len(options.tool_names),
                "schemas": len(options.schema_notes),
            }
            counts.update({name: int(count) for name, count in request_counts.items() if count})
        if self._validator:
            for call in calls:
                self._validate(call, self._validator)
        invalid = {call.id: call.error for call in calls if call.error}
        report: JSONObject = {"repairs": dict(sorted(counts.items()))} if counts else {}
        if options.tool_names:
            report["tool_names"] = {name: sent for sent, name in options.tool_names.items()}
        if options.schema_notes:
            report["schemas"] = dict(options.schema_notes)
        if options.empty_answers:
            report["empty_answers"] = options.empty_answers
        if invalid:
            report["invalid_tool_calls"] = invalid
        if self._validator and (self._validator.unknown_tools or self._validator.mismatches):
            errors = {"unknown_tools": self._validator.unknown_tools, "mismatches": self._validator.mismatches}
            report["validation"] = {kind: count for kind, count in errors.items() if count}
        return report

    def _validate(self, call: "IncomingCall", validator: CallValidator) -> None:
        if call.is_sound:
            call.error = validator.fault(call.name, parsed(call.arguments or "{}"))


def _joined(before: JSONObject, after: WireMessage) -> JSONObject:
    """Return two deltas as one: their texts and lists are concatenated."""
    wire = cast("JSONObject", after)
    return {**before, **{key: before[key] + value if before.get(key) else value for key, value in wire.items()}}
