"""Leaked markup in all the texts of a reply: the answer's, and the reasoning's in each place where it is told."""

from collections.abc import Callable
from typing import Any, cast

from langchain_kimi._kimi.markup.calls import LeakedCall
from langchain_kimi._kimi.markup.grammar import is_clear
from langchain_kimi._kimi.markup.scanner import MarkupScanner
from langchain_kimi._kimi.tools import OfferedTools
from langchain_kimi._openrouter.wire import JSONObject, WireMessage

Taker = Callable[[str], None]
_REASONING = ("reasoning", "reasoning_content")


class Leaks:
    """Follows the texts of one reply.

    Attributes:
        has_spoken: Whether the answer holds text beside markup.
    """

    def __init__(self, offered: OfferedTools) -> None:
        """Begin a reply; `offered` are the tools that may be called."""
        self.has_spoken = False
        self._offered = offered
        self._scanners: dict[str, MarkupScanner] = {}
        self._index: Any = None
        self._is_settled = True
        self._add: Taker | None = None
        self._add_thought: Taker | None = None
        self._add_detail: Taker | None = None

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

    def is_silent(self, delta: WireMessage) -> bool:
        """Say whether a delta holds no text, and none of the reasoning is held back."""
        texts = delta.get("content") or delta.get("reasoning") or delta.get("reasoning_content")
        return not (texts or delta.get("reasoning_details")) and self._is_settled

    def passes(self, delta: WireMessage) -> bool:
        """Take a delta without calls if it is plain text and nothing else is to be done; says whether it did.

        Nearly every delta of a stream is such a one, and what this costs is paid for each of them.
        """
        if delta.get("reasoning_content"):
            return False
        text, details = delta.get("content"), delta.get("reasoning_details")
        if thought := delta.get("reasoning"):
            return not text and self._thought_passes(thought, details)
        if not text or details:
            return self._is_settled and not details
        # What a clear text seldom holds is looked for here, to save most calls of `is_clear`.
        if (add := self._add) is None or type(text) is not str or (("<" in text or "f" in text) and not is_clear(text)):
            return False
        add(text)
        return True

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
        self._open_ways()
        return cast("WireMessage", {**delta, **shown}) if shown else delta

    def close(self, *, clean: bool) -> WireMessage:
        """Take the end of the reply; gives the texts that were held back."""
        rest: JSONObject = {}
        for key, scanner in self._scanners.items():
            if text := scanner.close(clean=clean):
                rest |= self._piece(key, text)
        self.has_spoken = self.has_spoken or bool(str(rest.get("content", "")).strip())
        return cast("WireMessage", rest)

    def _thought_passes(self, text: Any, details: Any) -> bool:
        """Take reasoning if it is plain text, and its structured form is one more piece of it in the same words."""
        if self._add_thought is None or type(text) is not str or (("<" in text or "f" in text) and not is_clear(text)):
            return False
        if details:
            if self._add_detail is None or type(details) is not list or len(details) != 1:
                return False
            piece = details[0]
            if type(piece) is not dict or piece.get("text") != text or piece.get("signature"):
                return False
            self._add_detail(text)
        self._add_thought(text)
        return True

    def _open_ways(self) -> None:
        """See which texts pass if they are clear: those of which nothing is held back and nothing is due to others."""
        self._is_settled = not any(scanner.holds for key, scanner in self._scanners.items() if key != "content")
        takers = {key: scanner.take for key, scanner in self._scanners.items() if scanner.is_free}
        self._add = takers.get("content") if self.has_spoken and self._is_settled else None
        self._add_thought, self._add_detail = takers.get("reasoning"), takers.get("reasoning_details")

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
