"""The messages of a request, and those among them that are more than a role and a text."""

from collections.abc import Iterable, Sequence

from langchain_kimi._openrouter.wire import WireMessage

_ROLE_AND_TEXT = len(("role", "content"))


class Conversation(list[WireMessage]):
    """The messages of a request, with a note of those that are more than a role and a text.

    Nearly all messages of a long conversation are only text, and the conversion of the messages sees which ones are
    not. Each repair or check that looks for something else reads the note, see `beyond_text`. Seven passes over a
    thousand messages took a tenth of a turn's CPU time. Like all parts of a body it is not changed: a repair makes a
    new list.

    Attributes:
        beyond_text: At least the messages that `beyond_text` would find.
    """

    __slots__ = ("beyond_text",)

    def __init__(self, messages: Iterable[WireMessage], beyond_text: Sequence[WireMessage]) -> None:
        super().__init__(messages)
        self.beyond_text = beyond_text


def beyond_text(messages: Sequence[WireMessage]) -> Sequence[WireMessage]:
    """Return the messages with anything but a role and a text that is not empty, and all tool results, in order.

    Other messages have no tool calls, no media, no reasoning and no name. A few of them may be among the result.
    """
    if isinstance(messages, Conversation):
        return messages.beyond_text
    return [message for message in messages if not _is_text_only(message)]


def _is_text_only(message: WireMessage) -> bool:
    content = message.get("content")
    return len(message) == _ROLE_AND_TEXT and type(content) is str and bool(content) and message.get("role") != "tool"
