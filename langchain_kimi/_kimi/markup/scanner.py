"""Find the tool calls that a provider left as markup in a streamed text.

Text about the markup stays unchanged: markup in code or quotation marks, and markers that do not enclose a call of an
offered tool. Text that may become markup is held back until that is decided. All other text passes immediately. The
time is linear in the length of the text: runs of markup are parsed in place, and only bounded parts are parsed again.

The scanner is in one of three states:

* text: neither `_run` nor `_pending` is set. Text passes up to the first `TRIGGER`, which is "<|" or "functions.".
* undecided: `_pending` is set, for example to "<|tool_ca" or "functions.sea". The next text decides.
* markup: `_run` is set. It parses the text until other text follows. Then its calls are added and the markup is
  removed, or the run turns out to be text and is released.

For example, with an offered tool `add`, these three deltas release "Let me see." and nothing more, and `calls` has one
call: "Let me see.<|tool_", "call_begin|>functions.add:0<|tool_call_argument_begin|>", "{}<|tool_call_end|>".
"""

from typing import TYPE_CHECKING, Literal

from langchain_kimi._kimi.markup.calls import LeakedCall
from langchain_kimi._kimi.markup.enclosing import ENOUGH_AFTER, encloses, may_enclose
from langchain_kimi._kimi.markup.grammar import (
    ARGUMENTS_BEGIN,
    BARE,
    BEGIN_OF_TAG,
    CALL_END,
    MESSAGE_END,
    SECTION_END,
    TAG_CLOSE,
    TAG_END,
    TAG_OPEN,
    TRIGGER,
    TURN_END,
    JSONValue,
    bare_call_at,
    is_clear,
    marker_at,
    parsed,
    partial_bare_call,
    partial_marker,
)
from langchain_kimi._kimi.markup.quoting import QuoteTracker
from langchain_kimi._kimi.tools import OfferedTools
from langchain_kimi._patterns import lazy_pattern

if TYPE_CHECKING:
    from langchain_kimi._kimi.markup.runs import Run

_OPENING = "<|"
"""The beginning of every marker."""
_ENDS = SECTION_END | {CALL_END, TURN_END, TAG_CLOSE, MESSAGE_END}
_TAGS = {TAG_OPEN, TAG_CLOSE, MESSAGE_END}
_BLANKS = lazy_pattern(r"\s*")
_LONGEST_BEGIN = 64
"""The number of characters of a bare call's JSON that are checked before the run is parsed."""
# The end of JSON whose beginning is missing: `"]}]}`. Its quotation marks do not close a quotation.
_END_OF_JSON = lazy_pattern(r"[\]}\"]\s?[\]}]\s?$")
_IN_SENTENCE = lazy_pattern(r"[\w,:;=-] $")
"""The end of a text in which the next word belongs to the sentence."""
_ENDS_TEXT = lazy_pattern(r"[\w.,!?:;…)\]}\"'\u201d\u2019\u3002\uff01\uff1f]")
"""A character that ends a text. An opening bracket or a dash does not."""

Markup = str | int | Literal[True] | None
"""The markup at a trigger.

A marker such as `<|tool_call_begin|>`; the position of the JSON of a bare call, `functions.name:0{...}`; True if the
text may become markup; None if it is text.
"""


class MarkupScanner:
    """Scans one streamed text: the content or the reasoning.

    Args:
        offered: The tools of the request.
        moves: The channel of K3's markup whose text belongs to another field of the message: `think` in the content,
            `response` in the reasoning. None: all channels are text.

    Attributes:
        calls: The calls so far.
        removed: The number of removed runs of markers that contain no call.
        texts_after_call: The texts that were released after the last call.
        add_plain: Adds a text that contains no trigger; a fast alternative to `feed`.
    """

    def __init__(self, offered: OfferedTools, *, moves: str | None = None) -> None:
        self.calls: list[LeakedCall] = []
        self.removed = 0
        self.texts_after_call: list[str] = []
        self._offered = offered
        # The released text decides whether markup after it is quoted.
        self._quotes = QuoteTracker()
        self.add_plain = self._quotes.add
        # The end of the text that may become markup.
        self._pending = ""
        # The run of markup that is being parsed.
        self._run: Run | None = None
        # Whether the run follows a quotation that has ended, so that it is stray only at the end of the text.
        self._must_be_last = False
        # Whether the run is in a code block, so that it is only stray if the model ended the reply itself.
        self._must_be_clean = False
        # Whether the run follows a mark that is literal unless the text closes it, so that its calls are only calls at
        # the end of the text.
        self._is_after_mark = False
        # Whether the run is a call without markers.
        self._is_bare = False
        self._is_clean = False
        # The text that the current `feed` releases, and that of the other field.
        self._shown: list[str] = []
        self._moved: list[str] = []
        # Whether released text belongs to the other field, because of the last channel of K3's markup.
        self._moves = moves
        self._is_moving = False
        # Whether markers were quoted or broken before. Then further stray markers are probably words of the text.
        self._discusses_markup = False

    @property
    def is_idle(self) -> bool:
        """Whether there is no markup and no pending text."""
        return not (self.calls or self.removed or self._pending or self._run)

    @property
    def is_free(self) -> bool:
        """Whether no markup has begun, so that text without triggers passes."""
        return not (self._pending or self._run or self._is_moving or self.calls)

    @property
    def has_pending(self) -> bool:
        """Whether text is held back that may still be released."""
        return bool(self._pending)

    def feed(self, text: str) -> str:
        """Scan the next text and return the text that can be released."""
        if self.is_free and is_clear(text):
            self.add_plain(text)
            return text
        self._scan_on(text, 0)
        return self._pop_shown()

    def flush(self) -> str:
        """Release and return the pending text, because other output follows. A partial call stays pending."""
        if self._run is not None and self._run.is_done:
            self._scan_on(*self._finish_run(self._run, at_end=False))
        self._show(self._pending)
        self._pending = ""
        return self._pop_shown()

    def close(self, *, clean: bool) -> str:
        """Finish at the end of the text and return the rest of it.

        Args:
            clean: Whether the reply ended normally. If not, a call without its end marker is incomplete.
        """
        self._is_clean = clean
        while self._run is not None:
            self._run.close(clean=clean)
            self._scan_on(*self._finish_run(self._run, at_end=True))
        return self.flush()

    def pop_moved(self) -> str:
        """Return the released text that belongs to the other field, and forget it."""
        text = "".join(self._moved)
        self._moved.clear()
        return text

    def _pop_shown(self) -> str:
        text = "".join(self._shown)
        self._shown.clear()
        return text

    def _show(self, text: str) -> None:
        if text:
            self.add_plain(text)
            self.texts_after_call.append(text)
            (self._moved if self._is_moving else self._shown).append(text)

    def _scan_on(self, text: str, position: int) -> None:
        """Scan a text from a position on, and parse the runs of markup in it.

        This loop changes between the states: `_scan` reads text until a run begins, and the run reads markup until it
        ends.
        """
        if self._run is None and self._pending:
            text, position, self._pending = self._pending + text[position:], 0, ""
        while position < len(text):
            if self._run is None:
                position = self._scan(text, position)
            if self._run is None:
                return
            self._run.feed(text, position)
            if not self._run.is_done or self._needs_more(self._run):
                return
            text, position = self._finish_run(self._run, at_end=False)

    def _scan(self, text: str, position: int) -> int:
        """Release the text up to the first markup, and begin a run there.

        Returns:
            The position of the run, or the length of the text if it has none. Its end may then be pending.
        """
        shown = scanned = position
        while trigger := TRIGGER.search(text, scanned):
            start, scanned = trigger.span()
            markup = self._markup_at(text, start, shown)
            if markup is None:
                # This trigger is text. It is released with the text after it.
                continue
            if self._is_broken(text, start, markup):
                self._discusses_markup = True
                continue
            self._show(text[shown:start])
            shown = start
            if markup is True:
                self._pending = text[start:]
                return len(text)
            is_end = markup in _ENDS
            is_quoted = self._quotes.is_open(is_end=is_end) and not self._continues_json(markup)
            if is_quoted and not self._may_be_last(is_end=is_end):
                self._discusses_markup = True
            else:
                # In a text about the markup, the rest of the text is not held back.
                reads_turns = not (self._discusses_markup or is_quoted or self._quotes.last_character == " ")
                self._run = self._run_of(markup, start, reads_turns=reads_turns)
                self._must_be_last = is_quoted
                self._must_be_clean = is_quoted and not self._quotes.ends_block
                self._is_after_mark = is_quoted and not is_end
                self._is_bare = isinstance(markup, int)
                return start
        before = self._quotes.last_character if shown == position else text[shown - 1]
        unreleased = text[shown:]
        cut = min(partial_marker(unreleased), partial_bare_call(unreleased, before, self._offered.schemas))
        self._show(unreleased[:cut])
        self._pending = unreleased[cut:]
        return len(text)

    def _may_be_last(self, *, is_end: bool) -> bool:
        """Return whether quoted markup counts if it is the last text of the reply."""
        if is_end:
            return self._quotes.ends_block or self._quotes.is_in_fence or self._quotes.ends_quoted_sentence
        return not self._discusses_markup and self._quotes.may_be_literal

    def _run_of(self, markup: str | int, start: int, *, reads_turns: bool) -> "Run":
        """Return the parser for the markup: K3 has tags, and the earlier models have markers or bare calls.

        Healthy replies have no markup, and do not import the parsers.
        """
        if markup in _TAGS:
            from langchain_kimi._kimi.markup.tags import TagRun  # noqa: PLC0415 - imported when used

            return TagRun(self._offered, reads_turns=reads_turns)
        from langchain_kimi._kimi.markup.parser import MarkupRun  # noqa: PLC0415 - imported when used

        json_at = markup - start if isinstance(markup, int) else None
        return MarkupRun(self._offered, json_at, reads_turns=reads_turns)

    def _markup_at(self, text: str, start: int, shown: int) -> Markup:
        """Return the markup at a trigger.

        Args:
            text: The text.
            start: The position of the trigger.
            shown: The position up to which the text has been released.
        """
        if text.startswith(_OPENING, start):
            marker = marker_at(text, start)
            if marker is None and text[start + len(_OPENING) : start + len(_OPENING) + 1].isalnum():
                # A token of the prompt's format, as in texts about it.
                self._discusses_markup = True
            return None if marker in (ARGUMENTS_BEGIN, TAG_END) else marker
        before = self._quotes.last_character if start == shown else ""
        if before and TRIGGER.search(before + text[start : start + len(BARE)]) is None:
            return None
        return bare_call_at(text, start, self._offered.schemas)

    def _is_broken(self, text: str, start: int, markup: str | int | Literal[True]) -> bool:
        """Return whether the first characters of a tag or a bare call show that it is not one.

        This check comes first because a text may have tens of thousands of them, and it is faster than the check
        whether they are quoted.
        """
        if isinstance(markup, str):
            return markup in (TAG_OPEN, TAG_CLOSE) and BEGIN_OF_TAG.match(text, start) is None
        if markup is True:
            return False
        value = JSONValue(strict=True)
        value.feed(text[markup : markup + _LONGEST_BEGIN])
        return value.state == "broken"

    def _continues_json(self, markup: str | int) -> bool:
        """Return whether an end marker follows the end of JSON, as when the provider has cut off its beginning."""
        if markup not in _ENDS or self._discusses_markup:
            return False
        return _END_OF_JSON.search(self._quotes.last_characters) is not None

    def _finish_run(self, run: "Run", *, at_end: bool) -> tuple[str, int]:
        """Add the calls of a run, or release the run as text.

        Returns:
            A text, and the position in it from which to scan on.
        """
        self._run = None
        if any(call.is_certain for call in run.calls) and self._is_apart(run, at_end=at_end):
            self.calls += run.calls
            self._change_channel(run)
            self._show("".join(run.words))
            self.texts_after_call.clear()
        elif not run.calls and run.has_markup and self._is_stray(run, at_end=at_end):
            self.removed += 1
            self._change_channel(run)
        else:
            self._discusses_markup = True
            if run.has_markup:
                self._show(run.raw)
            else:
                # The run did not get beyond its first marker.
                opening = _OPENING if run.text.startswith(_OPENING, run.end) else BARE
                self._show(opening)
                return run.text, run.end + len(opening)
        return run.text, run.end

    def _is_apart(self, run: "Run", *, at_end: bool) -> bool:
        """Return whether the text around a run does not quote it."""
        if self._is_after_mark:
            are_whole = all(not call.error and isinstance(parsed(call.arguments or "{}"), dict) for call in run.calls)
            return at_end and self._is_clean and not run.rest.strip() and are_whole
        return not encloses(self._quotes.context, run.rest, is_bare=self._is_bare)

    def _needs_more(self, run: "Run") -> bool:
        """Return whether the text after a run with calls decides whether the text encloses it, and is too short yet."""
        if len(run.rest.lstrip()) >= ENOUGH_AFTER or not any(call.is_certain for call in run.calls):
            return False
        return may_enclose(self._quotes.context, is_bare=self._is_bare)

    def _change_channel(self, run: "Run") -> None:
        if run.channel and self._moves:
            self._is_moving = run.channel == self._moves

    def _is_stray(self, run: "Run", *, at_end: bool) -> bool:
        """Return whether a run without calls is a remnant of markup rather than part of a text about markup.

        A provider that parses calls may leave a single marker: "The sum is 5.<|tool_calls_section_end|>" has a stray
        one. "The marker <|tool_calls_section_end|> ends a section." is about it.
        """
        if self.calls and not self._is_after_mark:
            return True
        if self._discusses_markup or self._is_after_mark:
            return False
        before = self._quotes.last_characters
        if _END_OF_JSON.search(before) and run.is_end:
            return True
        blanks = _BLANKS.match(run.text, run.end)
        is_last = at_end and blanks is not None and blanks.end() == len(run.text)
        if (self._must_be_last and not is_last) or (self._must_be_clean and not self._is_clean):
            return False
        from langchain_kimi._kimi.markup.tags import TagRun  # noqa: PLC0415 - see `_run_of`

        if isinstance(run, TagRun):
            return _touches_text(run, before, run.tags, is_last=is_last)
        return _is_stray_marker(run, before, is_last=is_last)


def _is_stray_marker(run: "Run", before: str, *, is_last: bool) -> bool:
    """Return whether markers of K2's markup, at the end of the text or before more of it, are not words of the text."""
    markers = run.raw.count(_OPENING)
    if is_last:
        return not (run.is_end and markers == 1 and _IN_SENTENCE.search(before))
    return run.is_end and _touches_text(run, before, markers, is_last=False)


def _touches_text(run: "Run", before: str, markers: int, *, is_last: bool) -> bool:
    """Return whether markers touch the text around them. In a text about markers, a marker is set off like a word."""
    after = run.text[run.end : run.end + 1]
    if is_last:
        return not (before.endswith(" ") and markers == 1)
    if not before.strip():
        return markers > 1 or not (after == " " or after in ".,;:!?)")
    if before[-1:].isspace():
        return after.isalnum() or (markers > 1 and not after.isspace())
    return _ENDS_TEXT.match(before[-1]) is not None
