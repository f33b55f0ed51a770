"""The Kimi family that a model slug belongs to, and the properties that its models share on every host.

Families are recognized by a pattern, not by a list of slugs: slugs appear and disappear within weeks, and a model that
is newer than this file must be handled sensibly too. A new generation is one row of `_GENERATIONS`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

Thinking = Literal["never", "always", "switchable"]
Template = Literal["k2", "k2.5", "k3"]

TEXT = frozenset({"text"})
IMAGES_AND_VIDEO = frozenset({"text", "image", "video"})
ALL_MODALITIES = frozenset({"text", "image", "video", "audio"})


@dataclass(frozen=True, slots=True)
class KimiFamily:
    """The properties that the models of a family share, on every host.

    Attributes:
        name: The family's name, such as `kimi-k2`, `kimi-k2-thinking`, `kimi-k2.7-code`, `kimi-k3`.
        generation: Major and minor number: (2, 0) for K2, (2, 5) for K2.5, (3, 0) for K3.
        thinking: Whether the model reasons before it answers: never, always, or as the request says.
        positional_call_ids: Whether it was trained on tool-call ids of the form `functions.{name}:{index}`.
        requires_calls_while_thinking: Whether it accepts `tool_choice="required"` while it reasons.
        template: The chat template: of K2, of K2.5 (think tokens, tools as TypeScript), or of K3 (XML).
        modalities: The input modalities that the weights support. A host may offer fewer. Generations that are newer
            than this file have all modalities.
    """

    name: str
    generation: tuple[int, int]
    thinking: Thinking
    positional_call_ids: bool
    requires_calls_while_thinking: bool
    template: Template
    modalities: frozenset[str]


# Each row applies from its generation on, until the next row. Observed: K2-Thinking, K2.7-code and K3 refuse requests
# that switch reasoning off; K2.5 and K2.6 can switch it off; only K3 accepts `required` while it reasons.
# The weights of K2.5 and later also support video, which OpenRouter lists for K3 only.
_GENERATIONS = (
    KimiFamily(
        "kimi-k2",
        (2, 0),
        thinking="never",
        positional_call_ids=True,
        requires_calls_while_thinking=False,
        template="k2",
        modalities=TEXT,
    ),
    KimiFamily(
        "kimi-k2.5",
        (2, 5),
        thinking="switchable",
        positional_call_ids=True,
        requires_calls_while_thinking=False,
        template="k2.5",
        modalities=IMAGES_AND_VIDEO,
    ),
    KimiFamily(
        "kimi-k3",
        (3, 0),
        thinking="always",
        positional_call_ids=False,
        requires_calls_while_thinking=True,
        template="k3",
        modalities=IMAGES_AND_VIDEO,
    ),
)
_NEWEST = _GENERATIONS[-1]
# Models that always reason, whatever the generation: K2-Thinking, K2.7-code.
_THINKING_VARIANTS = ("thinking", "code")
# The generation and the date of a dated model that differs from the undated model.
_DATED_MODEL = ((2, 0), "-0905")

# OpenRouter writes `author/kimi-k2.5-0127`; others `Kimi-K2-Instruct-0905`, `moonshot.kimi-k2-thinking`, `kimi-k2p5`.
_NAME = re.compile(r"(?:^|[/.])kimi-k(?P<major>\d+)(?:[.p](?P<minor>\d+))?(?P<rest>(?:[-_].*)?)$", re.IGNORECASE)
_LATEST = re.compile(r"(?:^|[/.])kimi-latest$", re.IGNORECASE)
_DATE = re.compile(r"-(?:\d{4}-?\d{2}-?\d{2}|\d{4})$")
_WORD_SEPARATOR = re.compile(r"[-_]")
_PRESET = "@preset/"


def thinks(slug: str, parameters: Mapping[str, Any]) -> bool:
    """Return whether a model reasons in a request with these parameters (in the form that is sent)."""
    kimi = family(slug)
    if kimi is None or kimi.thinking == "never":
        return False
    reasoning = parameters.get("reasoning") or {}
    efforts = (reasoning.get("effort"), parameters.get("reasoning_effort"))
    is_switched_off = reasoning.get("enabled") is False or "none" in efforts
    return kimi.thinking == "always" or not is_switched_off


@lru_cache(maxsize=256)
def base_slug(slug: str) -> str:
    """Return a slug without variants (`:free`, `:exacto`) and preset; Kimi's slugs also lose their date.

    `moonshotai/kimi-k2.5-0127:nitro` becomes `moonshotai/kimi-k2.5`. The 0905 of `kimi-k2-0905` is not removed, because
    that is another model than `kimi-k2`. A slug that is only a preset (`@preset/x`) becomes the empty string.
    """
    author, slash, name = slug.partition(_PRESET)[0].rpartition("/")
    name = name.partition(":")[0]
    return author + slash + _undated(name)


@lru_cache(maxsize=256)
def family(slug: str) -> KimiFamily | None:
    """Return the family of a slug of OpenRouter or another host; None for a model that is not a Kimi K2 or newer."""
    return _family(base_slug(slug))


def is_kimi(slug: str) -> bool:
    """Return whether the slug names a Kimi of the K series (K2 or newer); the repairs apply to these models only."""
    return family(slug) is not None


def names_preset(slug: str) -> bool:
    """Return whether the slug names a preset, whose settings are on the server and cannot be read here."""
    return _PRESET in slug


def _undated(name: str) -> str:
    """Return a Kimi's name without its release date; the dated names of other makers are separate models."""
    kimi = _NAME.search(name)
    generation, date = _DATED_MODEL
    if kimi is None or (_generation(kimi) == generation and kimi["rest"].endswith(date)):
        return name
    return _DATE.sub("", name)


def _generation(kimi: re.Match[str]) -> tuple[int, int]:
    return int(kimi["major"]), int(kimi["minor"] or 0)


def _family(slug: str) -> KimiFamily | None:
    """Return the family of a base slug; see `family`."""
    if _LATEST.search(slug):
        # `kimi-latest` was K3 when this was written and will be a newer model, so every modality is allowed.
        return replace(_NEWEST, name="kimi-latest", modalities=ALL_MODALITIES)
    kimi = _NAME.search(slug)
    if kimi is None:
        return None
    generation = _generation(kimi)
    base = next((row for row in reversed(_GENERATIONS) if row.generation <= generation), None)
    if base is None:
        return None
    variant = _thinking_variant(kimi)
    major, minor = generation
    return replace(
        base,
        name=f"kimi-k{major}" + (f".{minor}" if minor else "") + (f"-{variant}" if variant else ""),
        generation=generation,
        thinking="always" if variant else base.thinking,
        modalities=base.modalities if generation <= _NEWEST.generation else ALL_MODALITIES,
    )


def _thinking_variant(kimi: re.Match[str]) -> str:
    """Return the variant in a name that always reasons, such as `thinking`; empty for other names."""
    words = set(_WORD_SEPARATOR.split(kimi["rest"].lower()))
    return next((variant for variant in _THINKING_VARIANTS if variant in words), "")
