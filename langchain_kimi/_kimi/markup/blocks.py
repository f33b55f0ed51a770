"""Track whether the end of a text is inside a comment, a verbatim text, or a string that can contain any characters."""

import re

_TOKEN = re.compile(
    r"`+|<!--|<#|<!\[CDATA\[|--\[\[|\{[-#]\s|\"\"\"|'''|\{%-?\s*(raw|verbatim)\s*-?%\}"
    r"|\\begin\{(\w{0,16}(?:verbatim|Verbatim|listing|minted|alltt|comment|code)\w{0,16})\*?\}"
    r"|\\(?:verb|lstinline|mintinline\{\w+\})\*?([^\w\s*{\[])"
)
_CLOSERS = {
    "<!--": "-->",
    "<#": "#>",
    "<![CDATA[": "]]>",
    "--[[": "]]",
    "{-": "-}",
    "{#": "#}",
    '"""': '"""',
    "'''": "'''",
}
# At the end of a text: the beginning of a token, or of the end of a block.
_PARTIAL = re.compile(
    r"(?:`+|\"+|'+|<#?|<?!?-*|-+\[?|\{(?:[-#]|%-?\s*\w*\s*-?%?)?|#|<!\[[CDAT]*\[?"
    r"|\*+|\\(?:verb|lstinline|mintinline\{\w*\})\*?[^\w\s*]?|\\[a-z]*\*?\{?\w*\*?|\]+|<?\|)\Z"
)
_LONGEST_PARTIAL = 32
_PIPE = r"(?<!<)\|(?!>)"
"""The delimiter `|` of `\\verb`, but not the one in a marker such as `<|open|>`."""
# Line comments begin a line, or follow code after two blanks. `/*` begins a line, because `src/*` is not a comment.
_COMMENT_LINE = re.compile(r"\s*(?:#\s|//|%|--\s+\w|;|(?:REM|dnl)\s)")
_COMMENT_BLOCK = re.compile(r"\s*/\*|=begin\b")
_COMMENT_AFTER_CODE = re.compile(r"\S {2,}(?:#|//|--) |; ?-- ")
_COMMENT_IN_LINE = re.compile(
    # A comment sign directly before the end of the text: only a comment begins this close to markup.
    r"(?:^|[\s;{}()\[\]])(?:#+|//+)\s?$|^\s*[\"'!]\s$"
    # After code, with one blank.
    r"|(?:[;{})\]]|\s=\s.*\S)\s+(?:#|//)\s|(?:^|[\s;{})\]])/\*(?:(?!\*/).)*$"
    # LaTeX and MATLAB. A percent sign after a number does not begin a comment.
    r"|(?:(?:[}&]|\\\\)\s*|[;\])]\s+|\\[a-zA-Z]+\s*|^\s*\\.*[^\\\d\s]\s*)%"
    r"|^\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|FROM|WHERE|JOIN)\b.*\s--\s"
)
"""A comment that begins in the last characters of a line."""
_CUT_OFF = "\0"
_HEREDOC = re.compile(r"<<[-~]?(?:'(\w+)'|\"(\w+)\"|\s*(EO[A-Z]|END|HEREDOC)\b)")
_LONGEST_TAIL = 128
_LONGEST_INDENTATION = 64


class BlockTracker:
    """Tracks a text that arrives in pieces. It ignores Markdown code, which the caller tracks."""

    def __init__(self) -> None:
        self._closer: re.Pattern[str] | None = None
        self._is_verb = False
        self._backticks = ""
        self._carry = ""
        self._head = ""
        self._ending = ""
        self._tail = ""
        self._heredoc = ""
        self._is_comment = False
        self._began_comment = False

    @property
    def is_open(self) -> bool:
        """Whether the next text would be in a comment, a verbatim text, a heredoc or a triple-quoted string."""
        if self._is_comment or self._heredoc:
            return True
        closer, backticks = self._state_after(self._carry, self._closer, self._backticks)
        if closer is not None:
            return True
        before = _CUT_OFF if len(self._tail) == _LONGEST_TAIL else ""
        return not backticks and _COMMENT_IN_LINE.search(before + self._tail) is not None

    def add(self, text: str) -> None:
        """Add a text without line breaks."""
        is_beginning = len(self._head) < _LONGEST_INDENTATION
        if is_beginning:
            self._head += text[:_LONGEST_INDENTATION]
        if self._heredoc:
            return
        self._tail = (self._tail + text)[-_LONGEST_TAIL:]
        if is_beginning:
            if not (self._closer or self._began_comment) and _COMMENT_BLOCK.match(self._head):
                self._began_comment, self._carry = True, ""
                is_ruby = self._head.startswith("=begin")
                self._closer = re.compile(r"=end\b" if is_ruby else r"\*/")
                text = self._head.partition("=begin" if is_ruby else "/*")[2] + text[_LONGEST_INDENTATION:]
            self._is_comment = self._is_comment or _COMMENT_LINE.match(self._head) is not None
        self._is_comment = self._is_comment or _COMMENT_AFTER_CODE.search(self._ending + text) is not None
        self._ending = (self._ending + text)[-8:]
        text = self._carry + text
        partial = _PARTIAL.search(text, max(0, len(text) - _LONGEST_PARTIAL))
        settled = partial.start() if partial else len(text)
        self._carry = text[settled:]
        self._closer, self._backticks = self._state_after(text[:settled], self._closer, self._backticks)

    def end_line(self) -> None:
        """Add a line break."""
        if self._heredoc:
            self._heredoc = "" if self._head.strip() == self._heredoc else self._heredoc
            self._head = ""
            return
        self._closer, self._backticks = self._state_after(self._carry, self._closer, self._backticks)
        if self._closer is not None and self._is_verb:
            self._closer = None
        if self._closer is None and not self._is_comment and (heredoc := _HEREDOC.search(self._tail)):
            self._heredoc = next(filter(None, heredoc.groups()))
        self._tail = self._carry = self._head = self._ending = self._backticks = ""
        self._is_comment = self._began_comment = False

    def _state_after(
        self, text: str, closer: re.Pattern[str] | None, backticks: str
    ) -> tuple[re.Pattern[str] | None, str]:
        """Return the pattern that closes the block, and the open backticks, after a text."""
        position = 0
        while token := (closer or _TOKEN).search(text, position):
            position = token.end()
            if closer is not None:
                closer = None
            elif token[0].startswith("`"):
                backticks = "" if token[0] == backticks else backticks or token[0]
            elif not backticks:
                self._is_verb = token[3] is not None
                closer = _closer_of(token)
        return closer, backticks


def _closer_of(token: re.Match[str]) -> re.Pattern[str]:
    """Return the pattern that closes the block that a token opens."""
    if token[1]:
        return re.compile(rf"\{{%-?\s*end{token[1]}\s*-?%\}}")
    if token[2]:
        return re.compile(rf"\\end\{{{token[2]}\*?\}}")
    if token[3]:
        return re.compile(_PIPE if token[3] == "|" else re.escape(token[3]))
    return re.compile(re.escape(_CLOSERS[token[0].rstrip()]))
