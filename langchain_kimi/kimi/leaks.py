"""Leaked markup in all the texts of a reply: the answer's, and the reasoning's in each place where it is told."""

from typing import Any, cast

from langchain_kimi.kimi.markup import MarkupScanner
from langchain_kimi.kimi.markup_unit import LeakedCall
from langchain_kimi.kimi.offered_tools import OfferedTools
from langchain_kimi.openrouter.wire import JSONObject, WireMessage

_REASONING = ("reasoning", "reasoning_content")


class Leaks:
    """Follows the texts of one reply.

    Attributes:
        has_spoken: Whether the answer holds text beside markup.
    """

    def __init__(self, offered: OfferedTools) -> None:
        self.has_spoken = False
        self._offered = offered
        self._scanners: dict[str, MarkupScanner] = {}
        self._index: Any = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing was found and nothing is held back."""
        return all(scanner.is_idle for scanner in self._scanners.values())

    @property
    def found(self) -> int:
        """How many calls and stray markers were found; the reasoning counts once, although it is told twice."""
        counts = {key: len(scanner.calls) + scanner.removed for key, scanner in self._scanners.items()}
        return counts.pop("content", 0) + max(counts.values(), default=0)

    def calls(self, *, has_others: bool) -> list[LeakedCall]:
        """Give the calls that were found.

        Those in the reasoning count only if the reply says and calls nothing else: otherwise they were drafts.
        """
        if (content := self._scanners.get("content")) and content.calls:
            return content.calls
        if has_others or self.has_spoken:
            return []
        drafts = (scanner.calls for key, scanner in self._scanners.items() if key != "content" and scanner.calls)
        return next(drafts, [])

    def feed(self, delta: WireMessage) -> WireMessage:
        """Take a delta; gives it as it is to be shown, the same object if nothing is changed."""
        shown: JSONObject = {}
        wire = cast("JSONObject", delta)
        for key in ("content", *_REASONING):
            if given := wire.get(key):
                text = given if isinstance(given, str) else _text_of(given)
                passed = self._scanner(key).feed(text)
                if passed is not text:
                    shown[key] = passed
        if details := wire.get("reasoning_details"):
            self._feed_details(details, shown)
        if wire.get("content") or wire.get("tool_calls"):
            self._settle(wire, shown)
            self.has_spoken = self.has_spoken or bool(str(shown.get("content", wire.get("content")) or "").strip())
        return cast("WireMessage", {**delta, **shown}) if shown else delta

    def close(self, *, clean: bool) -> WireMessage:
        """Take the end of the reply; gives the texts that were held back."""
        rest: JSONObject = {}
        for key, scanner in self._scanners.items():
            if text := scanner.close(clean=clean):
                rest |= self._piece(key, text)
        self.has_spoken = self.has_spoken or bool(str(rest.get("content", "")).strip())
        return cast("WireMessage", rest)

    def _scanner(self, key: str) -> MarkupScanner:
        if key not in self._scanners:
            self._scanners[key] = MarkupScanner(self._offered)
        return self._scanners[key]

    def _feed_details(self, details: Any, shown: JSONObject) -> None:
        """Take the reasoning in its structured form; what is signed or encrypted is left as it is."""
        changed, pieces = False, []
        for piece in details if isinstance(details, list) else ():
            text = piece.get("text") if isinstance(piece, dict) and not piece.get("signature") else None
            if isinstance(text, str) and text:
                self._index = piece.get("index")
                passed = self._scanner("reasoning_details").feed(text)
                if passed is not text:
                    changed = True
                    piece = {**piece, "text": passed}  # noqa: PLW2901 - the piece as it is to be shown
            pieces.append(piece)
        if changed:
            shown["reasoning_details"] = pieces

    def _settle(self, wire: JSONObject, shown: JSONObject) -> None:
        """Give out what the reasoning held back, for the answer has begun."""
        for key, scanner in self._scanners.items():
            if key != "content" and not scanner.is_idle and (text := scanner.settle()):
                told = shown.get(key, wire.get(key))
                piece = self._piece(key, text)[key]
                shown[key] = told + piece if told else piece

    def _piece(self, key: str, text: str) -> JSONObject:
        if key == "reasoning_details":
            return {key: [{"type": "reasoning.text", "text": text, "index": self._index}]}
        return {key: text}


def _text_of(content: Any) -> str:
    parts = content if isinstance(content, list) else ()
    return "".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))
