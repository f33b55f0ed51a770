"""Add up the chunks of a stream; at any moment, return the reply received so far."""

import json
from collections import defaultdict
from typing import Any, cast

from langchain_kimi._openrouter.reply.envelopes import RepeatedEvent
from langchain_kimi._openrouter.wire import (
    COMPLETE_DETAILS,
    TEXT_KEYS,
    JSONObject,
    WireChoice,
    WireEvent,
    WireMessage,
    WireToolCall,
    WireUsage,
)

APPENDED_KEYS = frozenset({"text", "summary", "data"})


class ReasoningDetails:
    """Add up the `reasoning_details` of one choice.

    A fragment continues the last entry with the same type and index. Both together are the key, because a summary and
    an encrypted entry were recorded that both have index 0. Text, summary and data are appended; other fields are set
    when they arrive, such as the signature at the end of a block. A signed entry is closed, and a fragment with another
    id begins a new entry.
    """

    def __init__(self) -> None:
        self._entries: list[JSONObject] = []
        self._latest: dict[tuple[str, str], JSONObject] = {}
        self._current: JSONObject = {}
        self._repeated: JSONObject | None = None
        self._texts: list[str] = []

    def add(self, fragments: list[Any]) -> None:
        """Add the fragments of a delta. Anything but objects is ignored.

        Fragments without an index continue the last entry, but not one of the same delta: two thoughts were recorded
        in one list without an index.
        """
        is_first = True
        for fragment in fragments:
            if not isinstance(fragment, dict):
                continue
            # Reasoning that arrives word by word repeats every field but the text.
            others = fragment.copy()
            text = others.pop("text", None)
            may_continue = is_first or fragment.get("index") is not None
            if may_continue and others == self._repeated and type(text) is str:
                self._texts.append(text)
            else:
                self._join()
                self._current = self._continued(fragment, may_continue=may_continue)
                self._repeated = others if _may_repeat(others, self._current) else None
            is_first = False

    def entries(self) -> list[JSONObject]:
        """Return the entries received so far."""
        self._join()
        return self._entries

    def _join(self) -> None:
        if self._texts:
            _append(self._current, "text", "".join(self._texts))
            self._texts = []

    def _continued(self, fragment: JSONObject, *, may_continue: bool) -> JSONObject:
        """Add a fragment to the entry that it continues, or as a new entry, and return the entry."""
        entry = self._entry_before(fragment) if may_continue else None
        if entry is None:
            entry = {**fragment}
            self._entries.append(entry)
            self._latest[_key(entry)] = entry
            return entry
        for key, value in fragment.items():
            if key in APPENDED_KEYS and isinstance(value, str):
                _append(entry, key, value)
            elif not entry.get(key):
                entry[key] = value
        return entry

    def _entry_before(self, fragment: JSONObject) -> JSONObject | None:
        """Return the entry that a fragment continues; None if it begins a new entry."""
        entry = self._latest.get(_key(fragment))
        if entry is None or (fragment.get("index") is None and entry is not self._entries[-1]):
            return None
        is_closed = bool(entry.get("signature")) and any(fragment.get(key) for key in APPENDED_KEYS)
        has_other_id = bool(fragment.get("id")) and bool(entry.get("id")) and entry["id"] != fragment["id"]
        # Every recorded encrypted entry was complete; two of them without an id are two entries.
        has_same_id = bool(entry.get("id")) and entry.get("id") == fragment.get("id")
        is_complete = fragment.get("type") in COMPLETE_DETAILS and not has_same_id
        return None if is_closed or has_other_id or is_complete else entry


def _key(fragment: JSONObject) -> tuple[str, str]:
    """Return the type and index of a fragment. They are compared as text, because a host may send any JSON value."""
    return repr(fragment.get("type")), repr(fragment.get("index"))


def _may_repeat(others: JSONObject, entry: JSONObject) -> bool:
    """Return whether a further fragment with the same fields beside its text only adds this text to the entry."""
    is_open = not entry.get("signature") and others.get("type") not in COMPLETE_DETAILS
    return is_open and APPENDED_KEYS.isdisjoint(others)


def _append(entry: JSONObject, key: str, more: str) -> None:
    # CPython extends a string in place if there is no other reference to it. Otherwise each fragment would copy the
    # whole text.
    text, entry[key] = entry.get(key), None
    text = text if isinstance(text, str) else ""
    text += more
    entry[key] = text


_OTHER_HANDLING = frozenset({"tool_calls", "reasoning_details"})
_NOT_FACTS = frozenset({"usage", "error"})
_NOT_CHOICE_FACTS = frozenset({"delta", "message", "index", "error"})


class Assembly:
    """Add up the chunks of one choice.

    Fields that describe the whole reply (id, model, provider, finish reason) are set by the first chunk in which they
    are not null, because later chunks repeat them or leave them out. The last `usage` counts, because some hosts send
    it twice.
    """

    def __init__(self) -> None:
        self._facts: JSONObject = {}
        self._previous: JSONObject = {}
        self._choice: JSONObject = {}
        self._text: defaultdict[str, list[str]] = defaultdict(list)
        self._other: dict[str, list[Any]] = {}
        self._calls: dict[int, JSONObject] = {}
        self._details: ReasoningDetails | None = None
        self._usage: WireUsage | None = None
        self._logprobs: list[Any] = []

    def add(self, chunk: WireEvent, choice: WireChoice | None) -> None:
        """Add one chunk.

        Args:
            chunk: The chunk.
            choice: The choice of the chunk to follow; its tool calls must have an `index`.
        """
        # Adding the fields of an event again changes nothing.
        if type(chunk) is not RepeatedEvent:
            fields = {**chunk}
            fields.pop("choices", None)
            if fields != self._previous:
                self._previous = fields
                self._add_fields(fields)
            if choice is not None:
                self._add_choice(choice)
        if choice is not None and (delta := choice.get("delta")):
            self._add_delta(delta)

    def _add_fields(self, fields: JSONObject) -> None:
        for key, value in fields.items():
            if value is not None and key not in _NOT_FACTS and self._replaces_fact(key, value):
                self._facts[key] = value
        if (usage := fields.get("usage")) and isinstance(usage, dict):
            self._usage = cast("WireUsage", usage)

    def reply(self) -> WireEvent:
        """Return the reply received so far, in the form of a plain reply."""
        message: JSONObject = {"role": "assistant", **{key: "".join(texts) for key, texts in self._text.items()}}
        message.update((key, joined(values)) for key, values in self._other.items())
        if self._details is not None:
            message["reasoning_details"] = self._details.entries()
        if self._calls:
            message["tool_calls"] = self.tool_calls()
        choice = {"index": 0, "finish_reason": None, **self._choice, "message": message}
        if self._logprobs:
            choice["logprobs"] = merged_logprobs(self._logprobs)
        usage = {"usage": self._usage} if self._usage else {}
        return cast("WireEvent", {**self._facts, "choices": [choice], **usage})

    def tool_calls(self) -> list[WireToolCall]:
        """Return the tool calls received so far, in the order of their indices, with the arguments joined."""
        return [
            {
                "index": index,
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": "".join(call["arguments"])},
            }
            for index, call in sorted(self._calls.items())
        ]

    def _replaces_fact(self, key: str, value: Any) -> bool:
        previous = self._facts.get(key)
        # Recorded: a relay whose first chunk has its own id. Only OpenRouter's id can be looked up.
        return not previous or (key == "id" and str(value).startswith("gen-") and not str(previous).startswith("gen-"))

    def _add_choice(self, choice: WireChoice) -> None:
        for key, value in choice.items():
            if value is None or key in _NOT_CHOICE_FACTS:
                continue
            if key == "logprobs":
                self._logprobs.append(value)
            elif key == "usage":
                # Moonshot's own API reports usage in the choice.
                self._usage = self._usage or (cast("WireUsage", value) if isinstance(value, dict) else None)
            else:
                self._choice.setdefault(key, value)

    def _add_delta(self, delta: WireMessage) -> None:
        for key, value in delta.items():
            if value is None or key == "role":
                continue
            if key in TEXT_KEYS:
                self._text[key].append(value if type(value) is str else text_of(value))
            elif key == "tool_calls":
                self._add_calls(cast("list[WireToolCall]", value))
            elif key == "reasoning_details" and isinstance(value, list):
                self._details = self._details or ReasoningDetails()
                self._details.add(value)
            elif key not in _OTHER_HANDLING:
                self._other.setdefault(key, []).append(value)

    def _add_calls(self, calls: list[WireToolCall]) -> None:
        for piece in calls:
            index = cast("int", piece["index"])
            call = self._calls.get(index) or self._calls.setdefault(index, {"id": None, "name": None, "arguments": []})
            function = piece.get("function") or {}
            call["id"] = call["id"] or piece.get("id")
            call["name"] = call["name"] or function.get("name")
            if arguments := function.get("arguments"):
                call["arguments"].append(arguments)


def merged_logprobs(values: list[Any]) -> Any:
    """Return the merged logprobs of chunks: lists (`content`, `refusal`) are joined; else the last value counts."""
    if not all(isinstance(value, dict) for value in values):
        last = max(number for number, value in enumerate(values) if not isinstance(value, dict))
        return merged_logprobs(values[last + 1 :]) if last + 1 < len(values) else values[last]
    return _merged(values, frozenset(key for value in values for key in value))


def joined(values: list[Any]) -> Any:
    """Return one value for a key's values in many deltas, in time proportional to their size.

    Lists and strings are joined, and objects are merged. The last value determines the type: values before one of
    another type are ignored. Of other types, the last value is returned.
    """
    last = values[-1]
    kind = next((kind for kind in (list, str, dict) if isinstance(last, kind)), None)
    # Only the values after the last one of another type are merged.
    start = len(values) - 1
    while kind and start and isinstance(values[start - 1], kind):
        start -= 1
    run = values[start:]
    if kind is str:
        return "".join(run)
    if kind is list:
        return [item for value in run for item in value]
    # Audio arrives as slices of base64 and of the transcript, beside an id that repeats.
    return _merged(run, frozenset({"data", "transcript"})) if kind is dict else last


def _merged(objects: list[JSONObject], appended: frozenset[str]) -> JSONObject:
    """Return the union of objects. The values of the keys in `appended` are joined; of others, the last one counts."""
    parts: dict[str, list[Any]] = {}
    for value in objects:
        for key, part in value.items():
            if part is not None:
                parts.setdefault(key, []).append(part)
            else:
                parts.setdefault(key, [])
    return {
        key: (joined(values) if key in appended else values[-1]) if values else None for key, values in parts.items()
    }


def text_of(content: Any) -> str:
    """Return the text of a message's content: a text, a part, a list of parts, or a number.

    Documented are texts and lists of parts. Other values are not lost: an object, which a host may send as the answer
    to a request for JSON, becomes JSON.
    """
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(text_of(part.get("text") if isinstance(part, dict) else part) for part in content)
    if isinstance(content, dict):
        is_part = "text" in content or "type" in content
        return text_of(content.get("text")) if is_part or not content else json.dumps(content, ensure_ascii=False)
    return str(content) if isinstance(content, int | float) and not isinstance(content, bool) else ""
