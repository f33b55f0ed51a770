"""Refuses media that the asked Kimi cannot take, before anything is sent and billed."""

from collections.abc import Iterator, Sequence
from typing import cast

from langchain_kimi.errors import KimiRequestError
from langchain_kimi.kimi.families import family, names_preset
from langchain_kimi.kimi.profiles import slugs_that_take
from langchain_kimi.openrouter.wire import JSONObject, WireMessage

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
        KimiRequestError: Names the first such part, as `messages[i].content[j]`, and Kimis that take it.
    """
    asked = [slug for slug in dict.fromkeys((model, *models)) if slug]
    for place, modality in _media(messages):
        if asked and all(_lacks(slug, modality) for slug in asked):
            raise KimiRequestError(
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
