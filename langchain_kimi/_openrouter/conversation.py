"""The messages of a request, with cached selections of those that contain more than a text."""

from collections.abc import Iterable, Sequence

from langchain_kimi._openrouter.wire import WireMessage

_ROLE_AND_TEXT = len(("role", "content"))


class Conversation(list[WireMessage]):
    """The messages of a request, with a list of those that contain more than a role and a text.

    Nearly all messages of a long conversation are texts, or tool calls and their results, and the conversion of the
    messages already finds the others. The repairs and checks that need only these read the lists with
    `non_text_messages` and `unusual_messages`, because seven passes over a thousand messages took a tenth of a turn's
    CPU time. Like all parts of a body, a conversation is not modified: a repair creates a new list. No message is twice
    in a conversation.

    Attributes:
        non_text_messages: All messages that contain more than a role and a text. It may include others.
        unusual_messages: The non-text messages that are neither just tool calls with a text nor a result that is a
            text. It may include others.
    """

    __slots__ = ("non_text_messages", "unusual_messages")

    def __init__(
        self,
        messages: Iterable[WireMessage],
        non_text_messages: Sequence[WireMessage],
        unusual_messages: Sequence[WireMessage] | None = None,
    ) -> None:
        super().__init__(messages)
        self.non_text_messages = non_text_messages
        self.unusual_messages = non_text_messages if unusual_messages is None else unusual_messages


def non_text_messages(messages: Sequence[WireMessage]) -> Sequence[WireMessage]:
    """Return the messages that are not just a role and a non-empty text, and all tool results, in order.

    The messages that are left out have no tool calls, media, reasoning or name. The result may include some of them.
    """
    if isinstance(messages, Conversation):
        return messages.non_text_messages
    return [message for message in messages if not _is_text_only(message)]


def unusual_messages(messages: Sequence[WireMessage]) -> Sequence[WireMessage]:
    """Return the messages that may have fields or content other than texts, tool calls and results, in order.

    The messages that are left out consist of plain values (see `json.is_plain`): a role and a text; or a role, a text
    or null, and tool calls; or a role, a text and the id of a call. The result may include some of them.
    """
    return messages.unusual_messages if isinstance(messages, Conversation) else non_text_messages(messages)


def with_replaced(messages: list[WireMessage], replacements: list[WireMessage]) -> list[WireMessage]:
    """Return the messages that replace those of a conversation, one for each, and keep its selections.

    Args:
        messages: The conversation.
        replacements: A message for each of them; the same one if it does not change. No call or result becomes unusual.
    """
    if not isinstance(messages, Conversation):
        return replacements
    changed = {id(old): new for old, new in zip(messages, replacements, strict=True) if new is not old}

    def current(selected: Sequence[WireMessage]) -> list[WireMessage]:
        return [changed.get(id(message), message) for message in selected]

    return Conversation(replacements, current(messages.non_text_messages), current(messages.unusual_messages))


def _is_text_only(message: WireMessage) -> bool:
    content = message.get("content")
    return len(message) == _ROLE_AND_TEXT and type(content) is str and bool(content) and message.get("role") != "tool"
