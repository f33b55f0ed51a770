"""Track whether the end of a text is inside a comment, a verbatim text, or a string that can contain any characters."""

import re

from langchain_kimi._patterns import lazy_pattern

# The lookahead takes a third of the time of an attempt at each alternative.
_TOKEN = lazy_pattern(
    r"(?=[\\`<\-{\"'Rr\[AD])(?:"
    r"\\?`+|<!--|<#|<%--|<%#|<!\[CDATA\[|--\[\[|\{\{!--|\{\{/\*|\{-\s|\{#[-\s]|\"\"\"|'''"
    r"|\{%-?\s*(raw|verbatim|comment|highlight)(?:\s[^%]{0,32})?-?%\}"
    r"|\\begin\{(\w{0,16}(?:verbatim|Verbatim|listing|minted|alltt|comment|code)\w{0,16})\*?\}"
    r"|\\(?:[vV]erb|lstinline|path|mintinline\{\w+\})\*?([^\w\s*{\[])"
    r"|\bR\"(?P<delimiter>\w{0,16})\(|\br(?P<signs>#{1,4})\"|\[(?P<level>={1,4})\[|\b(?:AS|DO)\s{1,4}(?P<dollars>\$\w{0,16}\$))"
)
_CLOSERS = {
    "<!--": "-->",
    "<#": "#>",
    "<%--": "--%>",
    "<%#": "%>",
    "<![CDATA[": "]]>",
    "--[[": "]]",
    "{{!--": "--}}",
    "{{/*": "*/}}",
    "{-": "-}",
    "{#": "#}",
    "{#-": "#}",
    '"""': '"""',
    "'''": "'''",
}
_LONGEST_TOKEN = 64
_PIPE = r"(?<!<)\|(?!>)"
"""The delimiter `|` of `\\verb`, but not the one in a marker such as `<|open|>`."""
# Line comments begin a line, or follow code after two blanks. `/*` begins a line, because `src/*` is not a comment.
# A colon or two dots and a blank begin a literal line of Org and a comment of reStructuredText.
_COMMENT_LINE = lazy_pattern(r"\s*(?:#\s|//|%|--\s+\w|;|::?\s|(?:REM|dnl)\s)|\.\.\s")
_BLOCK_AT_BEGINNING = lazy_pattern(
    r"\s*(?:/\*|=begin\b|\(\*\s|@\*\s|#=|#\||\[(code|quote|pre|noparse)(?:=[^\]]{0,32})?\]"
    r"|\{(code|noformat|quote)(?::[^}]{0,32})?\}|#\+(?:begin|BEGIN)_)"
)
"""The beginning of a comment or a literal text that must begin a line."""
_CLOSERS_AT_BEGINNING = {
    "/*": r"\*/",
    "=begin": r"=end\b",
    "(*": r"\*\)",
    "@*": r"\*@",
    "#=": "=#",
    "#|": r"(?<!<)\|#",
    "#+begin_": r"#\+(?:end|END)_",
}
_COMMENT_AFTER_CODE = lazy_pattern(r"\S {2,}(?:#|//|--) |; ?-- ")
_INLINE_CODE = lazy_pattern(r"`[^`]*(?:`|$)")
_COMMENT_IN_LINE = lazy_pattern(
    # A comment sign directly before the end of the text: only a comment begins this close to markup.
    r"(?:^|[\s;{}()\[\]])(?:#+|//+)\s?$|^\s*[\"'!]\s$"
    # After code, with one blank.
    r"|(?:[;{})\]]|\s=\s.*\S)\s+(?:#|//)\s"
    # LaTeX and MATLAB. A percent sign after a number does not begin a comment.
    r"|(?:(?:[}&]|\\\\)\s*|[;\])]\s+|\\[a-zA-Z]+\s*|^\s*\\.*[^\\\d\s]\s*)%"
    r"|^\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|FROM|WHERE|JOIN)\b.*\s--\s"
)
"""A comment that begins in the last characters of a line."""
_COMMENT_SIGN = lazy_pattern(r"[#%\"'!]|//|--")
"""A part of each match of `_COMMENT_IN_LINE`. Most lines have none, and this search is faster."""
_BLOCK_IN_LINE = lazy_pattern(r"(?:^|[\s;{})\]])/\*(?:(?!\*/).)*$")
_CUT_OFF = "\0"
_HEREDOC = lazy_pattern(
    r"<<[-~]?(?:'(\w+)'|\"(\w+)\"|\s*(EO[A-Z]|END|HEREDOC)\b)|<<~(\w+)\b|<<<['\"]?(\w+)['\"]?$|@(['\"])$|=\s?('')$"
)
_SIGNS = ("+", "-", " ", "\\")
_HUNK = lazy_pattern(r"@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@")
"""The head of a part of a diff. The lines of the part begin with a sign or a blank."""
_LONGEST_TAIL = 128
_LONGEST_INDENTATION = 64


class BlockTracker:
    """Tracks a text that arrives in pieces. It ignores Markdown code, which the caller tracks."""

    def __init__(self) -> None:
        self._closer: re.Pattern[str] | None = None
        # Whether the block ends with its line.
        self._is_of_line = False
        self._backticks = ""
        # The end of the text, where a token may continue.
        self._carry = ""
        self._head = ""
        self._ending = ""
        self._tail = ""
        self._heredoc = ""
        self._is_comment = False
        self._began_block = False
        self._is_in_hunk = False

    @property
    def is_open(self) -> bool:
        """Whether the next text would be in a comment, a verbatim text, a diff, a heredoc or a long string."""
        if self._is_comment or self._heredoc or (self._is_in_hunk and self._head[:1] in _SIGNS):
            return True
        closer, backticks, _ = self._state_after(self._carry, self._closer, self._backticks, is_end=True)
        if closer is not None:
            return True
        tail = (_CUT_OFF if len(self._tail) == _LONGEST_TAIL else "") + self._tail
        if backticks:
            return False
        if _COMMENT_SIGN.search(tail) and _COMMENT_IN_LINE.search(tail):
            self._is_comment = True
        return self._is_comment or ("/*" in tail and _BLOCK_IN_LINE.search(tail) is not None)

    def add(self, text: str) -> None:
        """Add a text without line breaks."""
        is_beginning = len(self._head) < _LONGEST_INDENTATION
        if is_beginning:
            self._head += text[:_LONGEST_INDENTATION]
        if self._heredoc:
            return
        self._tail = (self._tail + text)[-_LONGEST_TAIL:]
        if is_beginning:
            begun = None if self._closer or self._began_block else _BLOCK_AT_BEGINNING.match(self._head)
            if begun:
                self._began_block, self._carry = True, ""
                self._is_of_line = begun[0].lstrip().startswith("(*")
                self._closer = _closer_of_beginning(begun)
                text = self._head[begun.end() :] + text[_LONGEST_INDENTATION:]
            self._is_comment = self._is_comment or _COMMENT_LINE.match(self._head) is not None
        if not (self._backticks or self._is_comment):
            self._is_comment = _COMMENT_AFTER_CODE.search(_INLINE_CODE.sub("", self._ending + text)) is not None
        ending = (self._ending + text)[-8:]
        text = self._carry + text
        self._closer, self._backticks, position = self._state_after(text, self._closer, self._backticks)
        self._carry = text[position:]
        # A sign in code does not begin a comment.
        self._ending = "" if self._backticks else ending

    def end_line(self) -> None:
        """Add a line break."""
        if self._heredoc:
            self._heredoc = "" if self._head.strip().rstrip(";,)") == self._heredoc else self._heredoc
            self._head = ""
            return
        self._closer, self._backticks, _ = self._state_after(self._carry, self._closer, self._backticks, is_end=True)
        if self._is_of_line:
            self._closer = None
        if self._closer is None and not self._is_comment and (heredoc := _HEREDOC.search(self._tail)):
            name = next(filter(None, heredoc.groups()))
            self._heredoc = f"{name}@" if heredoc[6] else name
        self._is_in_hunk = self._head[:1] in _SIGNS if self._is_in_hunk else _HUNK.match(self._head) is not None
        self._tail = self._carry = self._head = self._ending = self._backticks = ""
        self._is_comment = self._began_block = False

    def _state_after(
        self, text: str, closer: re.Pattern[str] | None, backticks: str, *, is_end: bool = False
    ) -> tuple[re.Pattern[str] | None, str, int]:
        """Return the pattern that closes the block, and the open backticks, after a text.

        Returns:
            Both, and the position from which the text must be read again with the next one, unless `is_end` is true.
        """
        position = 0
        while token := (closer or _TOKEN).search(text, position):
            if not is_end and token.end() == len(text) and len(token[0]) < _LONGEST_TOKEN:
                return closer, backticks, max(position, min(token.start(), len(text) - _LONGEST_TOKEN))
            position = token.end()
            if closer is not None:
                closer = None
            elif token[0].endswith("`"):
                backticks = _backticks_after(token[0], backticks)
            elif not backticks:
                self._is_of_line = token[3] is not None
                closer = _closer_of(token)
        return closer, backticks, max(position, len(text) - _LONGEST_TOKEN)


def _backticks_after(run: str, opened: str) -> str:
    """Return the open run of backticks after another run. A backslash before it escapes a backtick, but not in code."""
    if opened:
        return "" if run.lstrip("\\") == opened else opened
    return run[2:] if run.startswith("\\") else run


def _closer_of(token: re.Match[str]) -> re.Pattern[str]:
    """Return the pattern that closes the block that a token opens."""
    if token[1]:
        return re.compile(rf"\{{%-?\s*end{token[1]}\s*-?%\}}")
    if token[2]:
        return re.compile(rf"\\end\{{{token[2]}\*?\}}")
    if token[3]:
        return re.compile(_PIPE if token[3] == "|" else re.escape(token[3]))
    parts = {"delimiter": '){}"', "signs": '"{}', "level": "]{}]", "dollars": "{}"}
    for name, form in parts.items():
        if token[name] is not None:
            return re.compile(re.escape(form.format(token[name])))
    return re.compile(re.escape(_CLOSERS[token[0].rstrip()]))


def _closer_of_beginning(begun: re.Match[str]) -> re.Pattern[str]:
    """Return the pattern that closes a block that begins a line."""
    if begun[1]:
        return re.compile(rf"\[/{begun[1]}\]")
    if begun[2]:
        return re.compile(rf"\{{{begun[2]}\}}")
    return re.compile(_CLOSERS_AT_BEGINNING[begun[0].strip().lower()])
