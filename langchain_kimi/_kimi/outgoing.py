"""Kimi's habits, met on the way out: a body in, the body that is sent."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from langchain_kimi._kimi.call_ids import with_positional_ids
from langchain_kimi._kimi.families import KimiFamily, family, names_preset, thinks
from langchain_kimi._kimi.history import check_pairs, has_calls, with_pairs, without_blanks
from langchain_kimi._kimi.profiles import slugs_that_take
from langchain_kimi._kimi.repairs import ALL, Repairs
from langchain_kimi._kimi.schemas import with_moonshot_schemas
from langchain_kimi._openrouter.wire import JSONObject, WireBody, WireMessage
from langchain_kimi.errors import KimiUsageError

_TAKES_REQUIRED = (3, 0)


def without_forced_choice(body: WireBody) -> WireBody:
    """Give a body whose choice among tools all the models that it names can take; the same one if they can."""
    choice = body.get("tool_choice")
    if choice in (None, "auto", "none"):
        return body
    slugs = [slug for slug in (body.get("model"), *(body.get("models") or ())) if slug]
    thinking = [known for slug in slugs if thinks(slug, body) and (known := family(slug))]
    if not thinking:
        return body
    is_free = body.get("reasoning") is None and cast("JSONObject", body).get("reasoning_effort") is None
    if is_free and all(known.thinks == "switchable" for known in thinking):
        return cast("WireBody", {**body, "reasoning": {"enabled": False}})
    takes_required = all(known.generation >= _TAKES_REQUIRED for known in thinking)
    if choice == "required" and takes_required:
        return body
    changed: JSONObject = {"tool_choice": "required" if takes_required else "auto"}
    if named := [tool for tool in body.get("tools") or () if _is_named(tool, choice)]:
        changed["tools"] = named
    return cast("WireBody", {**body, **changed})


def changes_of_choice(asked: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Tell what became of a forced choice, in the words of `RepairOptions`, from the body before and after."""
    was, is_now = asked.get("tool_choice"), sent.get("tool_choice")
    changed = was != is_now or asked.get("reasoning") != sent.get("reasoning")
    return {"changed_choice": changed, "hopes_for_call": changed and is_now == "auto"}


def _is_named(tool: JSONObject, choice: Any) -> bool:
    name = (choice.get("function") or {}).get("name") if isinstance(choice, dict) else None
    return name is not None and (tool.get("function") or {}).get("name") == name


# A `file` is missing on purpose: OpenRouter parses it to text for models that cannot read it.
MODALITY_OF_PART = {"image_url": "image", "video_url": "video", "input_video": "video", "input_audio": "audio"}


def check_modalities(model: str, messages: Sequence[WireMessage], models: Sequence[str] = ()) -> None:
    """Refuse images, video and audio that no asked model takes.

    A model that is not known to lack a modality passes: other makers' models, Kimis newer than this package, and
    slugs with a preset, which may name fallbacks on the server.

    Args:
        model: The slug that is asked first; empty where only `models` are asked.
        messages: The request's messages; their parts are read, never changed.
        models: The fallbacks; one that takes the modality is enough.

    Raises:
        KimiUsageError: Names the first such part, as `messages[i].content[j]`, and Kimis that take it.
    """
    asked = [slug for slug in dict.fromkeys((model, *models)) if slug]
    for place, modality in _media(messages):
        if asked and all(_lacks(slug, modality) for slug in asked):
            raise KimiUsageError(
                f"{place} holds {modality} input, which {' and '.join(asked)} cannot take.",
                model=asked[0],
                advice=_advice(modality),
            )


def _media(messages: Sequence[WireMessage]) -> Iterator[tuple[str, str]]:
    """Yield the place and the modality of each part that is not text."""
    # A comprehension, because nearly all of a long conversation is texts.
    lists = [number for number, message in enumerate(messages) if type(message.get("content")) is list]
    for number in lists:
        parts = cast("list[JSONObject]", messages[number]["content"])
        for position, part in enumerate(parts):
            if modality := MODALITY_OF_PART.get(part.get("type", "")):
                yield f"messages[{number}].content[{position}]", modality


def _lacks(slug: str, modality: str) -> bool:
    kimi = family(slug)
    return kimi is not None and modality not in kimi.sees and not names_preset(slug)


def _advice(modality: str) -> str:
    slugs = slugs_that_take(modality)
    if not slugs:
        return "No Kimi is known to take it: send its text instead."
    return f"Kimis that take it: {', '.join(slugs)}. Choose one as `model`, or name it among `models`."


def fit(body: WireBody, repairs: Repairs = ALL) -> WireBody:
    """Check a body and make it fit for the model that it names, see `prepare`.

    Raises:
        KimiUsageError: the model cannot take what the messages hold, or a call or a result in them, which is named
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
        repairs: What is mended, see `langchain_kimi._kimi.repairs`.

    Raises:
        KimiUsageError: the model cannot take what the messages hold.
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
