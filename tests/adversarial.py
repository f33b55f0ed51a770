"""Texts that made scanners slow, or may do so: pieces that are repeated, alone and in combinations."""

from langchain_kimi._kimi.markup.grammar import K3_MARKERS, MARKERS

LARGE_NUMBER = f"[{'9' * 4400}] "
"""A number that Python refuses to read."""
CALL = "<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>"
PIECES = (
    # JSON, whole and broken
    "{", "[", "}", "]", '"', "\\", "'", '{"a":', '{"a":"', "[1.5,", "[1,", "{}", "[]", "[[1],", "[[1]] ", "{{", "{{}",
    "{ ", "[ ", '{"a":1} ', '{"a":1,"a":2} ', '{"a":1}', '"a":1,', '"a" ', "null ", "1 ", "-", "1e", "tru", '["a"] ',
    '{"items":"[1,', '{\\"a\\":1}', '\\"', "[1e999] ", "[NaN] ", '["NaN",NaN] ', LARGE_NUMBER,
    # prose
    "{x} ", '{x"} ', '{x "', "[x] ", "[1] ", "(", ")", "a", "a ", ".", ":", "_", "$", "%", "#", "`", "``` ",
    "```json\n", "~~~\n", "    ", "> ", "\n", " ", "\t", "\ufeff", "\0", "\u00e9", "\ud83d", "&amp;", "&",
    # quoting
    "<!--", "-->", '"""', "\\verb|", "\\begin{verbatim}", "<![CDATA[", "]]>", "(functions.f:0{})",
    # thoughts
    "<think>", "</think>", "<think></think>", "</think ", "<",
    # markup of calls
    "<|", "functions.", "functions.f:0", "functions.f:0 {", ":0", CALL, f"{CALL}{{}}<|tool_call_end|>", f'{CALL}{{"a":',
    '<|open|>call tool="f" index="1"<|sep|>', '<|open|>call tool="',
    '<|open|>argument key="a" type="string"<|sep|>x<|close|>argument<|sep|>', "<|open|>tools<|sep|>",
    *MARKERS, *sorted(K3_MARKERS),
)  # fmt: skip
"""Pieces of texts of a model."""
WORST = ("[1e999] ", '{\\"a\\":1}', " ", '{"a":"', "[1.5,", '{x "', "<|", "(", CALL)
"""Pieces that once took more than linear time, for tests that are not long."""


def repeated(piece: str, size: int) -> str:
    """Return a text of about this length."""
    return piece * max(1, size // len(piece))


def pieces_of(text: str, size: int) -> list[str]:
    """Return a text in pieces of this length."""
    return [text[start : start + size] for start in range(0, len(text), size)]
