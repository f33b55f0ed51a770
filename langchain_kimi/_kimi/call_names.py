"""Read the fields `name` and `id` of a tool call, which may contain its arguments."""

import re

from langchain_kimi._kimi.call_ids import positional_id
from langchain_kimi._kimi.markup.grammar import ARGUMENTS_BEGIN, CALL_BEGIN, MARKER, TAG_END, TAG_OPEN

_BEFORE_NAME = re.compile(
    r"\A\s*(?:(?:<\|tool_calls?(?:_section)?_begin\|>|<\|open\|>\s*tools\s*<\|sep\|>)\s*)*"
    r"(?:<\|open\|>\s*call\s+tool\s*=\s*\")?"
)
_ENDS_TAG = re.compile(r'"?\s*(?:index\s*=\s*(?:["\d]+\s*)?)?(?:<\|sep\|>\s*)?')
AFTER_NAME_IN_TAG = re.compile(r'"\s*(?:index\s*=[^<]*)?<\|sep\|>')
_ARGUMENTS_IN_NAME = re.compile(r"(?<!\s)\s*+(?:<\||[({]|\[ARGS\]|:\s*+\{|\"(?=\s*+(?:index|<)))")
"""The end of a name that is followed by arguments: a marker, a parenthesis, or an object.

The possessive quantifiers read each blank once. Without them, 2,000 blanks took eight seconds.
"""
_ID_IN_CALL = re.compile(r"\s*[\w.:/-]{1,256}\s*<\|tool_call_argument_begin\|>")
_TAG_IN_CALL = re.compile(r"\s*<\|open\|>\s*(?:argument|json)\b")
_PARENTHESES = re.compile(r"\A\s*+\((.*)\)\s*", re.DOTALL)
_BEFORE_ARGUMENTS = re.compile(r"\A\s*(?:\[ARGS\]|:)")


def split_name(name: str) -> tuple[str, str]:
    """Split the text of the field `name` into the name and the text after it, which may be the arguments."""
    name = _BEFORE_NAME.sub("", name, count=1) if name.lstrip().startswith("<|") else name
    rest = _ARGUMENTS_IN_NAME.search(name)
    return (name[: rest.start()], name[rest.start() :]) if rest else (name, "")


def has_arguments(rest: str) -> bool:
    """Return whether the text after a name or an id has arguments, and not only markers."""
    return bool(MARKER.sub("", rest).strip()) and _ENDS_TAG.fullmatch(rest) is None


def without_wrapping(rest: str) -> str:
    """Return the text after a name without what is around its arguments: a colon, `[ARGS]`, parentheses."""
    return _PARENTHESES.sub(r"\1", _BEFORE_ARGUMENTS.sub("", rest, count=1))


def with_beginning(name: str, text: str) -> str:
    """Return the markup of a call with the beginning that it may lack: the tag, the id, or the marker before the id.

    Args:
        name: The name of the call, or an empty string.
        text: The markup, or another text, which is returned unchanged.
    """
    if name and _TAG_IN_CALL.match(text):
        return f'{TAG_OPEN}call tool="{name}"{TAG_END}{text}'
    if name and text.startswith(ARGUMENTS_BEGIN):
        return f"{CALL_BEGIN}{positional_id(name, 0)}{text}"
    return f"{CALL_BEGIN}{text}" if _ID_IN_CALL.match(text) else text
