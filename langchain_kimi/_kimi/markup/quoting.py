"""Track whether the end of a Markdown text is inside code or a quotation.

Markup of tool calls that a model quotes is text, not a call. These texts are open, so markup after them is quoted:

* 'Use `' (inline code), a line "```" before (a code block), four spaces after a blank line (indented code)
* 'He wrote "', "«", "(" and "[" directly before the markup (a quotation)
* "<code>" (HTML), "> " (a block quotation), "| a |" (the row of a table)

`QuoteTracker` has the state of the whole text, which is the code fence, and `_Line` has that of a line. `BlockTracker`
has the blocks of other formats.
"""

import re
from functools import cached_property

from langchain_kimi._kimi.markup.blocks import BlockTracker
from langchain_kimi._kimi.markup.brackets import BracketTracker
from langchain_kimi._kimi.markup.enclosing import LONGEST_BEFORE
from langchain_kimi._patterns import lazy_pattern

_FENCE = lazy_pattern(r" {0,3}(?:[-*+>]\s+|\d+[.)]\s+)*(`{3,}|~{3,})")
# A backslash escapes a backtick, but not in code.
_BACKTICKS = lazy_pattern(r"(\\?)(`+)")
_TAG = lazy_pattern(
    r"<(/?)(?:code|pre|samp|kbd|tt|textarea|example|xmp|script|style|blockquote|nowiki|syntaxhighlight|CodeBlock)"
    r"(?=[\s>])"
)
# At the end of a text, a quotation mark may be the mark of an inch, and a backslash may escape the next character.
_QUOTE = lazy_pattern(r'\\.|\\\Z|"', re.DOTALL)
_UNSETTLED = lazy_pattern(r"(?:\\?`+|</?[a-zA-Z]{0,16}|\\)\Z")
"""Backticks, a backslash or a tag at the end of a text, which may continue after it."""

_ENGLISH = ("\u201c", "\u201d")
_GERMAN = ("\u201e", "\u201c\u201d")
_PAIRS = (_ENGLISH, _GERMAN, ("«", "»"), ("\u2039", "\u203a"), ("「", "」"), ("『", "』"))
"""Opening marks, each with its closing marks."""
# In German and Danish, these marks close a quotation: »so«.
_REVERSED = lazy_pattern(r"(?<=[\w.,!?…])[«\u2039]")
_BLOCK_SCALAR = lazy_pattern(r":\s[|>][-+]?\s*$")
_INDENTATION = 4
_LIST_ITEM = lazy_pattern(r"\s*(?:[-*+]|\d{1,9}[.)])\s{1,4}(?=\S)")
_BAR = lazy_pattern(r"(?<![<\\])\|(?!>)")
"""The bar between cells of a table, but not the one in a marker."""
_QUOTED_LINES = frozenset(">|")
"""The first characters of lines in a block quotation or a table."""
_MARKS = frozenset('`">\\')
"""The last characters of a mark directly before markup."""
_ENDS_OF_SENTENCES = frozenset(".!?\u2026\u3002\uff01\uff1f")
_MAX_UNSETTLED = 4096
"""The maximum number of characters that are read again with the next text. It keeps the time linear."""
_ENDING = 8
"""The number of characters at the end of a line that the patterns for its end can see."""
_LONGEST_MARK, _MOST_PIECES = 64, 64
"""The number of characters and of pieces at the beginning of a line that may be the mark of a list item."""


class QuoteTracker:
    """Tracks a streamed Markdown text. Text is only parsed when `is_open` is called, each character once.

    Attributes:
        add: Adds a text, which must not be empty.
        context: The last characters of the text that `is_open` has read.
    """

    def __init__(self) -> None:
        self.context = ""
        self._unread: list[str] = []
        # The method itself, without a wrapper: it is called for nearly every delta.
        self.add = self._unread.append
        # The opening fence of the current code block, such as "```", or an empty string.
        self._fence = ""

    @cached_property
    def _blocks(self) -> BlockTracker:
        """The blocks of other formats. Most texts have no markup, so they are never parsed."""
        return BlockTracker()

    @cached_property
    def _line(self) -> "_Line":
        """The current line, without the texts in `_unread`."""
        return _Line(None)

    @property
    def last_character(self) -> str:
        """The last character, or an empty string at the beginning of a line."""
        return (self._unread[-1] if self._unread else self._line.ending)[-1:]

    @property
    def last_characters(self) -> str:
        """The last characters of the line, at most eight."""
        text = ""
        for piece in reversed(self._unread):
            text = piece[-_ENDING:] + text
            if len(text) >= _ENDING:
                return text[-_ENDING:]
        return (self._line.ending + text)[-_ENDING:]

    @property
    def is_in_fence(self) -> bool:
        """Whether the text that `is_open` has read ends inside a fenced code block."""
        return bool(self._fence)

    @property
    def ends_block(self) -> bool:
        """Whether the text ends with the end of a code block or of a table's row. Text after it is not quoted.

        It is true of the text that `is_open` has read.
        """
        if not self._fence:
            return self._line.ends_row
        fence = self._line.fence if self._line.length <= _MAX_UNSETTLED else None
        return fence is not None and fence[1].startswith(self._fence) and fence.end() == len(fence.string.rstrip())

    @property
    def may_be_literal(self) -> bool:
        """Whether a text is only open after a backtick, a quotation mark or a code tag, and other text after it.

        If nothing closes them, they are characters of the text, as in "Press the ` key." It is true of the text that
        `is_open` has read.
        """
        return not (self._fence or self._blocks.is_open) and self._line.may_be_literal

    @property
    def ends_quoted_sentence(self) -> bool:
        """Whether the text that `is_open` has read ends with the end of a sentence in a block quotation."""
        return not self._fence and self._line.first == ">" and self._line.ending[-1:] in _ENDS_OF_SENTENCES

    @property
    def _is_in_code_block(self) -> bool:
        """Whether the text is in a fenced code block, and does not end with its closing fence."""
        return bool(self._fence) and not self.ends_block

    def is_open(self, *, is_end: bool = False) -> bool:
        """Return whether the next text would be in a code block, inline code or a quotation.

        Args:
            is_end: Whether the text is an end marker, which may follow a bracket of cut-off JSON.
        """
        unread = "".join(self._unread)
        self._unread.clear()
        self.context = (self.context + unread[-LONGEST_BEFORE:])[-LONGEST_BEFORE:]
        first, *others = unread.split("\n")
        self._add(first)
        for text in others:
            self._line.add("\n")
            if self._fence or not self._blocks.is_open:
                self._read_fence()
            self._blocks.end_line()
            # A line in a code block is not a list item.
            self._line = _Line(self._line, self._line.outer_offset if self._fence else self._line.offset)
            self._add(text)
        if self._fence:
            return self._is_in_code_block
        return self._blocks.is_open or self._line.is_open(is_end=is_end)

    def _add(self, text: str) -> None:
        if text:
            self._line.add(text)
            if not self._fence:
                self._blocks.add(text)

    def _read_fence(self) -> None:
        """Open or close a code fence if the line is one."""
        fence = self._line.fence
        if not fence:
            return
        line, mark = fence.string, fence[1]
        if not self._fence:
            # A fence of backticks with backticks after it is inline code.
            self._fence = "" if mark[0] == "`" and "`" in line[fence.end() :] else mark
        elif mark.startswith(self._fence) and not line[fence.end() :].strip():
            self._fence = ""


class _Line:
    """Tracks the code and the quotations that are open in a line.

    A backtick or a tag at the end may continue in the next text: "`" may be half of "``". This end is unsettled: it is
    read again with the next text, and `is_open` reads it as if the text ended there.

    Attributes:
        pieces: The texts of the line.
        length: The number of their characters.
        ending: The last eight characters.
        first: The first character that is not blank; empty as long as the line is blank.
        open: Whether each pair of quotation marks is open.
        is_german: Whether an opening German quotation mark has occurred. Its closing mark is the English opening mark.
        tags: The number of open code tags.
        is_in_block: Whether code tags were open at the beginning of the line.
        outer_offset: The number of columns before the text of the list item around the line.
    """

    def __init__(self, before: "_Line | None", outer_offset: int = 0) -> None:
        """Begin a line. Paired quotation marks continue from the line before, up to the end of the paragraph."""
        self.outer_offset = outer_offset
        self.pieces: list[str] = []
        self.length = 0
        self.ending = ""
        self.first = ""
        self._brackets = BracketTracker()
        # The blanks at the beginning of the line.
        self._indented = ""
        # The end of the text that may continue, and the state before it: the open run of backticks, and the last
        # character.
        self._unsettled = ""
        self._backticks = ""
        self._last = ""
        # A quotation mark or a backslash at the end, the character before it, and whether straight quotation marks are
        # open there.
        self._quote = ""
        self._before_quote = ""
        self._in_quotes = False
        continues = before is not None and not before.is_blank
        # The number of bars in the row of a table before this line.
        self._bars: int = before.bars if before is not None and before.first == "|" else 0
        self.open: dict[tuple[str, str], bool] = (
            dict(before.open) if before and continues else dict.fromkeys(_PAIRS, False)
        )
        self.is_german: bool = before is not None and continues and before.is_german
        self._may_be_code = before is not None and (before.is_blank or before.is_code or before.begins_scalar)
        self._follows_colons = before is not None and before.leads_to_literal
        # A tag within a line may only be mentioned there. A tag at the beginning of a line is HTML, which continues on
        # the next lines.
        continues = before is not None and (before.first == "<" or before.is_in_block)
        self.tags: int = before.tags if before and continues else 0
        self.is_in_block: bool = self.tags > 0

    @property
    def is_blank(self) -> bool:
        """Whether the line is blank."""
        return not self.first

    @property
    def is_code(self) -> bool:
        """Whether the line is indented code, which needs a blank line or indented code before it."""
        # The text of a list item may be indented, but a line that begins with markup is code.
        offset = self.outer_offset if self.first not in ("", "<") else 0
        least = offset + (1 if self._follows_colons else _INDENTATION)
        return self._may_be_code and len(self._indented.expandtabs(_INDENTATION)) >= least

    @property
    def offset(self) -> int:
        """The number of columns before the text of the list item to which the line belongs, or 0."""
        if self.is_blank:
            return self.outer_offset
        item = _LIST_ITEM.match("".join(self.pieces[:_MOST_PIECES])[:_LONGEST_MARK])
        if item and not self.is_code:
            return len(item[0].expandtabs(_INDENTATION))
        return min(self.outer_offset, len(self._indented.expandtabs(_INDENTATION)))

    @property
    def fence(self) -> re.Match[str] | None:
        """The fence of a code block with which the line begins. In a list item, it is indented."""
        return _FENCE.match("".join(self.pieces)[min(self.outer_offset, len(self._indented)) :])

    @property
    def bars(self) -> int:
        """The number of bars in the line, which separate the cells of a table; 0 if the line is long."""
        return 0 if self.length > _MAX_UNSETTLED else len(_BAR.findall("".join(self.pieces)))

    @property
    def begins_scalar(self) -> bool:
        """Whether the indented lines that follow are a block scalar of YAML."""
        return _BLOCK_SCALAR.search(self.ending) is not None

    @property
    def leads_to_literal(self) -> bool:
        """Whether indented text after a blank line is literal, as after `::` in reStructuredText."""
        if self.is_blank or self.is_code:
            return self._follows_colons
        is_directive = self.first == "." and "::" in "".join(self.pieces)
        return is_directive or self.begins_scalar or self.ending.rstrip().endswith("::")

    @property
    def ends_row(self) -> bool:
        """Whether the line is a whole row of a table."""
        is_row = self.first == "|" and self.ending.endswith("|") and self.ending != "|"
        return is_row and not _in_backticks(self._unsettled, self._backticks)

    @property
    def ends_last_cell(self) -> bool:
        """Whether the line is a row with as many cells as the row before it."""
        return self._bars > 0 and self.ends_row and self.bars == self._bars

    def add(self, text: str) -> None:
        """Add a text."""
        self.pieces.append(text)
        self.length += len(text)
        self._read_quotes(text)
        self._brackets.add(self.ending, text)
        self.ending = (self.ending + text)[-_ENDING:]
        if not self.first:
            written = text.lstrip()
            self._indented += text[: len(text) - len(written)].rstrip("\n")
            self.first = written[:1]
        text = self._unsettled + text
        unsettled = _UNSETTLED.search(text, max(0, len(text) - _MAX_UNSETTLED))
        settled = text[: unsettled.start()] if unsettled else text
        self._unsettled = text[len(settled) :]
        self._backticks = _in_backticks(settled, self._backticks)
        self.tags += _opened(settled)
        before, self._last = self._last, settled[-1:] or self._last
        self.is_german = self.is_german or _GERMAN[0] in settled
        settled = _REVERSED.sub("", before + settled)[len(before) :]
        for pair in _PAIRS:
            opening, closing = settled.rfind(pair[0]), max(map(settled.rfind, pair[1]))
            if opening != closing:
                self.open[pair] = opening > closing

    def is_open(self, *, is_end: bool = False) -> bool:
        """Return whether inline code or a quotation is open, or the whole line is quoted."""
        if (self.first in _QUOTED_LINES and not self.ends_last_cell) or self.is_code:
            return True
        return self._is_after_mark or self._brackets.is_open(self.ending, is_end=is_end) or self._in_pair()

    @property
    def may_be_literal(self) -> bool:
        """Whether only marks that may be literal are open, and other text follows them."""
        if self.first in _QUOTED_LINES or self.is_code or self.is_in_block or self._in_pair():
            return False
        is_apart = self.ending[-1:] not in _MARKS and not self._brackets.is_open(self.ending, is_end=False)
        return is_apart and self._is_after_mark

    @property
    def _is_after_mark(self) -> bool:
        """Whether inline code, straight quotation marks or a code tag are open."""
        if _in_backticks(self._unsettled, self._backticks) or self._is_in_quotes:
            return True
        return self.tags + _opened(self._unsettled) > 0

    def _read_quotes(self, text: str) -> None:
        """Read straight quotation marks. Escaped ones do not count."""
        text = self._quote + text
        self._quote = ""
        for quote in _QUOTE.finditer(text):
            start, end = quote.span()
            if end == len(text) and quote[0] in ('"', "\\"):
                self._quote = quote[0]
            elif quote[0] == '"':
                self._in_quotes = self._opens_quotes(text[start - 1] if start else self._before_quote, text[end])
        self._before_quote = text[: len(text) - len(self._quote)][-1:] or self._before_quote

    def _opens_quotes(self, before: str, after: str) -> bool:
        """Return whether a quotation is open after the mark between two characters. Inch marks do not open one."""
        return not (self._in_quotes or before.isdigit() or after.isspace())

    @property
    def _is_in_quotes(self) -> bool:
        """Whether straight quotation marks are open, also by the last character."""
        return self._opens_quotes(self._before_quote, "") if self._quote == '"' else self._in_quotes

    def _in_pair(self) -> bool:
        # The German closing mark is the English opening mark.
        other = _ENGLISH if self.is_german else _GERMAN
        return any(is_open for pair, is_open in self.open.items() if pair != other)


def _in_backticks(text: str, opened: str) -> str:
    """Return the run of backticks that is open after a text, or an empty string.

    Args:
        text: The text.
        opened: The run of backticks that is open before the text.
    """
    for backslash, run in _BACKTICKS.findall(text):
        if not opened:
            opened = run[len(backslash) :]
        elif run == opened:
            opened = ""
    return opened


def _opened(text: str) -> int:
    """Return the number of code tags that a text opens, minus those that it closes."""
    return sum(-1 if slash else 1 for slash in _TAG.findall(text))
