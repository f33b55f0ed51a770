"""Move thoughts that a host left between `<think>` and `</think>` in the text to the reasoning.

Hosts without a parser for the reasoning leave the tags in the text. The chat templates of newer models put `<think>`
into the prompt, so the text of such a host has only the closing tag, after the thoughts. For example:

* "<think>Add them.</think>The sum is 5." and "Add them.</think>The sum is 5." have the thoughts "Add them." and the
  answer "The sum is 5.".
* "Models write <think> before their thoughts." only mentions the tag and stays unchanged.

Nothing can be streamed as long as it may still be thoughts or an answer, so texts are held back, within limits.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, cast

from langchain_kimi._kimi.families import thinks
from langchain_kimi._kimi.markup.grammar import BEGIN_OF_CALL
from langchain_kimi._kimi.markup.quoting import QuoteTracker
from langchain_kimi._kimi.think_mentions import (
    CLOSE,
    LONGEST_CLOSE,
    OPEN,
    PUNCTUATION,
    closes_thoughts,
    closing_at,
    continues_sentence,
    is_mention,
    is_quoted,
    overlap,
)
from langchain_kimi._openrouter.wire import JSONObject, WireChoice, WireMessage, is_complete
from langchain_kimi._patterns import lazy_pattern

_LONGEST_UNDECIDED = 200
"""A block without an end that is longer than this is streamed as reasoning."""
_LONGEST_BEGIN = 1000
"""The same limit, for a block that includes repeated opening tags."""
_LONGEST_WAIT = 100_000
"""The maximum length of a text that is held back until a closing tag."""
_MAX_TAGS = 100
"""The maximum number of opening tags in the answer that are read as such."""
_TAG = lazy_pattern(r"</?think>")
_OPENING_TAGS = lazy_pattern(rf"\A(?:\s*+{OPEN})*+")
_CLOSING_TAGS = lazy_pattern(rf"\A(?:\s*+{CLOSE})*+\s*+")
_CODE_INDENTATION = lazy_pattern(r"(?:\A|\n)(?: {4,}| {0,3}\t)\s*\Z")

State = Literal["start", "thoughts", "waiting", "answer", "later", "done"]
"""The part of the text that is being read.

* `start`: The first tag or word has not arrived. Then: an opening tag leads to `thoughts` (or, if its closing tag is
  near, to `answer`), another text to `waiting` if the host may have omitted the opening tag, otherwise to `done`.
* `thoughts`: After an opening tag. Thoughts are streamed as reasoning; their closing tag leads to `answer`.
* `waiting`: Without an opening tag. The text is held back until a closing tag, which leads to `answer`; without one, it
  is the answer and is released at its end (`done`).
* `answer`: After thoughts. The answer is streamed; a further opening tag leads to `later`.
* `later`: A further block inside the answer, held back until its end, which leads back to `answer`.
* `done`: The rest passes unchanged.
"""


class ThinkTags:
    """Moves the thoughts in the text of one response to its reasoning.

    Most methods return the next part of the thoughts and the next part of the answer. `ends` and `is_cut` are whether
    the text ends after this delta, and whether something other than the model ended it.

    Attributes:
        count: The number of tags or pairs of tags that were removed.
        state: The part of the text that is being read.
    """

    def __init__(self, body: Mapping[str, Any]) -> None:
        """Begin a response.

        Args:
            body: The request. A stream is only held back until a closing tag if the model reasons, its reasoning is not
                excluded, and no reasoning has arrived before the text.
        """
        self.count = 0
        self.state: State = "start"
        reasoning = body.get("reasoning") or {}
        is_excluded = reasoning.get("exclude") is True or body.get("include_reasoning") is False
        self._reasons = thinks(body.get("model") or "", body)
        self._may_wait = self._reasons and not is_excluded
        # The text that is held back.
        self._pieces: list[str] = []
        # For the states `waiting` and `later`: the last characters, in which a closing tag may begin. `_length` is the
        # number of characters that are held back; for `thoughts`, of those after nested thoughts.
        self._tail, self._length = "", 0
        # For the state `thoughts`: the number of open tags, the last character, and the text after the first closing
        # tag of nested thoughts, which is held back: up to the last closing tag (`_nested`) and from it on (`_after`).
        self._depth = 1
        self._last = ""
        self._nested, self._after = list[str](), list[str]()
        self._has_thoughts = self._has_answer = False
        # For the answer: the number of further opening tags, and whether its end is quoted.
        self._tags, self._quotes = 0, QuoteTracker()

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
        has_more = finish or delta.get("content") or delta.get("tool_calls") or "message" in choice
        if delta.get("reasoning") and not has_more:
            # A delta of reasoning, like most deltas of a model that reasons.
            self._may_wait = False
            return choice
        repaired = self.feed(delta, is_whole="message" in choice, is_last=bool(finish), is_cut=not is_complete(finish))
        if finish:
            self.state = "done"
        return choice if repaired is delta else cast("WireChoice", {**choice, "delta": repaired})

    def feed(
        self, delta: WireMessage, *, is_whole: bool = False, is_last: bool = False, is_cut: bool = False
    ) -> WireMessage:
        """Take a delta, and return it with the thoughts in its reasoning.

        Args:
            delta: The delta, or the message of a plain response (`is_whole`).
            is_whole: Whether it is a message.
            is_last: Whether the text ends here.
            is_cut: Whether the model did not end the text itself.
        """
        text: Any = delta.get("content") or ""
        if not isinstance(text, str):
            self.state = "done"
            return delta
        has_reasoning = any(delta.get(key) for key in ("reasoning", "reasoning_content", "reasoning_details"))
        self._may_wait = (self._may_wait or is_whole) and not has_reasoning
        has_calls = bool(delta.get("tool_calls"))
        ends, is_cut = is_last or is_whole or has_calls, is_cut or has_calls
        if not text and not ends:
            return delta
        thought, answer = self._read(text, ends=ends, is_cut=is_cut)
        if answer == text and not thought:
            return delta
        changed: JSONObject = {**delta, "content": answer}
        if thought:
            self._has_thoughts = True
            changed["reasoning"] = f"{delta.get('reasoning') or ''}{thought}"
        return cast("WireMessage", changed)

    def close(self, *, is_cut: bool) -> WireMessage:
        """Take the end of a stream that had no last delta, and return the text that was held back."""
        return self.feed({}, is_last=True, is_cut=is_cut)

    def _read(self, text: str, *, ends: bool, is_cut: bool) -> tuple[str, str]:
        """Read the next text in the current state."""
        if self.state == "waiting":
            return self._wait(text, ends=ends, is_cut=is_cut)
        if self.state == "later":
            return self._answer(text, ends=ends, is_cut=is_cut)
        if text.isspace() and self.state != "answer" and not ends:
            # Held back without parsing, because there may be thousands of such deltas.
            return self._hold_back(text)
        text = self._pop_held() + text
        if self.state == "start":
            return self._start(text, ends=ends, is_cut=is_cut)
        read = self._think if self.state == "thoughts" else self._answer
        return read(text, ends=ends, is_cut=is_cut)

    def _start(self, text: str, *, ends: bool, is_cut: bool) -> tuple[str, str]:
        """Read the first tag or word of the text."""
        begin = text.lstrip()
        if not ends and (OPEN.startswith(begin) or CLOSE.startswith(begin)):
            return self._hold_back(text)
        if begin.startswith((OPEN, CLOSE)) and _CODE_INDENTATION.search(text[: len(text) - len(begin)]):
            return self._released(text)
        if begin.startswith(OPEN):
            return self._start_with_tag(text, begin[len(OPEN) :], ends=ends, is_cut=is_cut)
        if begin.startswith(CLOSE):
            return self._end_first_block("", text, begin[len(CLOSE) :], ends=ends, is_cut=is_cut)
        if not self._may_wait:
            return self._released(text)
        self.state = "waiting"
        return self._wait(text, ends=ends, is_cut=is_cut)

    def _start_with_tag(self, text: str, inner: str, *, ends: bool, is_cut: bool) -> tuple[str, str]:
        """Read a text that begins with an opening tag."""
        if inner[:1] == " " and inner.lstrip()[:1].islower():
            return self._released(text)
        inner = _OPENING_TAGS.sub("", inner, count=1)
        is_long = len(inner) > _LONGEST_UNDECIDED or len(text) > _LONGEST_BEGIN
        self._depth = 1
        closing, last = self._closing_tag(inner[:_LONGEST_UNDECIDED], ends=ends and not is_long)
        closing = closing or (last if ends and not is_long else None)
        if closing is not None:
            return self._end_first_block(
                inner[: closing.start()], text, inner[closing.end() :], ends=ends, is_cut=is_cut
            )
        if is_long:
            self.count += 1
            self.state, self._depth = "thoughts", 1
            return self._think(inner.lstrip(), ends=ends, is_cut=is_cut)
        if ends:
            is_cut = is_cut or BEGIN_OF_CALL.search(inner) is not None
            return self._removed(inner.strip(), "") if is_cut else self._released(text)
        return self._hold_back(text)

    def _closing_tag(self, text: str, *, ends: bool) -> tuple[re.Match[str] | None, re.Match[str] | None]:
        """Return the closing tag that matches the first opening tag, and the last closing tag before it.

        Thoughts may contain further blocks, as in "<think>a<think>b</think>c</think>": the second closing tag matches.
        """
        last = None
        for tag in _TAG.finditer(text):
            before, after = text[: tag.start()][-1:] or self._last, text[tag.end() : tag.end() + 1]
            if not (after or ends) or is_quoted(before, after):
                continue
            if tag[0] == OPEN:
                # Thoughts may mention the tag. Then a blank or punctuation follows it.
                self._depth += after not in ("", " ", *PUNCTUATION)
            else:
                self._depth -= 1
                if self._depth == 0:
                    return tag, last
                last = tag
        return None, last

    def _end_first_block(self, thought: str, text: str, rest: str, *, ends: bool, is_cut: bool) -> tuple[str, str]:
        """Read the text after the closing tag of a block at the start."""
        if not ends and len(rest) < len(" a"):
            return self._hold_back(text)
        if continues_sentence(rest):
            return self._released(text)
        return self._removed(thought.strip(), rest, ends=ends, is_cut=is_cut)

    def _think(self, text: str, *, ends: bool, is_cut: bool) -> tuple[str, str]:
        """Stream thoughts up to their closing tag, without white space at their end.

        After a closing tag of nested thoughts, the text is held back until the last closing tag.
        """
        closing, last = self._closing_tag(text, ends=ends)
        end = closing.start() if closing else len(text) if ends else len(text) - overlap(text)
        shown = ""
        if last is not None:
            shown = self._nested_thoughts(text[: last.start()])
            self._after = [CLOSE, text[last.end() : end]]
        elif self._after:
            self._after.append(text[:end])
            self._length += end
        else:
            shown = text[:end]
        self._last = text[:end][-1:] or self._last
        if closing is not None:
            thoughts = "".join([shown, *self._nested, *self._after]).rstrip()
            return self._end_thoughts(thoughts, text[closing.end() :], ends=ends, is_cut=is_cut)
        if self._after and (ends or self._length > _LONGEST_WAIT):
            thoughts = "".join([shown, *self._nested]).rstrip()
            rest = "".join([*self._after[1:], text[end:]])
            return self._end_thoughts(thoughts, rest, ends=ends, is_cut=is_cut)
        if ends:
            self.state = "done"
            return shown.rstrip(), ""
        passed = shown.rstrip() if not self._after else shown
        self._hold_back(text[end:] if self._after else text[len(passed) :])
        return passed, ""

    def _nested_thoughts(self, text: str) -> str:
        """Read the text up to a closing tag of nested thoughts, and return the part that certainly is thoughts."""
        if not self._after:
            return text
        self._nested += [*self._after, text]
        return ""

    def _wait(self, text: str, *, ends: bool, is_cut: bool) -> tuple[str, str]:
        """Hold the text back until a closing tag or until its end."""
        self._pieces.append(text)
        self._length += len(text)
        seen, self._tail = self._tail + text, (self._tail + text)[-LONGEST_CLOSE:]
        if not (closes_thoughts(seen) or ends) and self._length < _LONGEST_WAIT:
            return "", ""
        held = self._pop_held()
        # Whether the model opened a channel of thoughts is only certain if it reasons.
        thought, tag, answer = closing_at(held) if self._reasons else held.partition(CLOSE)
        if tag and not answer and not ends:
            self._tail = tag
            return self._hold_back(held)
        if not tag or is_mention(thought, tag, answer):
            return self._released(held)
        if not (self._reasons or answer.strip()):
            # The model does not reason, so the text before the tag is its answer.
            self.count += 1
            return self._released(thought)
        return self._removed(thought.strip(), answer, ends=ends, is_cut=is_cut)

    def _answer(self, text: str, *, ends: bool, is_cut: bool) -> tuple[str, str]:
        """Read the answer after the thoughts, with further blocks of thoughts in it."""
        if self.state != "later":
            self.state = "answer"
        thoughts, shown = list[str](), list[str]()
        rest: str | None = text
        while rest is not None:
            read = self._read_later if self.state == "later" else self._read_answer
            thought, part, rest = read(rest, ends=ends, is_cut=is_cut)
            thoughts.append(thought)
            shown.append(part)
        return "".join(thoughts), "".join(shown)

    def _read_answer(self, text: str, *, ends: bool, is_cut: bool) -> tuple[str, str, str | None]:
        """Read the answer up to a further opening tag.

        White space and further closing tags between the thoughts and the answer are removed.

        Returns:
            The thoughts (empty), the part of the answer, and the text from the opening tag on; None without a tag.
        """
        del is_cut
        if not self._has_answer:
            # Removed by one substitution: one for each tag would copy a text with thousands of tags each time.
            text = _CLOSING_TAGS.sub("", text, count=1)
            if not ends and (not text or CLOSE.startswith(text)):
                return *self._hold_back(text), None
        opened = text.find(OPEN) if self._tags < _MAX_TAGS else -1
        end = opened if opened >= 0 else len(text) if ends else len(text) - overlap(text)
        shown, rest = text[:end], text[end:]
        if shown:
            self._has_answer = True
            self._quotes.add(shown)
        if opened >= 0:
            self.state = "later"
            self._tags += 1
            self._length, self._tail = 0, ""
            return "", shown, rest
        self._hold_back(rest)
        return "", shown, None

    def _read_later(self, text: str, *, ends: bool, is_cut: bool) -> tuple[str, str, str | None]:
        """Hold back a further block of thoughts up to its end. A tag that the answer only mentions stays text.

        Returns:
            The thoughts, a part of the answer, and the text that is still to be read, or None.
        """
        self._pieces.append(text)
        self._length += len(text)
        seen, self._tail = self._tail + text, (self._tail + text)[-len(CLOSE) - 1 :]
        is_long = self._length > _LONGEST_WAIT
        if not (self._length < _LONGEST_UNDECIDED or CLOSE in seen or ends or is_long):
            return "", "", None
        held = self._pop_held()
        inner, tag, rest = held[len(OPEN) :].partition(CLOSE)
        after = inner + tag + rest[:1]
        if (len(after) > 1 or ends) and self._answer_names_tag(after):
            return self._as_text(held)
        if not (ends or is_long or len(rest) > 1):
            return *self._hold_back(held), None
        if continues_sentence(rest) if tag else not (ends and is_cut):
            return self._as_text(held)
        self.count += 1
        self.state = "answer"
        thought = inner.strip()
        if thought and self._has_thoughts:
            thought = f"\n{thought}"
        self._has_thoughts = self._has_thoughts or bool(thought)
        return thought, "", rest

    def _answer_names_tag(self, after: str) -> bool:
        """Return whether the answer only mentions the opening tag."""
        return self._quotes.is_open() or is_quoted(self._quotes.last_character, after) or continues_sentence(after)

    def _as_text(self, held: str) -> tuple[str, str, str | None]:
        """Return an opening tag as a part of the answer, and the text after it as still to be read."""
        self.state = "answer"
        self._has_answer = True
        self._quotes.add(OPEN)
        return "", OPEN, held[len(OPEN) :]

    def _removed(self, thought: str, rest: str, *, ends: bool = True, is_cut: bool = True) -> tuple[str, str]:
        """Return the thoughts of the first block, whose tags are removed, and read the answer after them."""
        self.count += 1
        self._has_thoughts = bool(thought)
        return self._end_thoughts(thought, rest, ends=ends, is_cut=is_cut)

    def _end_thoughts(self, thoughts: str, rest: str, *, ends: bool, is_cut: bool) -> tuple[str, str]:
        """Return the end of the thoughts, and read the answer after them."""
        more, shown = self._answer(rest, ends=ends, is_cut=is_cut)
        return thoughts + more, shown

    def _released(self, text: str) -> tuple[str, str]:
        """Return a text as answer, and let the rest of the response pass unchanged."""
        self.state = "done"
        return "", text

    def _hold_back(self, text: str) -> tuple[str, str]:
        """Hold a text back, and return no thoughts and no answer."""
        self._pieces.append(text)
        return "", ""

    def _pop_held(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        return text
