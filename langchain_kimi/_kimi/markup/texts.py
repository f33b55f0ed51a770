"""Find leaked markup in all texts of a reply: the content, and each field with reasoning."""

import re
from collections.abc import Callable
from typing import Any, cast

from langchain_kimi._kimi.markup.calls import INCOMPLETE, LeakedCall
from langchain_kimi._kimi.markup.grammar import is_clear
from langchain_kimi._kimi.markup.scanner import MarkupScanner
from langchain_kimi._kimi.tools import OfferedTools
from langchain_kimi._openrouter.wire import JSONObject, WireMessage, is_complete

AddText = Callable[[str], None]
_REASONING = ("reasoning", "reasoning_content")
DRAFT = "The call is a part of a sentence in the model's thoughts."
_CONTINUES = re.compile(r"\s*[,.;:?!)]")
"""The text after a call that is part of a sentence, as in `Should I call ...? No`."""


class LeakedMarkup:
    """Scans the texts of one reply for markup.

    Attributes:
        has_text: Whether the content has text other than markup.
    """

    def __init__(self, offered: OfferedTools) -> None:
        """Begin a reply.

        Args:
            offered: The tools of the request.
        """
        self.has_text = False
        self._offered = offered
        # Without tools there are no calls without markers. A marker begins with "<".
        self._rare = "f" if offered.schemas else "<"
        self._scanners: dict[str, MarkupScanner] = {}
        self._index: Any = None
        # The field of the reasoning whose answer is moved to the content.
        self._answer_field = ""
        self._is_flushed = True
        self._add: AddText | None = None
        self._add_reasoning: AddText | None = None
        self._add_detail: AddText | None = None

    @property
    def is_idle(self) -> bool:
        """Whether there is no markup and no pending text."""
        return all(scanner.is_idle for scanner in self._scanners.values())

    @property
    def count(self) -> int:
        """The number of calls and stray markers. Markup in the reasoning counts once, although it is in two fields."""
        counts = {key: len(scanner.calls) + scanner.removed for key, scanner in self._scanners.items()}
        return counts.pop("content", 0) + max(counts.values(), default=0)

    def calls(self, *, has_others: bool, finish: str | None) -> list[LeakedCall]:
        """Return the calls that the texts contain.

        Calls in the reasoning are drafts and not returned, unless the reply has no other text and no other calls. They
        are invalid if the model did not end the reply itself, or if their sentence continues after them and the host
        reported no call.

        Args:
            has_others: Whether the reply has structured calls.
            finish: The finish reason.
        """
        if (content := self._scanners.get("content")) and content.calls:
            return content.calls
        if has_others or self.has_text:
            return []
        thoughts = (scanner for key, scanner in self._scanners.items() if key != "content" and scanner.calls)
        if (scanner := next(thoughts, None)) is None:
            return []
        error = None if is_complete(finish) else INCOMPLETE
        if error is None and finish == "stop" and _CONTINUES.match("".join(scanner.texts_after_call)):
            error = DRAFT
        return [draft._replace(error=draft.error or error) for draft in scanner.calls]

    def has_no_text(self, delta: WireMessage) -> bool:
        """Return whether a delta has no text and no reasoning is pending."""
        texts = delta.get("content") or delta.get("reasoning") or delta.get("reasoning_content")
        return not (texts or delta.get("reasoning_details")) and self._is_flushed

    def pass_unchanged(self, delta: WireMessage) -> bool:
        """Take a delta without calls if it needs no scanning; return whether it was taken.

        This is the fast path, which nearly every delta of a stream takes.
        """
        if delta.get("reasoning_content"):
            return False
        text, details = delta.get("content"), delta.get("reasoning_details")
        if thought := delta.get("reasoning"):
            return not text and self._pass_reasoning(thought, details)
        if not text or details:
            return self._is_flushed and not details
        # These characters are rare, so most calls of `is_clear` are avoided.
        if (
            (add := self._add) is None
            or type(text) is not str
            or (("<" in text or self._rare in text) and not is_clear(text))
        ):
            return False
        add(text)
        return True

    def feed(self, delta: WireMessage) -> WireMessage:
        """Scan a delta and return it without markup; the same object if nothing changed."""
        shown: JSONObject = {}
        wire = cast("JSONObject", delta)
        for key in ("content", *_REASONING):
            if value := wire.get(key):
                text = value if isinstance(value, str) else _text_of(value)
                passed = self._scanner(key).feed(text)
                if passed is not text:
                    shown[key] = passed
        self._move_reasoning(wire, shown)
        if details := wire.get("reasoning_details"):
            self._feed_details(details, shown)
        if wire.get("content") or wire.get("tool_calls"):
            self._flush(wire, shown)
            self.has_text = self.has_text or bool(str(shown.get("content", wire.get("content")) or "").strip())
        self._move_answer(wire, shown)
        self._update_fast_path()
        return cast("WireMessage", {**delta, **shown}) if shown else delta

    def close(self, *, clean: bool) -> WireMessage:
        """Finish at the end of the reply and return the pending texts."""
        rest: JSONObject = {}
        for key, scanner in self._scanners.items():
            if text := scanner.close(clean=clean):
                rest |= self._piece(key, text)
        self._move_reasoning(rest, rest)
        self.has_text = self.has_text or bool(str(rest.get("content", "")).strip())
        self._move_answer(rest, rest)
        return cast("WireMessage", rest)

    def _move_reasoning(self, wire: JSONObject, shown: JSONObject) -> None:
        """Move the reasoning that was in the content to its own field."""
        scanner = self._scanners.get("content")
        if scanner and (reasoning := scanner.pop_moved()):
            shown["reasoning"] = (shown.get("reasoning", wire.get("reasoning")) or "") + reasoning

    def _move_answer(self, wire: JSONObject, shown: JSONObject) -> None:
        """Move the answer that was in the reasoning to the content.

        Reported: SGLang leaves it there if K3 damages the tag after its thoughts (pull request 32567). Calls after such
        an answer are not drafts, so it is not counted in `has_text`.
        """
        for key, scanner in self._scanners.items():
            if key != "content" and (answer := scanner.pop_moved()):
                # The other fields of the reasoning repeat the text.
                self._answer_field = self._answer_field or key
                if key == self._answer_field:
                    content = shown.get("content", wire.get("content")) or ""
                    shown["content"] = answer + (content if isinstance(content, str) else _text_of(content))

    def _pass_reasoning(self, text: Any, details: Any) -> bool:
        """Take a delta of reasoning whose details have the same text, if it needs no scanning."""
        if (
            self._add_reasoning is None
            or type(text) is not str
            or (("<" in text or self._rare in text) and not is_clear(text))
        ):
            return False
        if details:
            if self._add_detail is None or type(details) is not list or len(details) != 1:
                return False
            piece = details[0]
            if type(piece) is not dict or piece.get("text") != text or piece.get("signature"):
                return False
            self._add_detail(text)
        self._add_reasoning(text)
        return True

    def _update_fast_path(self) -> None:
        """Determine which fields may take the fast path: those without pending text in them or in earlier fields."""
        self._is_flushed = not any(scanner.has_pending for key, scanner in self._scanners.items() if key != "content")
        adders = {key: scanner.add_plain for key, scanner in self._scanners.items() if scanner.is_free}
        self._add = adders.get("content") if self.has_text and self._is_flushed else None
        self._add_reasoning, self._add_detail = adders.get("reasoning"), adders.get("reasoning_details")

    def _scanner(self, key: str) -> MarkupScanner:
        if key not in self._scanners:
            self._scanners[key] = MarkupScanner(self._offered, moves="think" if key == "content" else "response")
        return self._scanners[key]

    def _feed_details(self, details: Any, shown: JSONObject) -> None:
        """Scan reasoning details. Signed and encrypted ones stay unchanged."""
        changed, pieces = False, []
        for piece in details if isinstance(details, list) else ():
            text = piece.get("text") if isinstance(piece, dict) and not piece.get("signature") else None
            if isinstance(text, str) and text:
                self._index = piece.get("index")
                passed = self._scanner("reasoning_details").feed(text)
                if passed is not text:
                    changed = True
                    piece = {**piece, "text": passed}  # noqa: PLW2901 - the scanned piece
            pieces.append(piece)
        if changed:
            shown["reasoning_details"] = pieces

    def _flush(self, wire: JSONObject, shown: JSONObject) -> None:
        """Release the pending reasoning, because the content has begun."""
        for key, scanner in self._scanners.items():
            if key != "content" and not scanner.is_idle and (text := scanner.flush()):
                before = shown.get(key, wire.get(key))
                piece = self._piece(key, text)[key]
                shown[key] = before + piece if before else piece

    def _piece(self, key: str, text: str) -> JSONObject:
        if key == "reasoning_details":
            return {key: [{"type": "reasoning.text", "text": text, "index": self._index}]}
        return {key: text}


def _text_of(content: Any) -> str:
    parts = content if isinstance(content, list) else ()
    return "".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))
