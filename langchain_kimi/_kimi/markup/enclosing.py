"""Decide whether a text encloses markup: it opens something directly before the markup and closes it directly after.

Kimi's turn ends after its calls. If the text goes on and closes what it opened before a call, the text quotes the call:

* `<answer>…</answer>`, `<p>See …</p>` (XML), `+…+` (AsciiDoc), `=…=` (Org)
* lines such as `----`, `....` (AsciiDoc), `:::` or `@example` before and after the call
* a dash or an arrow before and after the call
* `(see …)`, `**see …**`
* words before and after a call without markers on the same line, as in a log
"""

from langchain_kimi._patterns import lazy_pattern

LONGEST_BEFORE = 96
"""The number of characters before the markup that are read."""
ENOUGH_AFTER = 4
"""The number of characters after the markup, other than white space, that are read."""

_OPENING = r"<(?![\w:.-]*(?:tool|function|call|invoke|action))([a-zA-Z][\w:.-]{0,32})(?:\s[^<>]{0,64})?>"
"""An XML tag. Models put their own calls into tags such as `<tool_call>`."""
_TAG = lazy_pattern(_OPENING + r"\s{0,8}\Z")
"""An XML tag directly before the markup."""
_ANY_TAG = lazy_pattern(_OPENING + r"|</([a-zA-Z][\w:.-]{0,32})\s{0,8}>")
_MARK = lazy_pattern(r"(?<![\w+=\u00b4\u2019\u201d|$%/#<\u226a])([+=\u00b4\u2019\u201d|$%/#<\u226a])\1{0,2}\Z")
_CLOSING = {"<": ">", "\u226a": "\u226b"}
_BETWEEN = lazy_pattern(r"(?:^|\s)([\u2014\u2013\u2192\u21d2]|--|->|=>)\s?\Z")
"""A dash or an arrow before the markup."""
_LINE = lazy_pattern(
    r"(?:\A|\n)[ \t]*(?:((?P<sign>[-.=+/_*:~%&^])(?P=sign){2,}|\$\$)[ \t]*[\w-]{0,32}|([.@=])[a-z]\w{1,32}[^\n]{0,48})"
    r"[ \t]*\n\s*\Z"
)
"""A line before the markup that begins a block."""
_WITH_WORDS = {
    "'": lazy_pattern(r"(?:\A|[\s(=\[{,:])'[^'\n]*\Z"),
    ")": lazy_pattern(r"\([^()\n]*\Z"),
    "]": lazy_pattern(r"\[[^\[\]\n]*\Z"),
    "}": lazy_pattern(r"\{[^{}\n]*\Z"),
    "**": lazy_pattern(r"\*\*[^*\n]*\Z"),
    "__": lazy_pattern(r"__[^_\n]*\Z"),
}
"""Marks with words between them and the markup, by the closing mark, which directly follows the markup."""
_WORDS_BEFORE = lazy_pattern(r"\w[,:]? \Z")
_WORDS_AFTER = lazy_pattern(r"[ \t]+[^\WA-Z]")


def may_enclose(before: str, *, is_bare: bool) -> bool:
    """Return whether a text before markup may open something, so that the text after the markup decides.

    Args:
        before: The last characters of the text before the markup.
        is_bare: Whether the markup is a call without markers.
    """
    if is_bare and _WORDS_BEFORE.search(before):
        return True
    if "<" in before and _open_elements(before):
        return True
    return any(pattern.search(before) for pattern in (_TAG, _MARK, _BETWEEN, _LINE, *_WITH_WORDS.values()))


def encloses(before: str, after: str, *, is_bare: bool) -> bool:
    """Return whether a text before markup opens something that the text after the markup closes.

    Args:
        before: The last characters of the text before the markup.
        after: The first characters of the text after the markup.
        is_bare: Whether the markup is a call without markers.
    """
    written = after.lstrip()
    if is_bare and _WORDS_BEFORE.search(before) and _WORDS_AFTER.match(after):
        return True
    if written.startswith("</") and (_TAG.search(before) or _closes_element(before, written)):
        return True
    if _are_marks(before, after):
        return True
    return "\n" in after[: len(after) - len(written)] and _are_lines(before, written)


def _open_elements(before: str) -> set[str]:
    """Return the names of the XML elements that are open at the end of a text."""
    names = set[str]()
    for tag in _ANY_TAG.finditer(before):
        if tag[1]:
            names.add(tag[1])
        else:
            names.discard(tag[2])
    return names


def _closes_element(before: str, after: str) -> bool:
    """Return whether the text after markup closes an element. Only the beginning of the tag may have arrived."""
    return any(after[:ENOUGH_AFTER] == f"</{name}>"[:ENOUGH_AFTER] for name in _open_elements(before))


def _are_marks(before: str, after: str) -> bool:
    """Return whether a mark before markup has its counterpart after the markup."""
    if (mark := _MARK.search(before)) and after.startswith(_CLOSING.get(mark[1], mark[1])):
        return True
    if (between := _BETWEEN.search(before)) and after.lstrip().startswith(between[1]):
        return True
    return any(after.startswith(mark) and pattern.search(before) for mark, pattern in _WITH_WORDS.items())


def _are_lines(before: str, after: str) -> bool:
    """Return whether the line before markup begins a block that the line after the markup ends."""
    line = _LINE.search(before)
    if line is None:
        return False
    if line[1]:
        return after.startswith(line[1][:3])
    return after.startswith(line[3]) and after[1:2].isalpha()
