"""Repairs of the tool calls of a response: their names, ids and arguments.

Deltas that were passed on cannot be taken back. So names and ids are repaired before they are passed on, and arguments
are held back where `ArgumentStream` says so. A missing name is added at the end of the response, because it may still
come.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from langchain_kimi._kimi.call_ids import UniqueIds, positional_id
from langchain_kimi._kimi.call_tracker import CallDelta, ToolCallTracker, TrackedCall
from langchain_kimi._kimi.markup.calls import INCOMPLETE, LeakedCall
from langchain_kimi._kimi.markup.grammar import MARKER, TAG_END, TAG_OPEN, parsed
from langchain_kimi._kimi.repairs import ON_ARGUMENTS, ArgumentRepair, BeginArguments, Repairs
from langchain_kimi._kimi.tools import OfferedTools
from langchain_kimi._openrouter.wire import WireFunction, WireToolCall
from langchain_kimi._patterns import lazy_pattern

_BEFORE_NAME = lazy_pattern(
    r"\A\s*(?:(?:<\|tool_calls?(?:_section)?_begin\|>|<\|open\|>\s*tools\s*<\|sep\|>)\s*)*"
    r"(?:<\|open\|>\s*call\s+tool\s*=\s*\")?"
)
_TAG_IN_CALL = lazy_pattern(r"\s*<\|open\|>\s*(?:argument|json)\b")
_AFTER_NAME_IN_TAG = lazy_pattern(r'"\s*(?:index\s*=[^<]*)?<\|sep\|>')
_ARGUMENTS_IN_NAME = lazy_pattern(r"(?<!\s)\s*+(?:<\||[({]|\[ARGS\]|:\s*+\{|\"(?=\s*+(?:index|<)))")
"""The end of a name that is followed by arguments: a marker, a parenthesis, or an object. Each blank is read once:
2,000 of them took eight seconds."""
_EMPTY = frozenset({"", "{}", "null", '""'})
"""Arguments, in the form of `_canonical`, that say nothing if there are others in the place of the name."""
TWO_ARGUMENTS = "The tool call has arguments in its name and others in their own place."
MARKUP_IN_NAME = "The name of the tool call is markup without an offered tool."
OTHER_NAME = "The name of the tool call came in pieces, and the whole name is not that of an offered tool."
_PARENTHESES = lazy_pattern(r"\A\s*+\((.*)\)\s*", re.DOTALL)
_BEFORE_ARGUMENTS = lazy_pattern(r"\A\s*(?:\[ARGS\]|:)")


@dataclass(slots=True, eq=False, repr=False)
class IncomingCall:
    """A call as it was passed on.

    Attributes:
        number: Its position among the calls of the response.
        id: Its id; empty until one is passed on.
        wire_id: The host's id.
        name: The function's name.
        error: The reason why it must not be run, if that is not visible in its arguments.
        is_held: Whether it is held back until the end, because it may repeat an earlier call.
        name_pieces: The texts in the place of its name.
        name_rest: The text after the name in the name's place, which may be the arguments.
        structured: The arguments in their own place, which are held back if there are others in the name's place.
        streams: The repairs of its arguments, in the order in which they run.
        deltas: The arguments, as they were passed on.
    """

    number: int
    id: str = ""
    wire_id: str = ""
    name: str = ""
    error: str | None = None
    is_held: bool = False
    name_pieces: list[str] = field(default_factory=list)
    name_rest: str = ""
    structured: list[str] = field(default_factory=list)
    streams: tuple[ArgumentRepair, ...] = ()
    deltas: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        """The arguments so far."""
        return "".join(self.deltas)

    @property
    def is_sound(self) -> bool:
        """Whether the call has no error, and its arguments are an object."""
        return self.error is None and isinstance(parsed(self.arguments.strip() or "{}"), dict)


class IncomingCalls:
    """Repairs the calls of one response.

    Attributes:
        calls: The calls by number.
        repaired: The number of repairs, by name.
    """

    def __init__(
        self,
        offered: OfferedTools,
        repairs: Repairs,
        used_ids: Callable[[], Iterable[str]],
        number_of_calls: Callable[[], int],
        argument_repairs: Iterable[tuple[str, BeginArguments]] = ON_ARGUMENTS,
    ) -> None:
        """Begin a response.

        Args:
            offered: The tools that may be called.
            repairs: The names of the repairs to make.
            used_ids: Returns the call ids of the conversation.
            number_of_calls: Returns the number of calls in the conversation.
            argument_repairs: The names and functions of the repairs of arguments, in their order.
        """
        self.calls: dict[int, IncomingCall] = {}
        self.repaired: Counter[str] = Counter()
        self._offered = offered
        self._repairs = repairs
        self._number_of_calls = number_of_calls
        self._ids = UniqueIds(used_ids if "call_ids" in repairs else frozenset, number_of_calls)
        self._tracker = ToolCallTracker(offered.may_begin if "call_names" in repairs else None)
        self._argument_repairs = [(name, begin) for name, begin in argument_repairs if name in repairs]

    def passes(self, wire: list[Any]) -> bool:
        """Take the calls of a delta if they only continue one call's arguments; return whether they do."""
        if len(wire) != 1 or (newest := self._tracker.continued(wire[0])) is None:
            return False
        text: str = wire[0]["function"]["arguments"]
        call = self.calls[newest.number]
        streams = call.streams
        if call.is_held or call.name_rest or (streams and (len(streams) > 1 or not streams[0].passes(text))):
            return False
        newest.add(text)
        call.deltas.append(text)
        return True

    def feed(self, wire: list[Any]) -> Iterator[WireToolCall]:
        """Take the calls of a delta, and yield the parts of them that can be passed on."""
        sent_ids: set[str | None] | None = None
        for delta in self._tracker.deltas(wire):
            call = self._call(cast("int", delta["index"]))
            function = delta["function"]
            passed: WireToolCall = {"index": call.number}
            if wire_id := delta.get("id"):
                call.wire_id = wire_id
                if not call.is_held:
                    passed["id"] = call.id = self._ids.unique(wire_id)
                    sent_ids = sent_ids or {CallDelta.of(entry).id for entry in wire}
                    self.repaired["call_ids"] += call.id not in sent_ids
            passed |= {"type": "function", "function": {}}
            arguments = function.get("arguments") or ""
            if name := self._name_with(call, function.get("name"), is_last=bool(arguments)):
                passed["function"]["name"] = call.name = name
            passed["function"]["arguments"] = self._structured(call, arguments)
            is_new = len(passed["function"]) > 1 or "id" in passed or passed["function"]["arguments"]
            if is_new and not call.is_held:
                yield passed

    def close(self, *, is_complete: bool = True) -> list[WireToolCall]:
        """Take the end of the response, and return the missing parts of its calls, one delta for each call.

        Args:
            is_complete: Whether the model ended the response itself.
        """
        last: dict[int, WireToolCall] = {}
        for delta in self._last_deltas(is_complete=is_complete):
            function = delta["function"]
            # LangChain does not merge two deltas of one call in the same chunk.
            if whole := last.get(cast("int", delta["index"])):
                whole["function"]["arguments"] = f"{whole['function']['arguments']}{function['arguments']}"
                if "id" in delta:
                    whole["id"] = delta["id"]
            else:
                last[cast("int", delta["index"])] = delta
        return [*last.values()]

    def _last_deltas(self, *, is_complete: bool) -> Iterator[WireToolCall]:
        for call in self.calls.values():
            rest = self._close_arguments(call)
            if rest == call.arguments == "{}" and not is_complete:
                # They were null or an empty string, so the arguments had not begun.
                call.error = INCOMPLETE
            function: WireFunction = {"arguments": rest}
            if name := self._missing_name(call):
                function["name"] = call.name = name
                self.repaired["call_names"] += 1
            if (rest or name) and not call.is_held:
                yield {"index": call.number, "type": "function", "function": function}
        yield from self._close_held()
        for call in self.calls.values():
            if not call.id:
                # LangChain pairs calls and results by id.
                call.id = self._new_id(call)
                self.repaired["call_ids"] += 1
                yield {"index": call.number, "id": call.id, "type": "function", "function": {"arguments": ""}}

    def _call(self, number: int) -> IncomingCall:
        call = self.calls.get(number)
        if call is None:
            may_repeat = "duplicate_calls" in self._repairs and self._tracker.calls[number].twin is not None
            # Later calls wait too, so that the order stays.
            is_held = may_repeat or (bool(self.calls) and self.calls[next(reversed(self.calls))].is_held)
            call = self.calls[number] = IncomingCall(number, is_held=is_held)
        return call

    def _close_held(self) -> Iterator[WireToolCall]:
        """Remove the calls that repeat an earlier one, and yield the others that were held back."""
        seen: set[tuple[str, str, str]] = set()
        for call in [*self.calls.values()]:
            earlier = self._earlier(call)
            first = self.calls.get(earlier.number, call)
            key = (earlier.wire_id or "", call.name or first.name, _canonical(call.arguments))
            is_rest = not (key[2] and first.arguments.strip())
            if call.is_held and first is not call and (key in seen or is_rest):
                del self.calls[call.number]
                self.repaired["duplicate_calls"] += 1
                if key[2] and not first.arguments.strip():
                    # The host repeated the head of the call, and sent its arguments only with the repetition.
                    first.deltas.append(call.arguments)
                    yield {"index": first.number, "type": "function", "function": {"arguments": call.arguments}}
            elif call.is_held:
                yield self._released(call)
            seen.add(key)

    def _released(self, call: IncomingCall) -> WireToolCall:
        """Return a call that was held back as one delta."""
        passed: WireToolCall = {"index": call.number, "type": "function", "function": {"arguments": call.arguments}}
        if call.name:
            passed["function"]["name"] = call.name
        if call.wire_id:
            passed["id"] = call.id = self._ids.unique(call.wire_id)
            self.repaired["call_ids"] += call.id != self._tracker.calls[call.number].wire_id
        return passed

    def _earlier(self, call: IncomingCall) -> TrackedCall:
        """Return the first call with the same id."""
        tracked = self._tracker.calls[call.number]
        while tracked.twin is not None:
            tracked = self._tracker.calls[tracked.twin]
        return tracked

    def without_repeated(self, leaked_calls: Iterable[LeakedCall]) -> Iterator[LeakedCall]:
        """Yield the calls in the texts, except those that are also structured calls or earlier in the text."""
        # A structured call is more reliable than the rest of it in the text.
        seen = {key for call in self.calls.values() for key in _keys(call.name, call.wire_id, call.arguments)}
        earlier: set[LeakedCall] = set()
        for leaked in leaked_calls:
            if leaked not in earlier and seen.isdisjoint(_keys(leaked.name, leaked.id, leaked.arguments)):
                yield leaked
            if leaked.id or leaked.index:
                earlier.add(leaked)

    def add(self, leaked: LeakedCall) -> WireToolCall:
        """Add a call that was markup in a text, and return it as one delta."""
        call = IncomingCall(next(reversed(self.calls), -1) + 1, wire_id=leaked.id, name=leaked.name, error=leaked.error)
        self.calls[call.number] = call
        call.id = self._ids.unique(leaked.id) if leaked.id else self._new_id(call)
        arguments = self._arguments(call, leaked.arguments) + self._close_arguments(call)
        function: WireFunction = {"name": leaked.name, "arguments": arguments}
        return {"index": call.number, "id": call.id, "type": "function", "function": function}

    def _new_id(self, call: IncomingCall) -> str:
        return self._ids.unique(positional_id(call.name, self._number_of_calls() + call.number))

    def _name_with(self, call: IncomingCall, piece: str | None, *, is_last: bool) -> str | None:
        """Return the name of a call when it can be passed on: at once, or whole if it seems to come in pieces."""
        if piece:
            call.name_pieces.append(piece)
        if call.name or not call.name_pieces:
            return None
        name = "".join(call.name_pieces)
        if "call_names" not in self._repairs:
            return name
        meant = self._offered.meant(_split(name)[0])
        if not (meant or is_last) and self._offered.may_begin(name):
            return None
        self.repaired["call_names"] += bool(meant and (meant != name or len(call.name_pieces) > 1))
        return meant or name

    def _read_name(self, call: IncomingCall) -> None:
        """Read the arguments in the place of a call's name, when the name is complete."""
        if not (call.name and "call_names" in self._repairs):
            return
        pieces, call.name_pieces = call.name_pieces, []
        name, rest = _split("".join(pieces))
        meant = self._offered.meant(name) if pieces else None
        if meant and MARKER.sub("", rest).strip():
            call.name_rest = rest
            self.repaired["call_names"] += len(pieces) > 1
        elif meant is None and any("<|" in piece for piece in pieces):
            call.error = MARKUP_IN_NAME
        elif len(pieces) > 1 and meant != call.name:
            call.error = OTHER_NAME

    def _missing_name(self, call: IncomingCall) -> str | None:
        if call.name or "call_names" not in self._repairs:
            return None
        return "".join(call.name_pieces) or self._offered.meant_by_id(call.wire_id)

    def _structured(self, call: IncomingCall, text: str) -> str:
        """Take arguments that are in their own place, and return what can be passed on of them."""
        if text and call.name_pieces:
            self._read_name(call)
        if call.name_rest:
            call.structured.append(text)
            return ""
        return self._arguments(call, text)

    def _arguments_of_name(self, call: IncomingCall) -> str:
        """Return the arguments of a call that has some in the place of its name.

        Both places may be filled. Empty arguments give way to others; if two differ, the call is invalid.
        """
        if tag := _AFTER_NAME_IN_TAG.match(call.name_rest):
            rest = call.name_rest[tag.end() :].strip()
            in_name = (
                (self._in_markup(call, f'{TAG_OPEN}call tool="{call.name}{call.name_rest}') or rest) if rest else ""
            )
        else:
            in_name = _PARENTHESES.sub(r"\1", _BEFORE_ARGUMENTS.sub("", call.name_rest, count=1))
        structured = "".join(call.structured)
        call.name_rest = ""
        if _canonical(structured) in _EMPTY:
            return self._arguments(call, in_name) + self._close_streams(call)
        text = self._arguments(call, structured) + self._close_streams(call)
        other = IncomingCall(call.number, name=call.name)
        in_name = self._arguments(other, in_name) + self._close_streams(other)
        if _canonical(in_name) not in {*_EMPTY, _canonical(text)}:
            call.error = TWO_ARGUMENTS
        return text

    def _arguments(self, call: IncomingCall, text: str) -> str:
        if text and not call.streams:
            name = call.name or self._offered.meant_by_id(call.wire_id) or ""
            schema, in_markup = self._offered.schemas.get(name), partial(self._in_markup, call)
            call.streams = tuple(begin(schema, in_markup) for _, begin in self._argument_repairs)
        for stream in call.streams:
            text = stream.feed(text) if text else text
        call.deltas.append(text)
        return text

    def _close_arguments(self, call: IncomingCall) -> str:
        self._read_name(call)
        return self._arguments_of_name(call) if call.name_rest else self._close_streams(call)

    def _close_streams(self, call: IncomingCall) -> str:
        rest = ""
        for (name, _), stream in zip(self._argument_repairs, call.streams, strict=False):
            rest = (stream.feed(rest) if rest else "") + stream.close()
            self.repaired[name] += stream.decoded
        call.deltas.append(rest)
        return rest

    def _in_markup(self, call: IncomingCall, text: str) -> str | None:
        """Return the arguments of the call if a text is that call as markup; otherwise None.

        Reported: hosts that leave the whole markup in the arguments if `tool_choice` names a tool (vllm issues 44906,
        44934).
        """
        if call.name and _TAG_IN_CALL.match(text):
            text = f'{TAG_OPEN}call tool="{call.name}"{TAG_END}{text}'
        # Without markup nothing of its scanner is imported.
        from langchain_kimi._kimi.markup.scanner import MarkupScanner  # noqa: PLC0415 - imported when used

        scanner = MarkupScanner(self._offered)
        scanner.feed(text)
        scanner.close(clean=True)
        if len(scanner.calls) != 1:
            return None
        [inner] = scanner.calls
        name = call.name or inner.name
        if inner.error or inner.name != name or name not in self._offered.schemas:
            return None
        return inner.arguments or "{}"


def _split(name: str) -> tuple[str, str]:
    """Return the text in the place of a name as the name and the text after it, which may be the arguments."""
    name = _BEFORE_NAME.sub("", name, count=1) if name.lstrip().startswith("<|") else name
    rest = _ARGUMENTS_IN_NAME.search(name)
    return (name[: rest.start()], name[rest.start() :]) if rest else (name, "")


def _keys(name: str, call_id: str, arguments: str) -> Iterator[tuple[str, str, str]]:
    """Yield the keys by which a call is recognized: its id, and its arguments."""
    if call_id:
        yield name, "id", call_id
    yield name, "arguments", _canonical(arguments)


def _canonical(arguments: str) -> str:
    """Return arguments in a form in which equal ones are equal texts."""
    value = parsed(arguments)
    if isinstance(value, str):
        value = parsed(value)
    canonical = arguments.strip()
    if value is not None:
        # The limits of depth of the parser and the encoder depend on the version of Python, and may differ.
        with suppress(RecursionError):
            canonical = json.dumps(value, sort_keys=True)
    return canonical
