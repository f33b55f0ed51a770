"""The messages of a request, with a cached selection of those that contain more than a text."""

from collections.abc import Iterable, Sequence

from langchain_kimi._openrouter.wire import WireMessage

_ROLE_AND_TEXT = len(("role", "content"))


class Conversation(list[WireMessage]):
    """The messages of a request, with a list of those that contain more than a role and a text.

    Nearly all messages of a long conversation contain only text, and the conversion of the messages already finds the
    others. The repairs and checks that need only these read the list with `non_text_messages`, because seven passes
    over a thousand messages took a tenth of a turn's CPU time. Like all parts of a body, a conversation is not
    modified: a repair creates a new list.

    Attributes:
        non_text_messages: All messages that contain more than a role and a text. It may include others.
    """

    __slots__ = ("non_text_messages",)

    def __init__(self, messages: Iterable[WireMessage], non_text_messages: Sequence[WireMessage]) -> None:
        super().__init__(messages)
        self.non_text_messages = non_text_messages


def non_text_messages(messages: Sequence[WireMessage]) -> Sequence[WireMessage]:
    """Return the messages that are not just a role and a non-empty text, and all tool results, in order.

    The messages that are left out have no tool calls, media, reasoning or name. The result may include some of them.
    """
    if isinstance(messages, Conversation):
        return messages.non_text_messages
    return [message for message in messages if not _is_text_only(message)]


def _is_text_only(message: WireMessage) -> bool:
    content = message.get("content")
    return len(message) == _ROLE_AND_TEXT and type(content) is str and bool(content) and message.get("role") != "tool"
