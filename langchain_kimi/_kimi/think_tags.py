"""Move thoughts that a host left in the text, between `<think>` and `</think>`, to the reasoning.

Hosts without a parser for the reasoning leave the tags in the text. The chat templates of newer models put `<think>`
into the prompt, so the text of such a host has only the closing tag, behind the thoughts.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, cast

from langchain_kimi._kimi.families import thinks
from langchain_kimi._openrouter.wire import JSONObject, WireChoice, WireMessage, is_complete

OPEN, CLOSE = "<think>", "</think>"
_LONGEST_UNDECIDED = 200
"""The length of a block without an end from which on it is streamed as reasoning."""
_LONGEST_WAIT = 100_000
"""The length of a text in which a closing tag is waited for."""
_OPENING_QUOTES = frozenset("`'\"“«(")
_CLOSING_QUOTES = frozenset("`'\"”»)")
_PUNCTUATION = frozenset(",.;:?!)")

State = Literal["start", "thoughts", "waiting", "answer", "done"]


def closes_thoughts(text: str) -> bool:
    """Return whether the text of a plain response contains the end of thoughts."""
    return CLOSE in text


class ThinkTags:
    """Reads the text of one response up to the end of its thoughts.

    Attributes:
        count: The number of tags or pairs of tags that were removed.
        state: `done` once the rest of the text passes unchanged.
    """

    def __init__(self, body: Mapping[str, Any]) -> None:
        """Begin a response.

        Args:
            body: The request. A stream is only held back for a closing tag if the model reasons, the reasoning is not
                excluded, and none has come before the text.
        """
        self.count = 0
        self.state: State = "start"
        reasoning = body.get("reasoning") or {}
        is_excluded = reasoning.get("exclude") is True or body.get("include_reasoning") is False
        self._may_wait = thinks(body.get("model") or "", body) and not is_excluded
        self._pieces: list[str] = []
        self._tail = ""
        self._length = 0

    @property
    def is_done(self) -> bool:
        """Whether the rest of the response passes unchanged."""
        return self.state == "done"

    def repair(self, choice: WireChoice) -> WireChoice:
        """Take the choice of the next event, and return it with the thoughts in its reasoning."""
        delta = choice.get("delta")
        if delta is None:
            return choice
        finish = choice.get("finish_reason")
        repaired = self.feed(delta, is_whole="message" in choice, is_last=bool(finish), is_cut=not is_complete(finish))
        if finish:
            self.state = "done"
        return choice if repaired is delta else cast("WireChoice", {**choice, "delta": repaired})

    def feed(
        self, delta: WireMessage, *, is_whole: bool = False, is_last: bool = False, is_cut: bool = False
    ) -> WireMessage:
        """Take a delta, and return it with the thoughts in its reasoning.

        Args:
            delta: The delta, or the message of a plain response.
            is_whole: Whether it is the message of a plain response.
            is_last: Whether the text ends here.
            is_cut: Whether the model did not end the text itself.
        """
        text: Any = delta.get("content") or ""
        if not isinstance(text, str):
            self.state = "done"
            return delta
        has_reasoning = any(delta.get(key) for key in ("reasoning", "reasoning_content", "reasoning_details"))
        self._may_wait = (self._may_wait or is_whole) and not has_reasoning
        ends = is_last or is_whole or bool(delta.get("tool_calls"))
        if not text and not ends:
            # A delta of reasoning: most of a reasoning stream.
            return delta
        thought, answer = self._take(text, ends=ends, is_cut=is_cut)
        if answer == text and not thought:
            return delta
        changed: JSONObject = {**delta, "content": answer}
        if thought:
            changed["reasoning"] = f"{delta.get('reasoning') or ''}{thought}"
        return cast("WireMessage", changed)

    def close(self, *, is_cut: bool) -> WireMessage:
        """Take the end of a stream that had no last delta, and return the text that was held back."""
        return self.feed({}, is_last=True, is_cut=is_cut)

    def _take(self, text: str, *, ends: bool, is_cut: bool) -> tuple[str, str]:
        """Take the next text; return the next part of the thoughts and of the answer."""
        if self.state == "waiting":
            return self._wait(text, ends=ends)
        if text.isspace() and self.state != "answer" and not ends:
            # Joined with the next text: there may be thousands of such deltas.
            return self._hold(text)
        text = self._held() + text
        if self.state == "start":
            return self._start(text, ends=ends, is_cut=is_cut)
        return self._think(text, ends=ends) if self.state == "thoughts" else ("", self._answer(text, ends=ends))

    def _start(self, text: str, *, ends: bool, is_cut: bool) -> tuple[str, str]:
        begin = text.lstrip()
        if not ends and (OPEN.startswith(begin) or CLOSE.startswith(begin)):
            return self._hold(text)
        if begin.startswith(OPEN):
            return self._block(text, begin[len(OPEN) :], ends=ends, is_cut=is_cut)
        if begin.startswith(CLOSE):
            return self._closed("", text, begin[len(CLOSE) :], ends=ends)
        if not self._may_wait:
            return self._released(text)
        self.state = "waiting"
        return self._wait(text, ends=ends)

    def _block(self, text: str, inner: str, *, ends: bool, is_cut: bool) -> tuple[str, str]:
        """Read a text that begins with the opening tag."""
        if inner[:1] == " " and inner.lstrip()[:1].islower():
            return self._released(text)
        thought, tag, rest = inner.partition(CLOSE)
        if tag:
            return self._closed(thought, text, rest, ends=ends)
        if ends:
            return self._released(text) if not is_cut else self._removed(inner.strip(), "")
        if len(inner) < _LONGEST_UNDECIDED:
            return self._hold(text)
        self.count += 1
        self.state = "thoughts"
        return self._think(inner.lstrip(), ends=ends)

    def _closed(self, thought: str, text: str, rest: str, *, ends: bool) -> tuple[str, str]:
        """Read the text after the closing tag of a block at the start."""
        if not ends and len(rest) < len(" a"):
            return self._hold(text)
        is_mentioned = (rest[:1] == " " and rest[1:2].islower()) or rest[:1] in _PUNCTUATION
        return self._released(text) if is_mentioned else self._removed(thought.strip(), rest, ends=ends)

    def _think(self, text: str, *, ends: bool) -> tuple[str, str]:
        """Stream thoughts up to the closing tag, without white space at their end."""
        thought, tag, rest = text.partition(CLOSE)
        if tag:
            self.state = "answer"
            return thought.rstrip(), self._answer(rest, ends=ends)
        if ends:
            self.state = "done"
            return text.rstrip(), ""
        shown = text[: len(text) - _overlap(text)].rstrip()
        self._hold(text[len(shown) :])
        return shown, ""

    def _wait(self, text: str, *, ends: bool) -> tuple[str, str]:
        """Hold the text back until a closing tag, or its end."""
        self._pieces.append(text)
        self._length += len(text)
        seen, self._tail = self._tail + text, (self._tail + text)[-len(CLOSE) :]
        if CLOSE not in seen and not ends and self._length < _LONGEST_WAIT:
            return "", ""
        whole = self._held()
        thought, tag, rest = whole.partition(CLOSE)
        if tag and not rest and not ends:
            self._tail = CLOSE
            return self._hold(whole)
        if not tag or _is_mentioned(thought, rest):
            return self._released(whole)
        return self._removed(thought.strip(), rest, ends=ends)

    def _answer(self, text: str, *, ends: bool) -> str:
        """Remove white space and further closing tags between the thoughts and the answer."""
        # One match, because a text with thousands of tags would be copied for each of them.
        text = _CLOSING_TAGS.sub("", text, count=1)
        if text and not ends and CLOSE.startswith(text):
            self.state = "answer"
            return self._hold(text)[1]
        self.state = "done" if text or ends else "answer"
        return text

    def _removed(self, thought: str, rest: str, *, ends: bool = True) -> tuple[str, str]:
        self.count += 1
        return thought, self._answer(rest, ends=ends)

    def _released(self, text: str) -> tuple[str, str]:
        self.state = "done"
        return "", text

    def _hold(self, text: str) -> tuple[str, str]:
        self._pieces.append(text)
        return "", ""

    def _held(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        return text


_CLOSING_TAGS = re.compile(rf"\A(?:\s*+{re.escape(CLOSE)})*+\s*+")


def _overlap(text: str) -> int:
    """Return the length of the beginning of a closing tag at the end of a text."""
    return next((length for length in range(len(CLOSE) - 1, 0, -1) if text.endswith(CLOSE[:length])), 0)


def _is_mentioned(before: str, after: str) -> bool:
    """Return whether a text talks about the closing tag, or quotes it."""
    if OPEN[:-1] in before or before.count("```") % 2:
        return True
    is_quoted = before[-1:] in _OPENING_QUOTES and after[:1] in _CLOSING_QUOTES
    return is_quoted or (before[-1:] == " " and (not after or after[0] == " " or after[0] in _PUNCTUATION))
