"""Check and repair the body of a request for its model before it is sent."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from langchain_kimi._kimi.families import family, names_preset
from langchain_kimi._kimi.history import check_pairs, has_calls
from langchain_kimi._kimi.profiles import slugs_accepting
from langchain_kimi._kimi.repairs import ALL, ON_REQUEST, Calls, Repairs, RequestRepair
from langchain_kimi._kimi.tool_names import accepted_names, check_names, with_accepted_names, with_name
from langchain_kimi._kimi.turns import results_are_in_place
from langchain_kimi._openrouter.conversation import non_text_messages, unusual_messages
from langchain_kimi._openrouter.wire import WireBody, WireMessage
from langchain_kimi.errors import KimiUsageError

# `file` is omitted on purpose: OpenRouter converts files to text for models that cannot read them.
MODALITY_OF_PART = {"image_url": "image", "video_url": "video", "input_video": "video", "input_audio": "audio"}


def check_and_repair(body: WireBody, repairs: Repairs = ALL) -> WireBody:
    """Check that calls and results are paired, and then do the same as `prepare`.

    The pairs are checked before the repairs, so that an error names a call by the user's id for it.

    Raises:
        KimiUsageError: A call has no result, a result has no call, or `prepare` raises it.
    """
    if not (non_text_messages(body["messages"]) or body.get("tools") or body.get("tool_choice")):
        # The checks and repairs of requests read only these parts; see `Repair.on_request`.
        return body
    calls = _calls_in(body)
    if calls == "misplaced" and "history" in repairs and "orphans" not in repairs and family(_first_model(body)):
        check_pairs(body["messages"])
    return _prepared(body, repairs, calls)


def prepare(body: WireBody, repairs: Repairs = ALL) -> WireBody:
    """Return a body that is checked and repaired for its model, without the check of pairs.

    Args:
        body: The body. It shares objects with the user's messages, so it is not modified: changed parts are copied.
        repairs: The names of the repairs to make.

    Raises:
        KimiUsageError: The model does not accept a modality of the messages, or the name or the schema of a tool.
    """
    return _prepared(body, repairs, _calls_in(body))


def _calls_in(body: WireBody) -> Calls:
    """Return whether the conversation has tool calls or results, and whether these are at their places."""
    messages = body["messages"]
    if not has_calls(messages):
        return "none"
    return "in place" if results_are_in_place(messages) else "misplaced"


def _prepared(body: WireBody, repairs: Repairs, calls: Calls) -> WireBody:
    """Return the checked and repaired body; see `prepare`."""
    check_modalities(body.get("model", ""), body["messages"], body.get("models") or ())
    kimi = family(_first_model(body))
    if kimi is None:
        body = with_accepted_names(body, is_kimi=False) if "tool_names" in repairs else body
        check_names(body, is_kimi=False)
        return body
    if "tool_names" not in repairs:
        check_names(body, is_kimi=True)
    for repair in _request_repairs(repairs, calls):
        body = repair(body, kimi)
    return body


@lru_cache(maxsize=32)
def _request_repairs(repairs: Repairs, calls: Calls) -> tuple[RequestRepair, ...]:
    """Return the repairs of requests that are switched on and apply to a conversation with such calls."""
    return tuple(function for repair, function in ON_REQUEST if repair.name in repairs and calls in repair.applies_to)


def _first_model(body: Mapping[str, Any]) -> str:
    """Return the slug that is tried first."""
    return body.get("model") or next(filter(None, body.get("models") or ()), "")


def changes_of_choice(unrepaired: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Compare the `tool_choice` of a body before and after the repairs.

    Args:
        unrepaired: The body before.
        sent: The body after.

    Returns:
        The fields `changed_choice` and `may_lack_forced_call` of `RepairOptions`.
    """
    before, after = unrepaired.get("tool_choice"), sent.get("tool_choice")
    if isinstance(before, dict):
        # A renamed tool is not another choice.
        before = with_name(before, accepted_names(unrepaired, is_kimi=family(_first_model(sent)) is not None))
    changed = before != after or unrepaired.get("reasoning") != sent.get("reasoning")
    return {"changed_choice": changed, "may_lack_forced_call": changed and after == "auto"}


def changes_of_tools(unrepaired: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Compare the tools of a body before and after the repairs.

    Args:
        unrepaired: The body before.
        sent: The body after.

    Returns:
        The fields `tool_names` and `schema_notes` of `RepairOptions`, without those that would be empty.
    """
    before, after = unrepaired.get("tools"), sent.get("tools")
    is_renamed = unrepaired["messages"] is not sent["messages"] or before is not after
    names = accepted_names(unrepaired, is_kimi=family(_first_model(sent)) is not None) if is_renamed else {}
    details: dict[str, Any] = {"tool_names": {names[name]: name for name in names}} if names else {}
    pairs = zip(before or (), after or (), strict=False) if before is not after else ()
    changed = [old for old, new in pairs if _parameters(old) is not _parameters(new)]
    if changed:
        from langchain_kimi._kimi.schemas import schema_notes  # noqa: PLC0415 - imported when used

        if notes := schema_notes(changed):
            details["schema_notes"] = notes
    return details


def _parameters(tool: Mapping[str, Any]) -> Any:
    return (tool.get("function") or {}).get("parameters")


def check_modalities(model: str, messages: Sequence[WireMessage], models: Sequence[str] = ()) -> None:
    """Check that one of the models accepts the images, videos and audio of the messages.

    Models whose modalities are unknown pass: models of other makers, Kimi generations newer than this package, and
    slugs with a preset, which may name fallbacks on the server.

    Args:
        model: The first model's slug; empty if there are only `models`.
        messages: The request's messages; they are not changed.
        models: The slugs of the fallbacks. It is enough that one of them accepts the modality.

    Raises:
        KimiUsageError: None of the models accepts a part. The error names the first such part as
            `messages[i].content[j]`, and Kimi models that accept it.
    """
    slugs = [slug for slug in dict.fromkeys((model, *models)) if slug]
    for place, modality in _media(messages):
        if slugs and all(_lacks(slug, modality) for slug in slugs):
            raise KimiUsageError(
                f"{place} is {modality} input, which {' and '.join(slugs)} cannot read.",
                model=slugs[0],
                advice=_advice(modality),
            )


def _media(messages: Sequence[WireMessage]) -> Iterator[tuple[str, str]]:
    """Yield the position and the modality of each part that is not text."""
    if not any(isinstance(message.get("content"), list) for message in unusual_messages(messages)):
        return
    for number, message in enumerate(messages):
        parts = message.get("content")
        for position, part in enumerate(parts if isinstance(parts, list) else ()):
            if modality := MODALITY_OF_PART.get(part.get("type", "")):
                yield f"messages[{number}].content[{position}]", modality


def _lacks(slug: str, modality: str) -> bool:
    kimi = family(slug)
    return kimi is not None and modality not in kimi.modalities and not names_preset(slug)


def _advice(modality: str) -> str:
    slugs = slugs_accepting(modality)
    if not slugs:
        return "No Kimi model accepts it: send text instead."
    return f"Kimi models that accept it: {', '.join(slugs)}. Set one as `model`, or add it to `models`."
