"""The sum of a stream: chunks in, and at any moment the reply as far as it came."""

import json
from typing import Any, cast

from langchain_kimi._openrouter.wire import JSONObject, WireChoice, WireEvent, WireMessage, WireToolCall, WireUsage

PIECE_KEYS = frozenset({"text", "summary", "data"})
WHOLE_TYPES = frozenset({"reasoning.encrypted", "reasoning.server_tool_call"})


class ReasoningDetails:
    """Adds up the pieces of one choice.

    A piece continues the last entry of its type and index (type and index together are the key: a summary and an
    encrypted entry were recorded both with index 0): text, summary and data are joined, the other fields filled in
    when they arrive, as a signature does at the end of a block. A signed block is closed, and an entry with an id of
    its own is an entry of its own.
    """

    def __init__(self) -> None:
        self._entries: list[JSONObject] = []
        self._open: JSONObject = {}
        self._repeated: JSONObject | None = None
        self._texts: list[str] = []

    def add(self, pieces: list[Any]) -> None:
        """Add those of a delta; what is no object is left out."""
        for piece in pieces:
            if not isinstance(piece, dict):
                continue
            # A thought that is told word by word repeats everything but the word.
            others = {**piece}
            text = others.pop("text", None)
            if others == self._repeated and type(text) is str:
                self._texts.append(text)
            else:
                self._join()
                self._open = self._continued(piece)
                self._repeated = others if _may_repeat(others, self._open) else None

    def so_far(self) -> list[JSONObject]:
        """Give the entries as far as they came."""
        self._join()
        return self._entries

    def _join(self) -> None:
        if self._texts:
            _append(self._open, "text", "".join(self._texts))
            self._texts = []

    def _continued(self, piece: JSONObject) -> JSONObject:
        """Add a piece to the entry that it continues, or as a new one; gives the entry."""
        entry = self._entry_before(piece)
        if entry is None:
            self._entries.append({**piece})
            return self._entries[-1]
        for key, value in piece.items():
            if key in PIECE_KEYS and isinstance(value, str):
                _append(entry, key, value)
            elif not entry.get(key):
                entry[key] = value
        return entry

    def _entry_before(self, piece: JSONObject) -> JSONObject | None:
        kind, index = piece.get("type"), piece.get("index")
        for entry in reversed(self._entries):
            if entry.get("type") == kind and entry.get("index") == index:
                closed = bool(entry.get("signature")) and any(piece.get(key) for key in PIECE_KEYS)
                other_id = bool(piece.get("id")) and bool(entry.get("id")) and entry["id"] != piece["id"]
                # Every encrypted entry was recorded whole; two without an id are two.
                whole = kind in WHOLE_TYPES and not (entry.get("id") and entry.get("id") == piece.get("id"))
                return None if closed or other_id or whole else entry
            if index is None:
                return None
        return None


def _may_repeat(others: JSONObject, entry: JSONObject) -> bool:
    """Say whether a further piece with the same fields beside its text only adds this text to the entry."""
    is_open = not entry.get("signature") and others.get("type") not in WHOLE_TYPES
    return is_open and PIECE_KEYS.isdisjoint(others)


def _append(entry: JSONObject, key: str, more: str) -> None:
    # Held by nobody else, a text grows in place: long thoughts would otherwise be copied with every piece.
    text, entry[key] = entry.get(key), None
    text = text if isinstance(text, str) else ""
    text += more
    entry[key] = text


TEXT_KEYS = frozenset({"content", "reasoning", "reasoning_content", "refusal"})
HANDLED = frozenset({"tool_calls", "reasoning_details"})
ONCE = frozenset({"usage", "error"})
NO_FACTS = frozenset({"delta", "message", "index", "error"})


class Assembly:
    """Adds up the chunks of one choice.

    Every one-off fact (id, model, provider, finish reason, usage) is kept once: of the facts the first value that is
    not null, because later chunks repeat them or leave them out; of usage the last, because some hosts send it twice.
    """

    def __init__(self) -> None:
        self._facts: JSONObject = {}
        self._told: JSONObject = {}
        self._choice: JSONObject = {}
        self._text: dict[str, list[str]] = {}
        self._other: JSONObject = {}
        self._calls: dict[int, JSONObject] = {}
        self._details: ReasoningDetails | None = None
        self._usage: WireUsage | None = None
        self._logprobs: Any = None

    def add(self, chunk: WireEvent, choice: WireChoice | None) -> None:
        """Add one chunk, of which `choice` is the choice to follow; tool calls must be numbered (`index`)."""
        told = {**chunk}
        told.pop("choices", None)
        # Nearly every chunk repeats what the one before it told.
        if told != self._told:
            self._told = told
            self._learn(told)
        if choice is not None:
            self._add_choice(choice)
            if delta := choice.get("delta"):
                self._add_delta(delta)

    def _learn(self, told: JSONObject) -> None:
        for key, value in told.items():
            if value is not None and key not in ONCE and self._is_news(key, value):
                self._facts[key] = value
        if (usage := told.get("usage")) and isinstance(usage, dict):
            self._usage = cast("WireUsage", usage)

    def reply(self) -> WireEvent:
        """Give the reply as far as it came, in the form of a plain one."""
        message: JSONObject = {"role": "assistant", **{key: "".join(texts) for key, texts in self._text.items()}}
        message.update(self._other)
        if self._details is not None:
            message["reasoning_details"] = self._details.so_far()
        if self._calls:
            message["tool_calls"] = self.tool_calls()
        choice = {"index": 0, "finish_reason": None, **self._choice, "message": message}
        if self._logprobs is not None:
            choice["logprobs"] = self._logprobs
        usage = {"usage": self._usage} if self._usage else {}
        return cast("WireEvent", {**self._facts, "choices": [choice], **usage})

    def tool_calls(self) -> list[WireToolCall]:
        """Give the tool calls so far, in the order of their numbers, with the arguments joined."""
        return [
            {
                "index": index,
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": "".join(call["arguments"])},
            }
            for index, call in sorted(self._calls.items())
        ]

    def _is_news(self, key: str, value: Any) -> bool:
        known = self._facts.get(key)
        # A relay was recorded whose first chunk has an id of its own; OpenRouter's is the one to look a call up by.
        return not known or (key == "id" and str(value).startswith("gen-") and not str(known).startswith("gen-"))

    def _add_choice(self, choice: WireChoice) -> None:
        for key, value in choice.items():
            if value is None or key in NO_FACTS:
                continue
            if key == "logprobs":
                self._logprobs = merged_logprobs(self._logprobs, value)
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
                self._text.setdefault(key, []).append(value if type(value) is str else text_of(value))
            elif key == "tool_calls":
                self._add_calls(cast("list[WireToolCall]", value))
            elif key == "reasoning_details" and isinstance(value, list):
                self._details = self._details or ReasoningDetails()
                self._details.add(value)
            elif key not in HANDLED:
                self._other[key] = _joined(self._other.get(key), value)

    def _add_calls(self, calls: list[WireToolCall]) -> None:
        for piece in calls:
            call = self._calls.setdefault(cast("int", piece["index"]), {"id": None, "name": None, "arguments": []})
            function = piece.get("function") or {}
            call["id"] = call["id"] or piece.get("id")
            call["name"] = call["name"] or function.get("name")
            if function.get("arguments"):
                call["arguments"].append(function["arguments"])


def merged_logprobs(so_far: Any, value: Any) -> Any:
    """Add a chunk's logprobs to those so far: lists (`content`, `refusal`) are joined, the last of the rest is kept."""
    if not (isinstance(so_far, dict) and isinstance(value, dict)):
        return value
    return {
        **so_far,
        **{key: _joined(so_far.get(key), part) for key, part in value.items() if part is not None or key not in so_far},
    }


def _joined(so_far: Any, value: Any) -> Any:
    """Lists are continued, strings too, and of anything else the newest counts."""
    if isinstance(so_far, list) and isinstance(value, list):
        return so_far + value
    if isinstance(so_far, str) and isinstance(value, str):
        return so_far + value
    if isinstance(so_far, dict) and isinstance(value, dict):
        # Audio comes as slices of base64 and transcript beside an id that repeats.
        return {
            **so_far,
            **{key: _slice(key, so_far.get(key), part) for key, part in value.items() if part is not None},
        }
    return value


def _slice(key: str, so_far: Any, part: Any) -> Any:
    return so_far + part if key in {"data", "transcript"} and isinstance(so_far, str) else part


def text_of(content: Any) -> str:
    """Give the text of a content: itself, that of a part, the texts of its parts joined, or a number as it is written.

    The wire knows texts and lists of parts. What a host sends in their place is shown rather than lost: an object, as
    the answer to a request for JSON may be sent, as JSON.
    """
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(text_of(part.get("text") if isinstance(part, dict) else part) for part in content)
    if isinstance(content, dict):
        is_part = "text" in content or "type" in content
        return text_of(content.get("text")) if is_part or not content else json.dumps(content, ensure_ascii=False)
    return str(content) if isinstance(content, int | float) and not isinstance(content, bool) else ""
