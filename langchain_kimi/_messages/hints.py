"""What is to be told of a reply beside what it says: it goes where the mending reports too, the choice's `kimi`."""

from typing import cast

from langchain_kimi._messages.from_wire import usage_from
from langchain_kimi.openrouter.assembly import text_of
from langchain_kimi.openrouter.wire import JSONObject, WireChoice, WireReply

THOUGHTS = frozenset({"reasoning", "reasoning_content", "reasoning_details"})
MORE_ROOM = "raise max_tokens"
LESS_THOUGHT = "or let it think less (reasoning={'effort': 'low'}) or not at all (reasoning={'enabled': False})"


def with_hint(reply: WireReply) -> WireReply:
    """Add a hint to a whole reply of one choice when the token limit left room for neither text nor a call.

    It says which parameter to change. A reply that needs none is given back as it is.
    """
    choice = (reply.get("choices") or [])[0]
    if choice.get("finish_reason") != "length" or not _says_nothing(choice):
        return reply
    told = cast("JSONObject", choice).get("kimi")
    report = {**(told if isinstance(told, dict) else {}), "hint": _hint(reply, choice)}
    return cast("WireReply", {**reply, "choices": [{**choice, "kimi": report}]})


def _says_nothing(choice: WireChoice) -> bool:
    message = choice.get("message") or {}
    said = {key for key, value in message.items() if value} - THOUGHTS - {"role", "content"}
    return not said and not text_of(message.get("content")).strip()


def _hint(reply: WireReply, choice: WireChoice) -> str:
    thoughts = THOUGHTS & {key for key, value in (choice.get("message") or {}).items() if value}
    usage = usage_from(reply.get("usage"))
    count = usage.get("output_token_details", {}).get("reasoning") if usage else None
    if not (thoughts or count):
        return f"The token limit was reached before any text: {MORE_ROOM}."
    spent = f" ({count} tokens)" if count else ""
    return f"Thinking{spent} took all that max_tokens leaves, and no text came: {MORE_ROOM}, {LESS_THOUGHT}."
