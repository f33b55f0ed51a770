"""Kimi's habits, met on the way out: a body in, the body that is sent."""

from typing import cast

from langchain_kimi.kimi.call_ids import with_positional_ids
from langchain_kimi.kimi.families import KimiFamily, family
from langchain_kimi.kimi.forced_choice import without_forced_choice
from langchain_kimi.kimi.history import check_pairs, has_calls, with_pairs, without_blanks
from langchain_kimi.kimi.modalities import check_modalities
from langchain_kimi.kimi.repairs import ALL, Repairs
from langchain_kimi.kimi.schemas import with_moonshot_schemas
from langchain_kimi.openrouter.wire import JSONObject, WireBody, WireMessage


def fit(body: WireBody, repairs: Repairs = ALL) -> WireBody:
    """Check a body and make it fit for the model that it names, see `prepare`.

    Raises:
        KimiRequestError: the model cannot take what the messages hold, or a call or a result in them, which is named
            by the user's own id, has no partner.
    """
    holds_calls = has_calls(body["messages"])
    if holds_calls and "history" in repairs and "orphans" not in repairs and family(_asked(body)):
        check_pairs(body["messages"])
    return _prepared(body, repairs, holds_calls=holds_calls)


def prepare(body: WireBody, repairs: Repairs = ALL) -> WireBody:
    """Make a body fit for the model that it names; what is changed is copied first.

    Args:
        body: The body; it shares objects with the user's messages.
        repairs: What is mended, see `langchain_kimi.kimi.repairs`.

    Raises:
        KimiRequestError: the model cannot take what the messages hold.
    """
    return _prepared(body, repairs, holds_calls=has_calls(body["messages"]))


def _prepared(body: WireBody, repairs: Repairs, *, holds_calls: bool) -> WireBody:
    check_modalities(body.get("model", ""), body["messages"], body.get("models") or ())
    kimi = family(_asked(body))
    if kimi is None:
        return body
    if "tool_choice" in repairs:
        body = without_forced_choice(body)
    messages = body["messages"]
    if holds_calls:
        messages = _with_fitting_calls(messages, kimi, repairs)
    changed: JSONObject = {} if messages is body["messages"] else {"messages": messages}
    tools = body.get("tools") or []
    if "schemas" in repairs and (rewritten := with_moonshot_schemas(tools)) is not tools:
        changed["tools"] = rewritten
    return cast("WireBody", {**body, **changed}) if changed else body


def _with_fitting_calls(messages: list[WireMessage], kimi: KimiFamily, repairs: Repairs) -> list[WireMessage]:
    if "orphans" in repairs:
        messages = with_pairs(messages)
    if "history" in repairs:
        messages = without_blanks(messages)
    if kimi.positional_call_ids and "call_ids" in repairs:
        messages = with_positional_ids(messages)
    return messages


def _asked(body: WireBody) -> str:
    """The slug that is asked first."""
    return next((slug for slug in (body.get("model"), *(body.get("models") or ())) if slug), "")
