"""The sum of a stream's `reasoning_details`: typed entries, of which each delta tells a piece."""

from typing import Any

from langchain_kimi.openrouter.wire import JSONObject

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
