"""An incremental parser for one run of K3's markup.

K3 writes a message as tags, `<|open|>name key="value"<|sep|>` and `<|close|>name<|sep|>`, and ends it with
`<|end_of_msg|>`. Within `message` there are the channels `think`, `response` and `tools`. `tools` contains, for each
call, `call tool="name" index="1"` with an `argument key="city" type="string"` for each argument. Values of type string
are raw text, others are JSON. Arguments that are not an object are a single `json` tag. Attributes escape `&` and `"`.
Detokenizers put blanks into the tags (vllm pull request 50367), and models leave tags out (vllm issue 53246).
"""

import json
from collections.abc import Callable
from typing import Literal

from langchain_kimi._kimi.markup.calls import INCOMPLETE, WITHOUT_ARGUMENTS, tagged_call
from langchain_kimi._kimi.markup.grammar import (
    ANY_TAG_NAME,
    DOCUMENT_END,
    MESSAGE_END,
    TAG_CLOSE,
    TAG_END,
    TAG_NAMES,
    TAG_OPEN,
    marker_at,
    parsed,
)
from langchain_kimi._kimi.markup.runs import LONGEST_WORDS, QUOTING, Run
from langchain_kimi._kimi.tools import OfferedTools
from langchain_kimi._patterns import lazy_pattern

_LONGEST_TAG = 1024

_OPENED = lazy_pattern(
    rf"<\|open\|>\s{{0,8}}({ANY_TAG_NAME})"
    r"((?:\s{1,8}[\w-]{1,32}\s{0,4}=\s{0,4}(?:\"[^\"]*\"|'[^']*'|[\w.:/-]+))*)\s{0,8}<\|sep\|>"
)
# The model leaves out the end of the tag before the next channel (sglang pull request 32567).
_CLOSED = lazy_pattern(rf"<\|close\|>\s{{0,8}}({ANY_TAG_NAME})\s{{0,8}}(?:<\|sep\|>|(?=<\|open\|>))")
_ATTRIBUTE = lazy_pattern(r"\s([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([\w.:/-]+))")
_WORD = lazy_pattern(r"\s{0,8}(\w*)")
_FIRST_ATTRIBUTE = lazy_pattern(r"\s*(?:[\w-]{0,32}\s{0,4}(?:=|$)|$|<)")
# A value ends at its closing tag. If that is missing, it ends at the next tag that cannot be part of a value.
_VALUE_END = lazy_pattern(
    r"<\|close\|>\s{0,8}(argument|json|call|tools|message)\s{0,8}<\|sep\|>"
    r"|<\|open\|>\s{0,8}(?:argument|call|json|tools)\b|<\|end_of_msg\|>"
    # A damaged closing tag before another tag that belongs to calls.
    r"|(?P<damaged><\|close\|>\s{0,8}\w{0,16}\s{0,8}(?:<\|sep\|>\s{0,8})?)"
    r"(?=<\|close\|>\s{0,8}(?:call|tools|message)\b|<\|open\|>\s{0,8}(?:argument|call|json|tools)\b|<\|end_of_msg\|>)"
)
_LONGEST_VALUE_END = 96
_ENDS_OF_K2 = lazy_pattern(r"(?:\s*<\|(?:tool_call_end|tool_calls?_section_end|im_end)\|>)+\s*\Z")
# A value of any other type is JSON if it can be parsed, otherwise text.
_TYPES = {name: name for name in ("string", "number", "integer", "boolean", "object", "array", "null")}
_TYPES |= {"str": "string", "text": "string"}

KEYLESS = "An argument has no name."
TWO_VALUES = "The argument {!r} has two different values."
NOT_JSON = "The value of the argument {!r} does not have the type {!r} of its tag."


class TagRun(Run):
    """Parses one run of K3's markup, which ends where other text follows.

    Attributes:
        tags: The number of tags so far.
        has_next_turn: Whether another message follows the end of this one. It is a part of the run, but its calls are
            not.
    """

    def __init__(self, offered: OfferedTools, *, reads_turns: bool = True) -> None:
        """Begin a run.

        Args:
            offered: The tools of the request.
            reads_turns: Whether another message after the end of this one belongs to the run.
        """
        super().__init__()
        self.tags = 0
        self.has_next_turn = False
        self._reads_turns = reads_turns
        self._is_after_turn = False
        self._offered = offered
        self._name: str | None = None
        self._index = ""
        self._arguments: dict[str, str] = {}
        self._json: str | None = None
        self._error: str | None = None
        self._attributes: dict[str, str] = {}
        self._in_tools = False
        self._value_at = 0
        self._searched_to = 0
        self._step: Callable[[], bool] = self._between

    def _move(self, distance: int) -> None:
        super()._move(distance)
        self._value_at += distance
        self._searched_to += distance

    def _is_inside_value(self, text: str) -> bool:
        return self.has_next_turn or (
            self._step == self._value and not self._finds(_VALUE_END, text, _LONGEST_VALUE_END)
        )

    def _between(self) -> bool:
        """Parse a tag outside of values."""
        position = self._after_blanks(self.end)
        if position == len(self.text) or self.has_next_turn:
            return False
        if self._is_after_turn and DOCUMENT_END.startswith(rest := self.text[position : position + len(DOCUMENT_END)]):
            self.end = position + len(rest) if rest == DOCUMENT_END else self.end
            return rest == DOCUMENT_END
        tag = self._tag_at(position)
        if tag is True:
            return False
        if tag is None:
            self._leave()
            return True
        self._read_tag(*tag)
        return True

    def _leave(self) -> None:
        """Handle text that is not a tag: words before the first call, arguments without a tag, or the run's end."""
        if self._in_tools and self._name is None and not self.calls and self._step != self._words:
            self._step = self._words
            return
        position = self._after_blanks(self.end)
        if self._name is not None and self.text[position] == "{" and not (self._arguments or self._json):
            # K2 writes the arguments as an object without a tag.
            self._attributes = {"": "json"}
            self._value_at = self._searched_to = position
            self._step = self._value
            return
        if self._arguments or self._json is not None:
            self._finish_call(None)
        self.is_done = True

    def _read_tag(self, kind: str, name: str, attributes: dict[str, str], end: int) -> None:
        """Update the state for a tag: begin or finish a call, a value or a channel."""
        self.tags += 1
        self.end = end
        if name not in ("argument", "json"):
            self._finish_call(None)
        if self._is_after_turn and kind == "open" and name == "message":
            self.has_next_turn = True
        elif kind == "close":
            self._is_after_turn = self._reads_turns and name == "message"
            self._in_tools = self._in_tools and name != "tools"
            self.channel = "response" if name in ("think", "message") else self.channel
        elif name == "call":
            self._name = attributes.get("tool", attributes.get("name", ""))
            self._index = attributes.get("index", "")
        elif name in ("argument", "json") and self._name is None:
            # A value outside of a call is text.
            return
        elif name in ("argument", "json") and not self._offered.schemas:
            # Without tools, a call is text, and its arguments need not be held back.
            self._finish_call(None)
            self.is_done = True
        elif name in ("argument", "json"):
            self._attributes = {"": name, **attributes}
            self._value_at = self._searched_to = end
            self._step = self._value
        elif name == "tools":
            self._in_tools = True
        else:
            self.channel = name if name in ("think", "response") else self.channel

    def _words(self) -> bool:
        """Parse words between the tag `tools` and its first call."""
        opened = self.text.find("<|", self.end, self.end + LONGEST_WORDS)
        words = self.text[self.end : opened if opened >= 0 else self.end + LONGEST_WORDS]
        tag = self._tag_at(opened) if opened >= 0 else None
        if QUOTING.search(words) or (opened < 0 and len(words) == LONGEST_WORDS):
            self.is_done = True
        elif opened < 0 or tag is True:
            return False
        elif tag is not None and tag[:2] == ("open", "call"):
            self.words.append(words)
            self._step = self._between
            self._read_tag(*tag)
        else:
            self.is_done = True
        return True

    def _value(self) -> bool:
        """Parse the value of an argument."""
        value_end = _VALUE_END.search(self.text, max(self._value_at, self._searched_to))
        if value_end is None:
            self._searched_to = max(self._value_at, len(self.text) - _LONGEST_VALUE_END)
            return False
        self._add_argument(self.text[self._value_at : value_end.start()])
        is_own_tag = value_end[1] == self._attributes[""] or value_end["damaged"]
        self.end = value_end.end() if is_own_tag else value_end.start()
        self._step = self._between
        return True

    def _add_argument(self, value: str) -> None:
        """Add the value of an argument to the current call, as JSON."""
        if self._attributes[""] == "json":
            self._json = value
            return
        key = self._attributes.get("key", self._attributes.get("name", ""))
        kind = _TYPES.get(self._attributes.get("type", "").strip().casefold())
        before = self._arguments.get(key)
        if kind == "string" or (kind is None and self._wants_string(key)):
            self._arguments[key] = json.dumps(value, ensure_ascii=False)
        elif value.strip() == "null" or parsed(value) is not None:
            self._arguments[key] = value.strip()
        else:
            self._arguments[key] = json.dumps(value, ensure_ascii=False)
            if kind is not None:
                self._error = self._error or NOT_JSON.format(key, kind)
        if not key:
            self._error = self._error or KEYLESS
        if before not in (None, self._arguments[key]):
            self._error = self._error or TWO_VALUES.format(key)

    def _is_closed(self, value: str) -> bool:
        """Return whether a value without its closing tag is complete: an object or array with its closing bracket."""
        kind = self._attributes.get("type", "object")
        return kind in ("object", "array") and isinstance(parsed(value), dict | list)

    def _wants_string(self, key: str) -> bool:
        name = self._offered.find(self._name or "") or ""
        properties = self._offered.schemas.get(name, {}).get("properties")
        schema = properties.get(key) if isinstance(properties, dict) else None
        return isinstance(schema, dict) and schema.get("type") == "string"

    def _finish_call(self, error: str | None) -> None:
        """Add the current call."""
        if self._name is None:
            return
        if self._json is not None and not self._arguments:
            arguments = self._json.strip()
        else:
            members = (f"{json.dumps(key, ensure_ascii=False)}: {value}" for key, value in self._arguments.items())
            arguments = "{" + ", ".join(members) + "}"
        is_bare = self._json is None and not self._arguments
        if is_bare and self._offered.needs_arguments(self._offered.find(self._name) or ""):
            error = error or WITHOUT_ARGUMENTS
        self.calls.append(tagged_call(self._offered, self._name, arguments, self._error or error, self._index))
        self._name, self._json, self._error = None, None, None
        self._arguments = {}

    def _close_step(self, *, clean: bool) -> None:
        """Finish a step that waits for more text."""
        self.is_done = True
        if self.has_next_turn:
            self.end = len(self.text)
            return
        position = self._after_blanks(self.end)
        if self._step == self._value:
            ends = _ENDS_OF_K2.search(self.text, max(self._value_at, len(self.text) - _LONGEST_VALUE_END))
            value = self.text[self._value_at : ends.start() if clean and ends else None]
            is_whole = clean and (ends is not None or self._is_closed(value))
            self._add_argument(value)
            self._finish_call(None if is_whole else INCOMPLETE)
            self.end = len(self.text)
        elif position < len(self.text) and self._step == self._between:
            self._close_partial_tag(position, clean=clean)
        elif self._arguments or self._json is not None or self._in_tools or not clean:
            self._finish_call(None if clean and (self._arguments or self._json is not None) else INCOMPLETE)

    def _close_partial_tag(self, position: int, *, clean: bool) -> None:
        """Finish at a tag that the end of the text has cut off."""
        opened = _OPENED_CALL.match(self.text, position)
        if self._name is None and opened and self._offered.find(unescaped(opened[1])):
            self._name = unescaped(opened[1])
            self._finish_call(INCOMPLETE)
        else:
            has_arguments = bool(self._arguments) or self._json is not None
            is_closing = self.text.startswith(TAG_CLOSE[:3], position)
            is_opening = self.text.startswith(TAG_OPEN[:3], position)
            is_whole = is_closing or (has_arguments and not is_opening)
            self._finish_call(None if clean and is_whole else INCOMPLETE)
        # A text about the markup may end with a marker.
        if self.has_markup or not clean or self.text[position:] not in (TAG_OPEN, TAG_CLOSE):
            self.end = len(self.text)
            self.tags += 1

    def _tag_at(self, position: int) -> "Tag | Literal[True] | None":
        """Return the tag at a position, or True if the text ends within a possible tag."""
        marker = marker_at(self.text, position)
        if marker is True or marker is None:
            return marker
        if marker == MESSAGE_END:
            return "close", "message", {}, position + len(MESSAGE_END)
        if marker == TAG_END:
            # The remnant of a damaged tag.
            return ("close", "argument", {}, position + len(TAG_END)) if self.has_markup else None
        if marker not in (TAG_OPEN, TAG_CLOSE):
            return None
        pattern = _OPENED if marker == TAG_OPEN else _CLOSED
        tag = pattern.match(self.text, position, position + _LONGEST_TAG)
        if tag:
            attributes = tag[2] if marker == TAG_OPEN else ""
            return ("open" if marker == TAG_OPEN else "close"), tag[1], _attributes_of(attributes), tag.end()
        return True if self._may_be_tag(position + len(marker), has_attributes=marker == TAG_OPEN) else None

    def _may_be_tag(self, position: int, *, has_attributes: bool) -> bool:
        """Return whether the rest of the text may be the beginning of a tag's name and attributes."""
        if len(self.text) - position > _LONGEST_TAG:
            return False
        word = _WORD.match(self.text, position)
        name = word[1] if word else ""
        after = self.text[word.end() if word else position :]
        if not after:
            return any(tag_name.startswith(name) for tag_name in TAG_NAMES)
        if name not in TAG_NAMES:
            return False
        before_end, opened, rest = after.partition("<")
        ends = (TAG_END,) if has_attributes else (TAG_END, TAG_OPEN)
        if opened and not any(end.startswith(opened + rest) for end in ends):
            return False
        return not before_end.strip() or (has_attributes and _FIRST_ATTRIBUTE.match(before_end) is not None)


Tag = tuple[Literal["open", "close"], str, dict[str, str], int]
"""Kind, name, attributes and the position after the tag."""
_OPENED_CALL = lazy_pattern(r"<\|open\|>\s{0,8}call\s{1,8}tool\s{0,4}=\s{0,4}\"([^\"]*)\"")


def _attributes_of(text: str) -> dict[str, str]:
    return {
        attribute[1]: unescaped(next(value for value in attribute.groups()[1:] if value is not None))
        for attribute in _ATTRIBUTE.finditer(text)
    }


def unescaped(text: str) -> str:
    """Return the value of an attribute, with the escapes of its text in the tag resolved."""
    return text.replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
