"""Repairs of the tool calls of a response: their names, ids and arguments.

Deltas that were passed on cannot be taken back. So names and ids are repaired before they are passed on, and arguments
are held back where `ArgumentStream` says so. A missing name is added at the end of the response, because it may still
come.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from langchain_kimi._kimi.call_ids import UniqueIds, positional_id
from langchain_kimi._kimi.call_names import (
    AFTER_NAME_IN_TAG,
    has_arguments,
    split_name,
    with_beginning,
    without_wrapping,
)
from langchain_kimi._kimi.call_tracker import CallDelta, ToolCallTracker, TrackedCall
from langchain_kimi._kimi.markup.calls import INCOMPLETE, LeakedCall
from langchain_kimi._kimi.markup.grammar import TAG_OPEN, parsed
from langchain_kimi._kimi.markup.scanner import MarkupScanner
from langchain_kimi._kimi.repairs import ON_ARGUMENTS, ArgumentRepair, BeginArguments, Repairs
from langchain_kimi._kimi.tools import OfferedTools
from langchain_kimi._openrouter.wire import WireFunction, WireToolCall

_EMPTY = frozenset({"", "{}", "null", '""'})
"""Arguments, in the form of `_canonical`, that are ignored if there are others in the field `name`."""
TWO_ARGUMENTS = "The tool call has arguments in its name that differ from those in its arguments."
MARKUP_IN_NAME = "The name of the tool call is markup that names no offered tool."
OTHER_NAME = "The name of the tool call was sent in pieces that do not form the name of an offered tool."


@dataclass(slots=True)
class IncomingCall:
    """A call as it was passed on.

    Attributes:
        number: Its position among the calls of the response.
        id: Its id; empty until one is passed on.
        wire_id: The host's id.
        name: The function's name.
        error: The reason why it must not be run, unless its arguments show it; otherwise None.
        is_held: Whether it is held back until the end, because it may repeat an earlier call.
        name_pieces: The texts in the field `name`.
        is_renamed: Whether the repair of its name was counted.
        name_rest: The text after the name in the field `name` or `id`, which may be the arguments.
        structured: The texts in the field `arguments`, which are held back if there are arguments in `name_rest`.
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
    is_renamed: bool = False
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
        self._tracker = ToolCallTracker(*((offered.may_begin, offered.find) if "call_names" in repairs else ()))
        self._argument_repairs = [(name, begin) for name, begin in argument_repairs if name in repairs]

    def pass_unchanged(self, wire: list[Any]) -> bool:
        """Take the calls of a delta if they only continue one call's arguments; return whether they were taken."""
        if len(wire) != 1 or (newest := self._tracker.continued(wire[0])) is None:
            return False
        text: str = wire[0]["function"]["arguments"]
        call = self.calls[newest.number]
        streams = call.streams
        if call.is_held or call.name_rest or (streams and (len(streams) > 1 or not streams[0].pass_unchanged(text))):
            return False
        newest.add_arguments(text)
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
                call.wire_id = wire_id = self._read_id(call, wire_id)
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
        by_index: dict[int, WireToolCall] = {}
        for delta in self._last_deltas(is_complete=is_complete):
            # LangChain does not merge two deltas of one call in the same chunk.
            if merged := by_index.get(cast("int", delta["index"])):
                merged["function"]["arguments"] = f"{merged['function']['arguments']}{delta['function']['arguments']}"
                if "id" in delta:
                    merged["id"] = delta["id"]
            else:
                by_index[cast("int", delta["index"])] = delta
        return [*by_index.values()]

    def _last_deltas(self, *, is_complete: bool) -> Iterator[WireToolCall]:
        """Yield the missing parts of all calls; there may be several deltas for one call."""
        for call in self.calls.values():
            rest = self._close_arguments(call)
            if rest == call.arguments == "{}" and not is_complete:
                # The host sent null or an empty string, so the arguments had not begun.
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
            # Calls after a held one are held too, so that the order does not change.
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
                    # The host repeated the id and the name, and sent arguments only with the repetition.
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
        """Return the first call with the same id, which may be the call itself."""
        tracked = self._tracker.calls[call.number]
        while tracked.twin is not None:
            tracked = self._tracker.calls[tracked.twin]
        return tracked

    def without_repeated(self, leaked_calls: Iterable[LeakedCall]) -> Iterator[LeakedCall]:
        """Yield the calls in the texts, except those that are also structured calls or occur earlier in the text."""
        # Of a call that is in both places, the structured form is more reliable.
        seen = {key for call in self.calls.values() for key in _keys(call.name, call.wire_id, call.arguments)}
        names = {call.name for call in self.calls.values()}
        earlier: set[LeakedCall] = set()
        for leaked in leaked_calls:
            if leaked.error == INCOMPLETE and not leaked.arguments and leaked.name in names:
                # The head of a structured call.
                continue
            if leaked not in earlier and seen.isdisjoint(_keys(leaked.name, leaked.id, leaked.arguments)):
                yield leaked
            if leaked.id or leaked.number:
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
        """Return the name of a call when it can be passed on, otherwise None.

        A name that seems to arrive in pieces is passed on when it is complete, any other name immediately.
        """
        if piece:
            call.name_pieces.append(piece)
        if call.name or not call.name_pieces:
            return None
        name = "".join(call.name_pieces)
        if "call_names" not in self._repairs:
            return name
        offered_name = self._offered.find(split_name(name)[0])
        if not (offered_name or is_last) and self._offered.may_begin(name):
            return None
        call.is_renamed = bool(offered_name and (offered_name != name or len(call.name_pieces) > 1))
        self.repaired["call_names"] += call.is_renamed
        return offered_name or name

    def _read_id(self, call: IncomingCall, wire_id: str) -> str:
        """Return a call's id without the markup after it, which may be the arguments."""
        if "<|" not in wire_id or "call_names" not in self._repairs:
            return wire_id
        call_id, rest = split_name(wire_id)
        if not call_id:
            return wire_id
        call.name_rest = rest if has_arguments(rest) else ""
        return call_id

    def _read_name(self, call: IncomingCall) -> None:
        """Read the arguments in the field `name` of a call, when the name is complete."""
        if not (call.name and "call_names" in self._repairs):
            return
        pieces, call.name_pieces = call.name_pieces, []
        name, rest = split_name("".join(pieces))
        offered_name = self._offered.find(name) if pieces else None
        if offered_name and has_arguments(rest):
            call.name_rest = rest
            self.repaired["call_names"] += len(pieces) > 1 and not call.is_renamed
        elif offered_name is None and any("<|" in piece for piece in pieces):
            call.error = MARKUP_IN_NAME
        elif len(pieces) > 1 and offered_name != call.name:
            call.error = OTHER_NAME

    def _missing_name(self, call: IncomingCall) -> str | None:
        if call.name or "call_names" not in self._repairs:
            return None
        return "".join(call.name_pieces) or self._offered.find_by_id(call.wire_id)

    def _structured(self, call: IncomingCall, text: str) -> str:
        """Take text of the field `arguments`, and return the text that can be passed on."""
        if text and call.name_pieces:
            self._read_name(call)
        if call.name_rest:
            call.structured.append(text)
            return ""
        return self._arguments(call, text)

    def _arguments_of_name(self, call: IncomingCall) -> str:
        """Return the arguments of a call that has some in the field `name`.

        If the field `arguments` is not empty either, it is used, and the call is invalid if the two differ.
        """
        if tag := AFTER_NAME_IN_TAG.match(call.name_rest):
            rest = call.name_rest[tag.end() :].strip()
            in_name = (
                (self._in_markup(call, f'{TAG_OPEN}call tool="{call.name}{call.name_rest}') or rest) if rest else ""
            )
        else:
            in_name = without_wrapping(call.name_rest)
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
            name = call.name or self._offered.find_by_id(call.wire_id) or ""
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
        """Return the arguments of the call if a text is the markup of that call; otherwise None.

        Reported: hosts that leave the whole markup in the arguments if `tool_choice` names a tool (vllm issues 44906
        and 44934).
        """
        scanner = MarkupScanner(self._offered)
        scanner.feed(with_beginning(call.name, text))
        scanner.close(clean=True)
        if len({*scanner.calls}) != 1:
            return None
        inner = scanner.calls[0]
        name = call.name or inner.name
        if inner.error or inner.name != name or name not in self._offered.schemas:
            return None
        return inner.arguments or "{}"


def _keys(name: str, call_id: str, arguments: str) -> Iterator[tuple[str, str, str]]:
    """Yield the keys by which a repeated call is recognized: one with its id, and one with its arguments."""
    if call_id:
        yield name, "id", call_id
    yield name, "arguments", _canonical(arguments)


def _canonical(arguments: str) -> str:
    """Return arguments as canonical JSON: equal arguments have the same text."""
    value = parsed(arguments)
    if isinstance(value, str):
        value = parsed(value)
    canonical = arguments.strip()
    if value is not None:
        # The limits of depth of the parser and the encoder depend on the version of Python, and may differ.
        with suppress(RecursionError):
            canonical = json.dumps(value, sort_keys=True)
    return canonical
